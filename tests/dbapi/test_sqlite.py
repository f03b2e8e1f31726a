"""Connections and live cursors are the driver's own in all that they show."""

from __future__ import annotations

import copy
import gc
import pickle
import sqlite3
import warnings
import weakref
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

import proxydb
import proxydb.sqlite3
from proxydb.config import Config
from tests.dbapi.sides import ROWS, SELECT, facts, made, outcome, refused, served

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.dbapi.sides import Both, Fact

FACTS: dict[str, Fact] = {
    "execute": lambda connection, _: connection.execute(SELECT).fetchall(),
    "execute with parameters": lambda connection, _: connection.execute("SELECT ?", (5,)).fetchall(),
    "execute of nothing": lambda connection, _: refused(connection.execute)[0],
    "execute of too much": lambda connection, _: refused(connection.execute, SELECT, (), ())[0],
    "execute by name": lambda connection, _: refused(connection.execute, sql=SELECT)[0],
    "executemany": lambda connection, _: [
        connection.executemany("UPDATE t SET b = ? WHERE a = ?", [(1, 1), (2, 2)]).rowcount,
        connection.rollback(),
    ],
    "executemany of a generator": lambda connection, _: [
        connection.executemany("INSERT INTO t (b) VALUES (?)", ((n,) for n in range(3))).rowcount,
        connection.rollback(),
    ],
    "executescript": lambda connection, _: connection.executescript("SELECT 1; SELECT 2").fetchall(),
    "empty text": lambda connection, _: connection.execute("").fetchall(),
    "comment only": lambda connection, _: connection.execute("-- nothing").fetchall(),
    "isolation_level": lambda connection, _: connection.isolation_level,
    "row_factory": lambda connection, _: connection.row_factory,
    "text_factory": lambda connection, _: connection.text_factory,
    "in_transaction": lambda connection, _: [
        connection.in_transaction,
        connection.execute("DELETE FROM t").rowcount,
        connection.in_transaction,
        connection.rollback(),
        connection.in_transaction,
    ],
    "commit": lambda connection, _: [connection.commit(), connection.in_transaction],
    "with": lambda connection, _: connection.__enter__() is connection,
    "exit": lambda connection, _: connection.__exit__(None, None, None),
    "failing exit": lambda connection, _: connection.__exit__(ValueError, ValueError(), None),
    "call": lambda connection, _: connection("SELECT 1").__class__.__name__,
    "interrupt": lambda connection, _: connection.interrupt(),
    "iterdump": lambda connection, _: list(connection.iterdump()),
    "create_function": lambda connection, _: [
        connection.create_function("twice", 1, lambda value: value * 2),
        connection.execute("SELECT twice(a) FROM t").fetchall(),
    ],
    "errors": lambda connection, _: [
        getattr(connection, name) is getattr(sqlite3, name) for name in ("Error", "IntegrityError", "OperationalError")
    ],
    "cursor": lambda connection, _: connection.cursor().fetchall(),
    "cursor of no class": lambda connection, _: refused(connection.cursor, 5)[0],
    "cursor of None": lambda connection, _: refused(connection.cursor, None)[0],
    "cursor of another class": lambda connection, _: refused(connection.cursor, list)[0],
    "unknown attribute": lambda connection, _: refused(lambda: connection.unknown)[0],
    "copy": lambda connection, _: refused(copy.copy, connection)[0],
    "pickle": lambda connection, _: refused(pickle.dumps, connection)[0],
    "type name": lambda connection, _: type(connection).__name__,
    "total_changes": lambda connection, _: connection.total_changes,
    "deserialized": lambda connection, _: len(connection.serialize()) > 0,
    "limits": lambda connection, _: connection.getlimit(sqlite3.SQLITE_LIMIT_SQL_LENGTH),
    "blob": lambda connection, _: refused(connection.blobopen, "t", "b", 1)[0],
}
CLOSED: dict[str, Callable[[Any], Any]] = {
    "execute": lambda connection: connection.execute(SELECT),
    "executemany": lambda connection: connection.executemany(SELECT, []),
    "executescript": lambda connection: connection.executescript(""),
    "cursor": lambda connection: connection.cursor(),
    "commit": lambda connection: connection.commit(),
    "rollback": lambda connection: connection.rollback(),
    "close": lambda connection: connection.close(),
    "enter": lambda connection: connection.__enter__() is connection,
    "exit": lambda connection: connection.__exit__(None, None, None),
    "in_transaction": lambda connection: connection.in_transaction,
    "total_changes": lambda connection: connection.total_changes,
    "isolation_level": lambda connection: connection.isolation_level,
    "set isolation_level": lambda connection: setattr(connection, "isolation_level", None),
    "create_function": lambda connection: connection.create_function("f", 0, lambda: 1),
    "create_collation": lambda connection: connection.create_collation("f", lambda a, b: 0),
    "set_trace_callback": lambda connection: connection.set_trace_callback(None),
    "backup": lambda connection: connection.backup(connection),
    "blobopen": lambda connection: connection.blobopen("t", "b", 1),
    "interrupt": lambda connection: connection.interrupt(),
    "iterdump": lambda connection: list(connection.iterdump()),
}


