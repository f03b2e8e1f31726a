"""`has_unfinished_cursor` sees every cursor and blob that keeps an old snapshot, and no other."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any

import pytest

from proxydb.drivers.sqlite import activity
from proxydb.drivers.sqlite.activity import has_unfinished_cursor, users_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MANY = "SELECT a FROM t"


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    """A connection to a database with three rows, whose cursors have all ended."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript("CREATE TABLE t (a); INSERT INTO t VALUES (1), (2), (x'00')")
        yield connection


def _after(cursor: Any, call: Callable[[Any], Any]) -> Any:
    call(cursor)
    return cursor


def _failed(cursor: Any) -> Any:
    with suppress(sqlite3.Error):
        cursor.execute("SELECT missing")
    return cursor


UNFINISHED: dict[str, Callable[[Any], Any]] = {
    "executed": lambda c: c.execute(MANY),
    "one row fetched": lambda c: _after(c.execute(MANY), lambda cursor: cursor.fetchone()),
    "all but the last step": lambda c: _after(c.execute(MANY), lambda cursor: cursor.fetchmany(2)),
    "iterated": lambda c: _after(c.execute(MANY), next),
    "write that returns rows": lambda c: c.execute("INSERT INTO t VALUES (4), (5) RETURNING a"),
    "pragma": lambda c: c.execute("PRAGMA table_list"),
    "values": lambda c: c.execute("VALUES (1), (2)"),
    "blob": lambda c: c.blobopen("t", "a", 3),
    "blob that was read": lambda c: _after(c.blobopen("t", "a", 3), lambda blob: blob.read()),
}
FINISHED: dict[str, Callable[[Any], Any]] = {
    "new": lambda c: c.cursor(),
    "all rows fetched": lambda c: _after(c.execute(MANY), lambda cursor: cursor.fetchall()),
    "iterated to the end": lambda c: _after(c.execute(MANY), list),
    "one by one to the end": lambda c: _after(c.execute(MANY), lambda cursor: [cursor.fetchone() for _ in range(4)]),
    "no rows": lambda c: c.execute("SELECT a FROM t WHERE 0"),
    "closed": lambda c: _after(c.execute(MANY), lambda cursor: cursor.close()),
    "let go": lambda c: c.execute(MANY) and None,
    "write": lambda c: c.execute("INSERT INTO t VALUES (6)"),
    "executemany": lambda c: c.executemany("INSERT INTO t VALUES (?)", [(7,)]),
    "executescript": lambda c: c.executescript("SELECT a FROM t"),
    "failed": lambda c: _failed(c.cursor()),
    "closed blob": lambda c: _after(c.blobopen("t", "a", 3), lambda blob: blob.close()),
}


@pytest.mark.parametrize("make", UNFINISHED.values(), ids=UNFINISHED)
def test_unfinished(connection: sqlite3.Connection, make: Callable[[Any], Any]) -> None:
    """A cursor with rows to come, or a blob, is unfinished."""
    user = make(connection)
    assert (user is not None, has_unfinished_cursor(connection)) == (True, True)


CAUTIOUS = {"closed blob": "a blob that was closed counts as long as it lives"}
if sys.version_info < (3, 12):
    CAUTIOUS["executemany"] = "the driver keeps the statement"
FINISHED_FACTS = [
    pytest.param(make, id=name, marks=pytest.mark.xfail(strict=True, reason=CAUTIOUS[name]) if name in CAUTIOUS else ())
    for name, make in FINISHED.items()
]


@pytest.mark.parametrize("make", FINISHED_FACTS)
def test_finished(connection: sqlite3.Connection, make: Callable[[Any], Any]) -> None:
    """A cursor that came to its end, or was closed, is not."""
    user = make(connection)
    assert (id(user) > 0, has_unfinished_cursor(connection)) == (True, False)


def test_other_connection(connection: sqlite3.Connection) -> None:
    """A cursor of another connection does not count."""
    with closing(sqlite3.connect(":memory:")) as other:
        cursor = other.execute("VALUES (1), (2)")
        assert (has_unfinished_cursor(other), has_unfinished_cursor(cursor.connection), False) == (
            True,
            True,
            has_unfinished_cursor(connection),
        )


def test_many_cursors(connection: sqlite3.Connection) -> None:
    """One unfinished cursor is found among hundreds that have ended, after the driver has tidied its own list."""
    ended = [connection.execute("SELECT 1 WHERE 0") for _ in range(500)]
    unfinished = connection.execute(MANY)
    found = has_unfinished_cursor(connection)
    assert (found, len(ended), unfinished in users_of(connection)) == (True, 500, True)


def test_subclass(connection: sqlite3.Connection) -> None:
    """An application's own cursor with attributes of its own counts as any other."""

    class Own(sqlite3.Cursor):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            self.notes = ["something", {"else": 1}]

    cursor = connection.cursor(Own)
    states = [has_unfinished_cursor(connection)]
    cursor.execute(MANY)
    states.append(has_unfinished_cursor(connection))
    cursor.fetchall()
    assert [*states, has_unfinished_cursor(connection)] == [False, True, False]


def test_every_connection_is_busy_where_it_cannot_be_told(
    connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On an interpreter that does not show it every connection counts as busy."""
    monkeypatch.setattr(activity, "_STATEMENT", None)
    assert has_unfinished_cursor(connection)


def test_it_can_be_told_here() -> None:
    """On this interpreter it can be told, or nothing would ever be served."""
    assert activity._STATEMENT is not None
