"""A database that one connection has to itself is labelled by its own changes, and analysed on a copy of its schema."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

import proxydb
import proxydb.sqlite3
from proxydb.config import Config
from proxydb.drivers.sqlite.private import PrivateObserver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SCHEMA = "CREATE TABLE t (a INTEGER PRIMARY KEY, b); CREATE VIEW v AS SELECT a FROM t; INSERT INTO t VALUES (1, 'one')"


class _Referable(sqlite3.Connection):
    """The driver's own connection, which a weak reference may be made to."""


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    """A connection of the driver's to a database in memory."""
    with closing(sqlite3.connect(":memory:", isolation_level=None, factory=_Referable)) as connection:
        connection.executescript(SCHEMA)
        yield connection


@pytest.fixture
def observer(connection: sqlite3.Connection) -> Iterator[PrivateObserver]:
    """What watches it."""
    observer = PrivateObserver(connection)
    yield observer
    observer.release()


@pytest.fixture
def ours() -> Iterator[Any]:
    """A proxied connection to a database in memory, which has been served."""
    with closing(proxydb.connect(":memory:", config=Config(admission=0))) as connection:
        connection.executescript(SCHEMA)
        for _ in range(3):
            connection.execute("SELECT a, b FROM t").fetchall()
        assert connection.proxydb.stats().hits == 2
        yield connection


def _back_up_into(connection: sqlite3.Connection) -> None:
    with closing(sqlite3.connect(":memory:")) as source:
        source.executescript("CREATE TABLE t (a, b); INSERT INTO t VALUES (7, 'seven')")
        source.backup(connection)


CHANGES: dict[str, Callable[[Any], Any]] = {
    "insert": lambda c: c.execute("INSERT INTO t VALUES (2, 'two')"),
    "update": lambda c: c.execute("UPDATE t SET b = 'x'"),
    "delete": lambda c: c.execute("DELETE FROM t"),
    "schema": lambda c: c.execute("ALTER TABLE t RENAME COLUMN b TO c"),
    "script": lambda c: c.executescript("DELETE FROM t; INSERT INTO t VALUES (3, 'three')"),
    "backup": _back_up_into,
}
QUIET: dict[str, Callable[[Any], Any]] = {
    "read": lambda c: c.execute("SELECT a FROM t").fetchall(),
    "write of nothing": lambda c: c.execute("DELETE FROM t WHERE a = 9"),
    "transaction": lambda c: c.executescript("BEGIN; COMMIT"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_label_grows(connection: sqlite3.Connection, observer: PrivateObserver, change: Callable[[Any], Any]) -> None:
    """After a change the label is larger."""
    before = observer.label(connection)
    change(connection)
    assert observer.label(connection) > before > 0


@pytest.mark.parametrize("call", QUIET.values(), ids=QUIET)
def test_label_stays(connection: sqlite3.Connection, observer: PrivateObserver, call: Callable[[Any], Any]) -> None:
    """Without a change the label stays."""
    before = observer.label(connection)
    call(connection)
    assert observer.label(connection) == before


def test_analysis(observer: PrivateObserver) -> None:
    """Statements are analysed as if on the real database."""
    assert observer.analyse("SELECT a FROM v").reads == {"t", "v"}


def test_analysis_after_a_change(connection: sqlite3.Connection, observer: PrivateObserver) -> None:
    """The copy of the schema follows the real one."""
    observer.analyse("SELECT a FROM t")
    connection.execute("CREATE TABLE later (a)")
    assert observer.analyse("SELECT a FROM later").reads == {"later"}


def test_schema_that_cannot_be_copied(connection: sqlite3.Connection, observer: PrivateObserver) -> None:
    """Where the schema cannot be copied nothing may be kept."""
    connection.create_function("own", 1, lambda value: value, deterministic=True)
    connection.execute("CREATE INDEX i ON t (own(b))")
    assert observer.analyse("SELECT a FROM t").refusal.startswith("its schema cannot be copied: ")


def test_connection_that_is_gone() -> None:
    """Without its connection the observer refuses."""
    connection = sqlite3.connect(":memory:", factory=_Referable)
    observer = PrivateObserver(connection)
    connection.close()
    del connection
    assert observer.analyse("SELECT 1").refusal


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_change_shows_in_served_rows(ours: Any, change: Callable[[Any], Any]) -> None:
    """After a change a read gives what the database holds."""
    change(ours)
    names = [row[1] for row in ours.execute("PRAGMA table_info(t)")]
    sql = f"SELECT {', '.join(names)} FROM t"
    assert sqlite3.Cursor(ours).execute(sql).fetchall() == ours.execute(sql).fetchall()


@pytest.mark.parametrize("change", [change for name, change in CHANGES.items() if name != "backup"])
def test_rollback_shows_in_served_rows(ours: Any, change: Callable[[Any], Any]) -> None:
    """After a rollback a read gives what was there before."""
    ours.execute("BEGIN")
    change(ours)
    with closing(ours.cursor()) as cursor:
        cursor.execute("SELECT * FROM t").fetchall()
    if ours.in_transaction:
        ours.rollback()
    expected = sqlite3.Cursor(ours).execute("SELECT * FROM t").fetchall()
    assert [expected] * 3 == [ours.execute("SELECT * FROM t").fetchall() for _ in range(3)]


def test_savepoint_that_was_rolled_back(ours: Any) -> None:
    """What a savepoint took back is not served."""
    ours.execute("SAVEPOINT s")
    ours.execute("DELETE FROM t")
    ours.execute("SELECT a, b FROM t").fetchall()
    ours.execute("ROLLBACK TO s")
    ours.execute("RELEASE s")
    assert ours.execute("SELECT a, b FROM t").fetchall() == [(1, "one")]


def test_two_databases_in_memory(ours: Any) -> None:
    """Each connection's database in memory is its own."""
    with closing(proxydb.connect(":memory:", config=Config(admission=0))) as other:
        other.executescript("CREATE TABLE t (a, b)")
        assert (
            other.execute("SELECT a, b FROM t").fetchall(),
            ours.execute("SELECT a, b FROM t").fetchall(),
        ) == ([], [(1, "one")])


def test_temporary_file() -> None:
    """A database in a temporary file is private, too."""
    with closing(proxydb.sqlite3.connect("")) as connection:
        connection.executescript(SCHEMA)
        assert [connection.execute("SELECT a FROM t").fetchall() for _ in range(3)] == [[(1,)]] * 3


def test_shared_memory_is_not_served() -> None:
    """A database in memory that connections share is served nothing."""
    with closing(proxydb.connect("file:shared?mode=memory&cache=shared", config=Config(admission=0))) as connection:
        connection.executescript(SCHEMA)
        rows = [connection.execute("SELECT a FROM t").fetchall() for _ in range(3)]
        assert (rows, connection.proxydb.stats().hits) == ([[(1,)]] * 3, 0)
