"""The synthetic log: repeatable, readable by others, and with every kind of commit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from proxydb.lake import write_delta_log
from tests.lake.synthetic.conftest import MADE

if TYPE_CHECKING:
    from pathlib import Path

    from proxydb.lake import Lake


@pytest.mark.parametrize("seed", range(3))
def test_deltalake_finds_the_same_files(tmp_path: Path, sqlite_lake: Lake, seed: int) -> None:
    """deltalake opens the log at head and in the middle, with the active files that the lake has."""
    path = write_delta_log(tmp_path / "t", commits=80, files_per_commit=5, seed=seed)
    table = sqlite_lake.import_delta(path)
    for version in (40, 79):
        adds = pa.RecordBatchReader.from_stream(DeltaTable(path, version=version).get_add_actions()).read_all()
        found = [(file.path, file.size) for file in table.snapshot(version).files]
        assert sorted(zip(adds["path"].to_pylist(), adds["size_bytes"].to_pylist(), strict=True)) == found


def test_the_same_seed_writes_the_same_bytes(tmp_path: Path) -> None:
    """Two logs of one seed are equal, those of another seed are not."""
    logs = [write_delta_log(tmp_path / str(n), commits=20, files_per_commit=5, seed=n // 2) for n in range(3)]
    contents = [[file.read_bytes() for file in sorted((log / "_delta_log").iterdir())] for log in logs]
    assert (contents[0] == contents[1], contents[0] == contents[2]) == (True, False)


def test_every_kind_of_commit_occurs(tmp_path: Path, lake: Lake) -> None:
    """A log of some hundred commits has all operations in its history."""
    lake.import_delta(write_delta_log(tmp_path / "t", commits=400, files_per_commit=2))
    rows = lake.connection.execute("SELECT DISTINCT operation FROM dl_table_versions").fetchall()
    assert {row[0] for row in rows} == MADE


def test_a_log_is_not_overwritten(tmp_path: Path) -> None:
    """A directory that holds a log is refused."""
    write_delta_log(tmp_path, commits=1)
    with pytest.raises(FileExistsError):
        write_delta_log(tmp_path, commits=1)
