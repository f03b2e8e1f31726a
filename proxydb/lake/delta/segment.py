"""Which files of a `_delta_log` directory make up the history that can be read, oldest version first."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from proxydb.lake.errors import MissingCommit, NotADeltaTable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_COMMIT = re.compile(r"(?P<version>\d{20})\.json")
_CHECKPOINT = re.compile(
    r"(?P<version>\d{20})\.checkpoint"
    r"(?:\.(?P<part>\d{10})\.(?P<parts>\d{10})|\.[0-9a-f-]{36})?\.(?:parquet|json)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The whole state of a table at one version: one file, or all parts of a multi-part checkpoint."""

    version: int
    files: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Segment:
    """The readable part of a log.

    Parameters
    ----------
    checkpoint
        Where the history starts; None when it starts with the commit of version 0.
    commits
        Version → commit file, ascending. The commit at the checkpoint's own version may be among them: it says who
        made that version, while the actions are the checkpoint's.
    """

    checkpoint: Checkpoint | None
    commits: dict[int, Path]

    @property
    def head(self) -> int:
        """The newest version."""
        return max([*self.commits, *([self.checkpoint.version] if self.checkpoint else [])])


def find_segment(log: Path) -> Segment:
    """The longest history that the files of a log directory still tell.

    All commits from version 0 if they are there; else, after log cleanup, the oldest complete checkpoint from which
    every later commit is there.

    Parameters
    ----------
    log
        The `_delta_log` directory.

    Raises
    ------
    proxydb.lake.errors.NotADeltaTable
        There is no log.
    proxydb.lake.errors.MissingCommit
        Commits in the middle or at the end are gone.

    References
    ----------
    Delta PROTOCOL: Delta Log Entries, Checkpoints, Last Checkpoint File, Metadata Cleanup.
    """
    names = [path for path in log.iterdir() if path.is_file()] if log.is_dir() else []
    commits = {int(match["version"]): path for path in sorted(names) if (match := _COMMIT.fullmatch(path.name))}
    checkpoints = _complete_checkpoints(names)
    if not commits and not checkpoints:
        raise NotADeltaTable(f"{log} holds no Delta log: give the directory that holds _delta_log")
    return _longest(log, commits, checkpoints)


def _longest(log: Path, commits: dict[int, Path], checkpoints: dict[int, Checkpoint]) -> Segment:
    head = max([*commits, *checkpoints])
    _check_last_checkpoint(log, head)
    start = _start_of_last_run(commits, head)
    if start == 0:
        return Segment(None, commits)
    usable = [version for version in checkpoints if version >= start - 1]
    if not usable:
        raise MissingCommit(
            log / f"{start - 1:020}.json",
            f"the commit is missing, and there is no checkpoint between it and version {head}: "
            "restore the file from a backup, or import a copy of the table",
        )
    base = checkpoints[min(usable)]
    return Segment(base, {version: path for version, path in commits.items() if version >= base.version})


def _start_of_last_run(commits: dict[int, Path], head: int) -> int:
    """The first version from which every commit up to the head is there; one more than the head when none is."""
    start = head + 1
    while start - 1 in commits:
        start -= 1
    return start


def _check_last_checkpoint(log: Path, head: int) -> None:
    """The pointer is only a hint, but one that points past the end shows that the newest files are gone."""
    pointed = _last_checkpoint(log / "_last_checkpoint")
    if pointed is not None and pointed > head:
        raise MissingCommit(
            log / "_last_checkpoint",
            f"it names a checkpoint at version {pointed}, but the log ends at {head}: the newest files are missing",
        )


def _last_checkpoint(pointer: Path) -> int | None:
    try:
        found: Any = json.loads(pointer.read_bytes())["version"]
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return found if isinstance(found, int) else None


def _complete_checkpoints(files: Iterable[Path]) -> dict[int, Checkpoint]:
    """One checkpoint for each version; multi-part ones with missing parts do not count."""
    groups: dict[tuple[int, int, str], list[Path]] = {}
    for path in sorted(files):
        if match := _CHECKPOINT.fullmatch(path.name):
            parts = int(match["parts"] or 1)
            single = "" if match["parts"] else path.name
            groups.setdefault((int(match["version"]), parts, single), []).append(path)
    return {
        version: Checkpoint(version, tuple(paths))
        for (version, parts, _), paths in groups.items()
        if len(paths) == parts
    }