@pytest.mark.parametrize("fact", facts(FACTS))
def test_connection(both: Both, fact: Fact) -> None:
    """What a connection shows is the same raw and proxied, three times in a row."""
    expected = [outcome(fact, both.raw, None) for _ in range(3)]
    assert expected == [outcome(fact, both.ours, None) for _ in range(3)]


@pytest.mark.parametrize("call", facts(CLOSED))
@pytest.mark.parametrize("used", [False, True], ids=["unused", "used"])
def test_closed_connection(both: Both, call: Callable[[Any], Any], used: bool) -> None:
    """A closed connection refuses what the driver's refuses, in the same words."""
    if used:
        for connection in (both.raw, both.ours):
            connection.execute(SELECT).fetchall()
    both.raw.close()
    both.ours.close()
    assert refused(call, both.raw) == refused(call, both.ours)


def test_connection_that_was_never_opened() -> None:
    """A connection whose `__init__` was not called refuses as the driver's does."""
    raw, ours = (kind.__new__(kind) for kind in (sqlite3.Connection, proxydb.sqlite3.Connection))
    assert refused(raw.execute, SELECT) == refused(ours.execute, SELECT)


def test_isinstance(both: Both) -> None:
    """A proxied connection is a `sqlite3.Connection`."""
    assert isinstance(both.ours, sqlite3.Connection)


def test_weak_reference(both: Both) -> None:
    """A connection can be referred to weakly."""
    assert weakref.ref(both.ours)() is both.ours


def test_connection_goes_when_nobody_holds_it(tmp_path: Path) -> None:
    """proxydb keeps no connection alive."""
    connection = proxydb.connect(made(tmp_path / "gone.db"))
    connection.execute(SELECT).fetchall()
    reference = weakref.ref(connection)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        del connection
        gc.collect()
    assert reference() is None


class _Own(sqlite3.Connection):
    """An application's own connection class."""

    calls = 0

    def execute(self, *arguments: Any) -> Any:
        self.calls += 1
        return super().execute(*arguments)

    def commit(self) -> None:
        self.calls += 1
        super().commit()


OWN: dict[str, Callable[[Any], Any]] = {
    "class": lambda connection: (isinstance(connection, _Own), type(connection).__name__),
    "execute": lambda connection: [connection.execute("SELECT 1").fetchall(), connection.calls],
    "commit": lambda connection: [connection.commit(), connection.calls],
    "cursor": lambda connection: [connection.cursor().execute("SELECT 1").fetchall(), connection.calls],
}


@pytest.mark.parametrize("fact", facts(OWN))
def test_own_connection_class(fact: Callable[[Any], Any]) -> None:
    """An application's own connection class is kept, and its overrides run once for each call."""
    with (
        closing(sqlite3.connect(":memory:", factory=_Own)) as raw,
        closing(proxydb.sqlite3.connect(":memory:", factory=_Own)) as ours,
    ):
        assert fact(raw) == fact(ours)


def test_factory_that_is_a_function() -> None:
    """A factory that is no class is called as the driver calls it."""

    def factory(*arguments: Any, **named: Any) -> Any:
        return _Own(*arguments, **named)

    with closing(proxydb.sqlite3.connect(":memory:", factory=factory)) as connection:
        assert type(connection) is _Own


