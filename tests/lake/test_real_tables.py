"""Tables written by `deltalake`: at every version the lake says what `deltalake` says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest

import proxydb.lake
from tests.lake.real_tables import CHECKPOINT, facts, facts_by_deltalake
from tests.lake.written_logs import commit_file

if TYPE_CHECKING:
    from pathlib import Path

    from proxydb.lake import Lake

HEAD = 15


@pytest.mark.parametrize("version", range(HEAD + 1))
def test_a_version_is_what_deltalake_opens(real_table: Path, sqlite_lake: Lake, version: int) -> None:
    """Files, schema, partitions, properties, protocol and transactions of each version are those of deltalake."""
    assert facts_by_deltalake(real_table, version) == facts(sqlite_lake.import_delta(real_table).snapshot(version))


def test_both_databases_keep_every_version(real_table: Path, lake: Lake) -> None:
    """A whole history read back from the database is that of deltalake."""
    table = lake.import_delta(real_table)
    expected = [facts_by_deltalake(real_table, version) for version in range(HEAD + 1)]
    assert expected == [facts(table.snapshot(version)) for version in range(HEAD + 1)]


def test_the_newest_version_is_the_default(real_table: Path, lake: Lake) -> None:
    """snapshot() without a version is the snapshot of the head."""
    assert lake.import_delta(real_table).snapshot().version == HEAD


@pytest.mark.parametrize("parts", [1, 3])
def test_a_cleaned_log_starts_at_its_checkpoint(own_table: Path, lake: Lake, parts: int) -> None:
    """With the commits up to a checkpoint gone, the versions from there on are those of deltalake."""
    _drop_commits_before_checkpoint(own_table)
    expected = [facts_by_deltalake(own_table, version) for version in range(CHECKPOINT, HEAD + 1)]
    if parts > 1:
        _split_checkpoint(own_table, parts)
    table = lake.import_delta(own_table)
    assert expected == [facts(table.snapshot(version)) for version in range(CHECKPOINT, HEAD + 1)]


def test_versions_before_the_checkpoint_are_gone(own_table: Path, sqlite_lake: Lake) -> None:
    """What log cleanup removed is said to be missing, with the versions that are there."""
    _drop_commits_before_checkpoint(own_table)
    table = sqlite_lake.import_delta(own_table)
    with pytest.raises(proxydb.lake.errors.UnknownVersion, match="versions 9 to 15, not 8"):
        table.snapshot(8)


def test_the_history_has_the_operations_of_the_writer(real_table: Path, lake: Lake) -> None:
    """Each commit's operation and time stand in dl_table_versions, from commitInfo."""
    from deltalake import DeltaTable

    lake.import_delta(real_table)
    rows = lake.connection.execute("SELECT operation, committed_at FROM dl_table_versions ORDER BY version DESC")
    expected = [(entry["operation"], entry["timestamp"]) for entry in DeltaTable(real_table).history()]
    assert expected == [tuple(row) for row in rows.fetchall()]


def test_decoded_paths_are_those_of_the_file_system(real_table: Path, sqlite_lake: Lake) -> None:
    """A path keeps the log's percent-encoding; decoded it names the data file."""
    table = sqlite_lake.import_delta(real_table)
    missing = [file.path for file in table.snapshot().files if not (real_table / file.decoded_path).is_file()]
    assert missing == []


def _drop_commits_before_checkpoint(table: Path) -> None:
    for version in range(CHECKPOINT):
        commit_file(table / "_delta_log", version).unlink()


def _split_checkpoint(table: Path, parts: int) -> None:
    """Writes the classic checkpoint again as a multi-part one, and a stray part of an unfinished one."""
    log = table / "_delta_log"
    classic = log / f"{CHECKPOINT:020}.checkpoint.parquet"
    actions = pq.read_table(classic)
    classic.unlink()
    for part in range(parts):
        name = f"{CHECKPOINT:020}.checkpoint.{part + 1:010}.{parts:010}.parquet"
        share = -(-len(actions) // parts)
        pq.write_table(actions.slice(part * share, share), log / name)
    pq.write_table(actions.slice(0, 1), log / f"{CHECKPOINT + 1:020}.checkpoint.{1:010}.{2:010}.parquet")
