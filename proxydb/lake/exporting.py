"""Writes the history of a lake table as a Delta log: all of it, or nothing."""

from __future__ import annotations

import os
import shutil
import uuid
from typing import TYPE_CHECKING, Any

from proxydb.lake import queries
from proxydb.lake.delta import bodies
from proxydb.lake.delta.writing import write_checkpoint, write_commit
from proxydb.lake.errors import LogExists
from proxydb.lake.schema import TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from proxydb.lake.delta.bodies import Row
    from proxydb.lake.session import Session

_VERSIONS_AT_ONCE = 256


def export_log(session: Session, table_id: int, directory: Path, progress: Callable[[int, int], None]) -> None:
    """Write `_delta_log` into `directory`, which is made if it is missing; see `Lake.export_delta`."""
    log = directory / "_delta_log"
    if log.exists():
        raise _exists(log)
    directory.mkdir(parents=True, exist_ok=True)
    unfinished = directory / f"_delta_log-{uuid.uuid4().hex}.tmp"
    unfinished.mkdir()
    try:
        _write_versions(session, table_id, unfinished, progress)
        os.rename(unfinished, log)
    except OSError as error:
        raise _exists(log) if log.exists() else error from None
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _exists(log: Path) -> LogExists:
    return LogExists(f"{log} exists already: give a directory without a log")


def _write_versions(session: Session, table_id: int, log: Path, progress: Callable[[int, int], None]) -> None:
    [(first, last, _, _)] = session.rows(queries.HISTORY_RANGE, table_id=table_id)
    for start in range(first, last + 1, _VERSIONS_AT_ONCE):
        span = range(start, min(start + _VERSIONS_AT_ONCE, last + 1))
        actions = _actions_by_version(session, table_id, span)
        for version in span:
            committed_at, written = actions[version]
            if version == first and first:
                write_checkpoint(log, version, [action for action in written[1:] if "cdc" not in action])
                written = written[:1]
            write_commit(log, version, written, committed_at)
            progress(version - first + 1, last - first + 1)


def _actions_by_version(session: Session, table_id: int, span: range) -> dict[int, tuple[int, list[dict[str, Any]]]]:
    """Version → when it was committed, and its actions, commitInfo first."""
    found: dict[int, tuple[int, list[dict[str, Any]]]] = {}
    for table in bodies.TABLES:
        for row in _rows(session, table_id, table, span):
            if table == "dl_table_versions":
                found[row["version"]] = (row["committed_at"], [])
            found[row["version"]][1].append(bodies.action(table, row))
    return found


def _rows(session: Session, table_id: int, table: str, span: range) -> Iterator[Row]:
    columns = TABLES[table].columns
    selected = [f"CAST({name} AS TEXT)" if kind.startswith("json") else name for name, kind in columns.items()]
    text = (
        f"SELECT {', '.join(selected)} FROM {table} "
        f"WHERE table_id = :table_id AND version BETWEEN :first AND :last ORDER BY {', '.join(TABLES[table].key)}"
    )
    for row in session.rows(text, table_id=table_id, first=span[0], last=span[-1]):
        yield dict(zip(columns, row, strict=True))