def test_foreign_cursor_on_our_connection(both: Both) -> None:
    """A cursor of the driver's own class works on a proxied connection, and ours serves nothing beside it."""
    cursor = sqlite3.Cursor(both.ours)
    rows = [cursor.execute(SELECT).fetchall() for _ in range(3)]
    assert rows == [ROWS] * 3


def test_write_through_a_foreign_cursor(both: Both) -> None:
    """What a cursor of the driver's own class writes shows in the next read."""
    served(both.ours)
    sqlite3.Cursor(both.ours).execute("DELETE FROM t")
    assert both.ours.execute(SELECT).fetchall() == []


def test_uncommitted_rows_are_not_served_to_others(both: Both, tmp_path: Path) -> None:
    """What a transaction has not committed is not seen by another connection."""
    served(both.ours)
    both.ours.execute("DELETE FROM t")
    both.ours.execute(SELECT).fetchall()
    with closing(proxydb.connect(tmp_path / "ours.db")) as other:
        assert other.execute(SELECT).fetchall() == ROWS


def test_rolled_back_rows_are_not_served(both: Both) -> None:
    """What a transaction read of its own writes is gone after its rollback."""
    both.ours.execute("DELETE FROM t")
    both.ours.execute(SELECT).fetchall()
    both.ours.rollback()
    assert both.ours.execute(SELECT).fetchall() == ROWS


def test_unfinished_cursor_keeps_its_snapshot(both: Both) -> None:
    """A live cursor goes on with its rows while others are served and written."""
    cursor = both.ours.execute("SELECT a, random() IS NULL FROM t ORDER BY a")
    first = cursor.fetchone()
    both.ours.execute(SELECT).fetchall()
    assert [first, *cursor.fetchall()] == [(number, 0) for number in range(1, 6)]


REFUSALS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "authorizer": (lambda c: c.set_authorizer(lambda *_: 0), "an authorizer of the application's own"),
    "trace": (lambda c: c.set_trace_callback(lambda _: None), "a trace callback of the application's own"),
    "progress": (lambda c: c.set_progress_handler(lambda: 0, 1000), "a progress handler of the application's own"),
    "collation": (lambda c: c.create_collation("own", lambda a, b: 0), "a collation of the application's own"),
    "limit": (lambda c: c.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 10**6), "a limit of the application's own"),
    "text factory": (lambda c: setattr(c, "text_factory", bytes), "a text_factory of the application's own"),
    "temporary table": (
        lambda c: c.execute("CREATE TEMP TABLE own (a)"),
        "temporary tables, views or triggers on this connection",
    ),
    "attached database": (lambda c: c.execute("ATTACH ':memory:' AS own"), "attached databases on this connection"),
    "function": (
        lambda c: c.create_function("coalesce", 2, lambda *_: "mine"),
        "a built-in function is replaced on this connection",
    ),
    "open transaction": (lambda c: c.execute("DELETE FROM t WHERE a = 9"), "the transaction has written"),
}


@pytest.mark.parametrize(("call", "reason"), REFUSALS.values(), ids=REFUSALS)
def test_what_keeps_rows_from_being_served(both: Both, call: Callable[[Any], Any], reason: str) -> None:
    """A connection with something of its own going on is served nothing, and the reason is counted."""
    served(both.ours)
    call(both.ours)
    both.ours.execute(SELECT).fetchall()
    assert (2, {reason: 1}) == (both.ours.proxydb.stats().hits, dict(both.ours.proxydb.stats().bypasses))


@pytest.mark.parametrize("name", ["set_authorizer", "set_trace_callback"])
def test_what_was_taken_back(both: Both, name: str) -> None:
    """An authorizer or a trace that was taken back hinders nothing any more."""
    served(both.ours)
    getattr(both.ours, name)(lambda *_: 0)
    getattr(both.ours, name)(None)
    assert served(both.ours).fetchall() == ROWS


def test_trace_sees_the_statement(both: Both) -> None:
    """A trace callback hears each statement as it was written, and nothing of ours among them while it is set."""
    heard: list[str] = []
    served(both.ours)
    both.ours.set_trace_callback(heard.append)
    both.ours.execute(SELECT).fetchall()
    assert heard == [SELECT]


KEYS = {
    "integer and float": (1, 1.0),
    "integer and truth": (1, True),
    "zero and minus zero": (0.0, -0.0),
    "text and bytes": ("1", b"1"),
    "none and zero": (None, 0),
    "number and text": (1, "1"),
}


