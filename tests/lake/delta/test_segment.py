"""Which files of a log directory are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from proxydb.lake.delta.segment import find_segment
from proxydb.lake.errors import MissingCommit

if TYPE_CHECKING:
    from pathlib import Path

HISTORIES = {
    "all commits": ("0 1 2 3", "", None, [0, 1, 2, 3]),
    "all commits and a checkpoint": ("0 1 2 3", "2", None, [0, 1, 2, 3]),
    "cleaned up to a checkpoint": ("2 3 4", "2", 2, [2, 3, 4]),
    "cleaned past a checkpoint's own commit": ("3 4", "2", 2, [3, 4]),
    "the oldest checkpoint that reaches the head": ("4 5 6", "2 4 6", 4, [4, 5, 6]),
    "a hole before the last checkpoint": ("0 1 3 4 5", "4", 4, [4, 5]),
    "only a checkpoint": ("", "7", 7, []),
    "a checkpoint newer than the commits": ("0 1", "3", 3, []),
}


def _log(directory: Path, commits: str, checkpoints: str) -> Path:
    for version in commits.split():
        (directory / f"{int(version):020}.json").touch()
    for version in checkpoints.split():
        (directory / f"{int(version):020}.checkpoint.parquet").touch()
    return directory


@pytest.mark.parametrize("name", HISTORIES)
def test_the_longest_readable_history_is_found(tmp_path: Path, name: str) -> None:
    """The history starts at version 0 or at the oldest checkpoint from which every commit is there."""
    commits, checkpoints, base, versions = HISTORIES[name]
    segment = find_segment(_log(tmp_path, commits, checkpoints))
    found = (segment.checkpoint and segment.checkpoint.version, list(segment.commits))
    assert (base, versions) == found


@pytest.mark.parametrize(("commits", "checkpoints", "missing"), [("0 2", "", 1), ("3 4", "1", 2), ("0 1 4", "2", 3)])
def test_a_hole_is_named(tmp_path: Path, commits: str, checkpoints: str, missing: int) -> None:
    """The missing commit nearest to the head is the one to restore."""
    with pytest.raises(MissingCommit) as caught:
        find_segment(_log(tmp_path, commits, checkpoints))
    assert caught.value.file.name == f"{missing:020}.json"


def test_an_unfinished_checkpoint_does_not_count(tmp_path: Path) -> None:
    """A multi-part checkpoint with a missing part is passed over."""
    log = _log(tmp_path, "3 4", "2")
    (log / f"{3:020}.checkpoint.{1:010}.{2:010}.parquet").touch()
    segment = find_segment(log)
    assert segment.checkpoint is not None
    assert segment.checkpoint.version == 2


def test_other_files_are_passed_over(tmp_path: Path) -> None:
    """Checksums, compacted logs, temporary files and directories are no commits."""
    log = _log(tmp_path, "0", "")
    for name in (f"{1:020}.crc", f"{0:020}.{1:020}.compacted.json", f".{1:020}.json.tmp", "_last_checkpoint"):
        (log / name).touch()
    (log / f"{1:020}.json").mkdir()
    assert find_segment(log).head == 0
