"""The table in the user's database in which its materialized views are written down."""

from __future__ import annotations

import json
import time
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from proxydb.views.records import FRESH, View, check_format, no_view

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proxydb.views.sqlite.facts import Execute

FORMAT = 2
"""Of the catalogue and of everything that is written for a view."""

_CREATE = """
CREATE TABLE IF NOT EXISTS proxydb_views (
  name TEXT PRIMARY KEY COLLATE NOCASE, format INTEGER NOT NULL, sql TEXT NOT NULL, kind TEXT NOT NULL,
  maintenance TEXT NOT NULL, max_staleness REAL, state TEXT NOT NULL, reason TEXT NOT NULL, tables TEXT NOT NULL,
  fingerprints TEXT NOT NULL, objects TEXT NOT NULL, refreshed_at REAL NOT NULL,
  indexes TEXT NOT NULL)
"""
_COLUMNS = "name, sql, kind, maintenance, max_staleness, state, reason, tables, refreshed_at, indexes"


def names(execute: Execute) -> list[str]:
    """The names of the views, in the order in which they were made."""
    if not _exists(execute):
        return []
    _check_format(execute)
    return [name for (name,) in execute("SELECT name FROM proxydb_views ORDER BY rowid").fetchall()]


def find(execute: Execute, name: str) -> View | None:
    """The view of a name."""
    if not _exists(execute):
        return None
    _check_format(execute)
    row = execute(f"SELECT {_COLUMNS} FROM proxydb_views WHERE name = ?", (name,)).fetchone()
    if row is None:
        return None
    facts = dict(zip(_COLUMNS.split(", "), row, strict=True))
    facts |= {"tables": tuple(json.loads(row[7])), "indexes": tuple(map(tuple, json.loads(row[9])))}
    return View(**facts)


def get(execute: Execute, name: str) -> View:
    """The view of a name.

    Raises
    ------
    proxydb.errors.ProgrammingError
        There is none.
    """
    view = find(execute, name)
    if view is None:
        raise no_view(name)
    return view


def add(execute: Execute, view: View, objects: Iterable[str]) -> None:
    """Write a view down, with the names of everything that was made for it."""
    execute(_CREATE)
    execute(
        f"INSERT INTO proxydb_views ({_COLUMNS}, format, fingerprints, objects) VALUES ({', '.join('?' * 13)})",
        (
            view.name,
            view.sql,
            view.kind,
            view.maintenance,
            view.max_staleness,
            view.state,
            view.reason,
            json.dumps(view.tables),
            view.refreshed_at,
            json.dumps(view.indexes),
            FORMAT,
            json.dumps(fingerprints(execute, [*view.tables, *objects])),
            json.dumps(list(objects)),
        ),
    )


def remove(execute: Execute, name: str) -> None:
    """Cross a view out."""
    execute("DELETE FROM proxydb_views WHERE name = ?", (name,))


def objects(execute: Execute, name: str) -> list[str]:
    """The names of everything that was made for a view."""
    row = execute("SELECT objects FROM proxydb_views WHERE name = ?", (name,)).fetchone()
    return list(json.loads(row[0]))


def set_state(execute: Execute, name: str, state: str, reason: str) -> None:
    """Note in what state a view is."""
    execute("UPDATE proxydb_views SET state = ?, reason = ? WHERE name = ?", (state, reason, name))


def refreshed(execute: Execute, name: str) -> None:
    """Note that a view was computed as a whole."""
    execute("UPDATE proxydb_views SET refreshed_at = ? WHERE name = ?", (time.time(), name))
    set_state(execute, name, FRESH, "")


def changed(execute: Execute, name: str) -> list[str]:
    """Which of the things that a view stands on are no longer what they were when it was made."""
    if is_outdated(execute, name):
        return ["the format of its tables"]
    row = execute("SELECT fingerprints FROM proxydb_views WHERE name = ?", (name,)).fetchone()
    before: dict[str, str] = json.loads(row[0])
    now = fingerprints(execute, before)
    return [thing for thing, fingerprint in before.items() if now[thing] != fingerprint]


def is_outdated(execute: Execute, name: str) -> bool:
    """Whether a view was made by an older proxydb, whose tables are not read as ours."""
    row = execute("SELECT format FROM proxydb_views WHERE name = ?", (name,)).fetchone()
    return bool(row[0] != FORMAT)


def fingerprints(execute: Execute, things: Iterable[str]) -> dict[str, str]:
    """For each thing a digest of its SQL and its unique indexes; empty where it does not exist."""
    return {thing: _fingerprint(execute, thing) for thing in things}


def _fingerprint(execute: Execute, thing: str) -> str:
    rows = execute(
        "SELECT type, sql FROM sqlite_master WHERE name = ?1 OR (tbl_name = ?1 AND type = 'index' "
        "AND sql LIKE 'create unique%') ORDER BY type, name",
        (thing,),
    ).fetchall()
    return sha256(repr(rows).encode()).hexdigest()[:16] if rows else ""


def _exists(execute: Execute) -> bool:
    found: Any = execute("SELECT 1 FROM sqlite_master WHERE name = 'proxydb_views' AND type = 'table'").fetchone()
    return found is not None


def _check_format(execute: Execute) -> None:
    check_format(execute("SELECT max(format) FROM proxydb_views").fetchone()[0], FORMAT)