@pytest.mark.parametrize(("one", "other"), KEYS.values(), ids=KEYS)
def test_equal_parameters_of_other_types(both: Both, one: Any, other: Any) -> None:
    """Parameters that Python takes for equal and SQLite does not are different parameters."""
    sql = "SELECT typeof(?), quote(?) FROM t WHERE a = 1"
    for connection in (both.ours, both.raw):
        for _ in range(3):
            connection.execute(sql, (one, one)).fetchall()
    assert both.raw.execute(sql, (other, other)).fetchall() == both.ours.execute(sql, (other, other)).fetchall()


PARAMETERS: dict[str, Any] = {
    "list": [1],
    "tuple": (1,),
    "dict": {"a": 1},
    "range": range(1, 2),
    "mutable in a list": [bytearray(b"1")],
    "memoryview": (memoryview(b"1"),),
}


@pytest.mark.parametrize("parameters", PARAMETERS.values(), ids=PARAMETERS)
def test_containers_of_parameters(both: Both, parameters: Any) -> None:
    """Parameters may come in every container that the driver takes."""
    sql = "SELECT b FROM t WHERE a = " + (":a" if isinstance(parameters, dict) else "?")
    expected = both.raw.execute(sql, parameters).fetchall()
    assert [expected] * 3 == [both.ours.execute(sql, parameters).fetchall() for _ in range(3)]


def test_changed_parameters(both: Both) -> None:
    """A list of parameters that is changed between two executions is another one."""
    parameters = [1]
    for _ in range(3):
        both.ours.execute("SELECT b FROM t WHERE a = ?", parameters).fetchall()
    parameters[0] = 3
    assert both.ours.execute("SELECT b FROM t WHERE a = ?", parameters).fetchall() == [("three",)]


def test_adapter_registered_later(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    """An adapter of a plain type changes what is read from its registration on."""
    for _ in range(3):
        both.ours.execute("SELECT b FROM t WHERE a = ?", (1,)).fetchall()
    monkeypatch.setitem(sqlite3.adapters, (int, sqlite3.PrepareProtocol), lambda _: 3)  # type: ignore[attr-defined]
    assert both.raw.execute("SELECT b FROM t WHERE a = ?", (1,)).fetchall() == (
        both.ours.execute("SELECT b FROM t WHERE a = ?", (1,)).fetchall()
    )


def test_converter_registered_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A converter changes what is read from its registration on."""
    path = tmp_path / "typed.db"
    with closing(proxydb.connect(path, config=Config(admission=0), detect_types=sqlite3.PARSE_COLNAMES)) as connection:
        connection.executescript("CREATE TABLE t (a); INSERT INTO t VALUES ('x')")
        for _ in range(3):
            connection.execute('SELECT a AS "a [own]" FROM t').fetchall()
        monkeypatch.setitem(sqlite3.converters, "OWN", lambda _: "converted")  # type: ignore[attr-defined]
        assert connection.execute('SELECT a AS "a [own]" FROM t').fetchall() == [("converted",)]


PRAGMAS = {
    "case_sensitive_like": "SELECT a FROM t WHERE b LIKE 'ONE'",
    "reverse_unordered_selects": "SELECT a FROM t",
}


@pytest.mark.parametrize("pragma", PRAGMAS)
def test_settings_that_change_rows(both: Both, pragma: str) -> None:
    """A setting that changes what is read changes what is served."""
    sql = PRAGMAS[pragma]
    for connection in (both.raw, both.ours):
        for _ in range(3):
            connection.execute(sql).fetchall()
        connection.execute(f"PRAGMA {pragma} = 1")
    assert both.raw.execute(sql).fetchall() == both.ours.execute(sql).fetchall()


def test_column_names_follow_settings(both: Both) -> None:
    """A setting that changes column names changes those of served rows."""
    sql = "SELECT a FROM t"
    for connection in (both.raw, both.ours):
        for _ in range(3):
            connection.execute(sql).fetchall()
        connection.execute("PRAGMA full_column_names = 1")
        connection.execute("PRAGMA short_column_names = 0")
        connection.execute(sql).fetchall()
    assert both.raw.execute(sql).description == both.ours.execute(sql).description
