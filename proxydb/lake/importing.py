"""Loads a Delta log into the lake's tables: file after file, in large batches, inside one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from proxydb.lake.delta.checkpoints import read_checkpoint
from proxydb.lake.delta.commits import read_json_actions
from proxydb.lake.delta.fields import FieldError
from proxydb.lake.delta.rows import KINDS, CommitRows, checked_values, version_row
from proxydb.lake.errors import CorruptLog, UnsupportedTable
from proxydb.lake.schema import TABLES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from proxydb.lake.delta.commits import Action
    from proxydb.lake.delta.rows import Values
    from proxydb.lake.delta.segment import Checkpoint, Segment
    from proxydb.lake.session import Session

BATCH_ROWS = 2000
Read = TypeVar("Read")


class RowWriter:
    """Collects the rows of one lake table's log and inserts them in batches.

    Parameters
    ----------
    session
        Where to; a transaction has to be open.
    table_id
        The table that the rows belong to.
    """

    def __init__(self, session: Session, table_id: int) -> None:
        self._session = session
        self._table_id = table_id
        self._waiting: dict[str, list[Values]] = {}

    def add(self, table: str, version: int, values: Values) -> None:
        """Take a row; `values` are what follows ``table_id, version``."""
        rows = self._waiting.setdefault(table, [])
        rows.append((self._table_id, version, *values))
        if len(rows) >= BATCH_ROWS:
            self._insert(table)

    def flush(self) -> None:
        """Insert what is still waiting."""
        for table in list(self._waiting):
            self._insert(table)

    def _insert(self, table: str) -> None:
        self._session.load(TABLES[table], self._waiting.pop(table))


def import_segment(
    writer: RowWriter, integrity_error: type[Exception], segment: Segment, progress: Callable[[int, int], None]
) -> None:
    """Write every version of `segment`.

    Parameters
    ----------
    writer
        Takes the rows.
    integrity_error
        What the driver raises when a key is violated.
    segment
        The files of the log.
    progress
        Called after each file with the number of files done and of all files.

    Raises
    ------
    proxydb.lake.errors.LogError
        A file is corrupt or missing.
    proxydb.lake.errors.UnsupportedTable
        The table needs a newer reader.
    """
    base = segment.checkpoint
    commits = {version: file for version, file in segment.commits.items() if not base or version > base.version}
    before = int(base is not None)
    if base:
        _import_checkpoint(writer, integrity_error, base, segment.commits.get(base.version))
        progress(before, before + len(commits))
    for done, (version, file) in enumerate(commits.items(), start=before + 1):
        families = _import_commit(writer, version, file)
        if version == 0:
            _check_base(families, file)
        progress(done, before + len(commits))
    writer.flush()


def _import_commit(writer: RowWriter, version: int, file: Path) -> set[str]:
    """Write one commit; returns the families of its actions."""
    commit = CommitRows()
    for action in read_json_actions(file):
        if row := _with_place(commit.take, action):
            writer.add(row[0], version, row[1])
    writer.add("dl_table_versions", version, version_row(_written_at(file), commit.info))
    return commit.families


def _import_checkpoint(
    writer: RowWriter, integrity_error: type[Exception], checkpoint: Checkpoint, info_file: Path | None
) -> None:
    """Write a checkpoint's actions as if all were made at its version; its commit, if kept, says who made that."""
    first = checkpoint.files[0]
    families = set()
    try:
        for action in read_checkpoint(checkpoint):
            if kind := KINDS.get(action.kind):
                writer.add(kind.table, checkpoint.version, _with_place(checked_values, action))
                families.add(kind.family)
        writer.flush()
    except integrity_error as error:
        raise CorruptLog(first, f"the checkpoint holds the same file, txn or domain twice ({error})") from None
    _check_base(families, first)
    info = _commit_info(info_file) if info_file else {}
    writer.add("dl_table_versions", checkpoint.version, version_row(_written_at(info_file or first), info))


def _commit_info(file: Path) -> dict[str, Any]:
    return next((action.body for action in read_json_actions(file) if action.kind == "commitInfo"), {})


def _with_place(read: Callable[[str, dict[str, Any]], Read], action: Action) -> Read:
    """What `read` makes of an action; what it finds wrong is said with the file and the line."""
    try:
        return read(action.kind, action.body)
    except FieldError as error:
        raise CorruptLog(action.file, str(error), action.line) from None
    except UnsupportedTable as error:
        place = f"{action.file}{'' if action.line is None else f', line {action.line}'}"
        raise UnsupportedTable(f"{place}: {error}") from None


def _check_base(families: set[str], file: Path) -> None:
    for kind in ("protocol", "metaData"):
        if kind not in families:
            raise CorruptLog(file, f"the history starts here without a {kind!r} action: copy the file again")


def _written_at(file: Path) -> int:
    """The modification time of a file, in ms since the epoch."""
    return file.stat().st_mtime_ns // 1_000_000
