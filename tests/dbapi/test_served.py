"""A served cursor has the driver's own attributes, ends as the driver's own cursor does, and keeps to its thread."""

from __future__ import annotations

import copy
import sqlite3
import sys
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

import proxydb
from proxydb.config import Config
from tests.dbapi.sides import SELECT, facts, made, outcome, refused

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.dbapi.sides import Both, Fact

ATTRIBUTES: dict[str, Fact] = {
    "description": lambda _, cursor: cursor.description,
    "description at the end": lambda _, cursor: [cursor.fetchall(), cursor.description],
    "rowcount": lambda _, cursor: [cursor.rowcount, cursor.fetchall(), cursor.rowcount],
    "lastrowid": lambda _, cursor: cursor.lastrowid,
    "lastrowid after an insert": lambda _, cursor: [
        cursor.execute("INSERT INTO t VALUES (9, 9)").lastrowid,
        cursor.execute(SELECT).lastrowid,
        cursor.fetchall(),
        cursor.connection.rollback(),
    ],
    "arraysize": lambda _, cursor: cursor.arraysize,
    "row_factory": lambda _, cursor: cursor.row_factory,
    "connection": lambda connection, cursor: cursor.connection is connection,
    "total_changes": lambda connection, _: connection.total_changes,
    "in_transaction": lambda connection, _: connection.in_transaction,
    "execute returns itself": lambda _, cursor: cursor.execute(SELECT) is cursor,
    "unknown attribute": lambda _, cursor: refused(getattr, cursor, "unknown")[0],
    "setinputsizes": lambda _, cursor: cursor.setinputsizes([1]),
    "setoutputsize": lambda _, cursor: cursor.setoutputsize(1),
    "read-only description": lambda _, cursor: refused(setattr, cursor, "description", ())[0],
    "arraysize of no number": lambda _, cursor: refused(setattr, cursor, "arraysize", "x")[0],
    "hash": lambda _, cursor: isinstance(hash(cursor), int),
    "equality": lambda connection, cursor: [cursor == connection.cursor(), cursor == 5],
    "truth": lambda _, cursor: bool(cursor),
    "type name": lambda _, cursor: (type(cursor).__name__, isinstance(cursor, sqlite3.Cursor)),
}
ENDS: dict[str, Fact] = {
    "close": lambda _, cursor: cursor.close(),
    "close twice": lambda _, cursor: [cursor.close(), cursor.close()],
    "close, fetchone": lambda _, cursor: [cursor.close(), refused(cursor.fetchone)],
    "close, fetchmany": lambda _, cursor: [cursor.close(), refused(cursor.fetchmany)],
    "close, fetchall": lambda _, cursor: [cursor.close(), refused(cursor.fetchall)],
    "close, next": lambda _, cursor: [cursor.close(), refused(next, cursor)],
    "close, iter": lambda _, cursor: [cursor.close(), refused(list, cursor)],
    "close, execute": lambda _, cursor: [cursor.close(), refused(cursor.execute, SELECT)],
    "close, executemany": lambda _, cursor: [cursor.close(), refused(cursor.executemany, SELECT, [()])],
    "close, description": lambda _, cursor: [cursor.close(), cursor.description],
    "execute again": lambda _, cursor: [cursor.fetchone(), cursor.execute(SELECT).fetchall()],
    "execute something else": lambda _, cursor: [cursor.fetchone(), cursor.execute("SELECT 5").fetchall()],
    "execute what fails": lambda _, cursor: [refused(cursor.execute, "SELECT missing"), refused(cursor.fetchall)],
    "execute of no text": lambda _, cursor: [refused(cursor.execute, 5), refused(cursor.fetchall)],
    "execute with bad parameters": lambda _, cursor: [
        refused(cursor.execute, SELECT, (1,)),
        refused(cursor.fetchall),
    ],
    "executemany": lambda _, cursor: [
        cursor.executemany("UPDATE t SET b = b WHERE a = ?", [(1,), (2,)]).rowcount,
        cursor.fetchall(),
        cursor.connection.rollback(),
    ],
    "executemany of a read": lambda _, cursor: [refused(cursor.executemany, SELECT, [()]), cursor.fetchall()],
    "executescript": lambda _, cursor: [cursor.executescript("SELECT 1") is cursor, cursor.fetchall()],
    "commit": lambda connection, cursor: [cursor.fetchone(), connection.commit(), cursor.fetchall()],
    "rollback": lambda connection, cursor: [cursor.fetchone(), connection.rollback(), cursor.fetchall()],
    "drop a table, half read": lambda connection, cursor: [
        cursor.fetchone(),
        refused(connection.execute, "DROP TABLE t"),
        cursor.fetchall(),
    ],
    "drop a table by a script, half read": lambda connection, cursor: [
        cursor.fetchone(),
        refused(connection.executescript, "DROP TABLE t"),
        cursor.fetchall(),
    ],
    "drop a table by the cursor itself": lambda connection, cursor: [
        connection.execute("CREATE TABLE other (a)").rowcount,
        cursor.execute("SELECT a FROM t").fetchone(),
        cursor.execute("DROP TABLE other").rowcount,
    ],
    "vacuum, half read": lambda connection, cursor: [
        cursor.fetchone(),
        refused(connection.execute, "VACUUM"),
        cursor.fetchall(),
    ],
    "drop a table, read": lambda connection, cursor: [
        cursor.fetchall(),
        connection.execute("CREATE TABLE other (a)").rowcount,
        connection.execute("DROP TABLE other").rowcount,
    ],
    "write beside": lambda connection, cursor: [
        cursor.fetchall(),
        connection.execute("UPDATE t SET b = b").rowcount,
        connection.rollback(),
    ],
    "init again": lambda connection, cursor: [cursor.__init__(connection), refused(cursor.fetchall)],
    "copy": lambda _, cursor: refused(copy.copy, cursor)[0],
    "deepcopy": lambda _, cursor: refused(copy.deepcopy, cursor)[0],
}
AT_THE_END: dict[str, Fact] = {
    "fetchone": lambda connection, cursor: [connection.close(), refused(cursor.fetchone)],
    "fetchmany": lambda connection, cursor: [connection.close(), refused(cursor.fetchmany)],
    "fetchall": lambda connection, cursor: [connection.close(), refused(cursor.fetchall)],
    "next": lambda connection, cursor: [connection.close(), refused(next, cursor)],
    "list": lambda connection, cursor: [connection.close(), refused(list, cursor)],
    "execute": lambda connection, cursor: [connection.close(), refused(cursor.execute, SELECT)],
    "executemany": lambda connection, cursor: [connection.close(), refused(cursor.executemany, SELECT, [])],
    "close": lambda connection, cursor: [connection.close(), refused(cursor.close)],
    "description": lambda connection, cursor: [connection.close(), cursor.description],
    "rowcount": lambda connection, cursor: [connection.close(), cursor.rowcount],
    "lastrowid": lambda connection, cursor: [connection.close(), cursor.lastrowid],
}


# From Python 3.12 on the driver lets the rows go when a foreign thread is refused.
KEPT = dict.fromkeys(("execute", "executemany") if sys.version_info >= (3, 12) else (), "the rows stay")


@pytest.mark.parametrize("fact", facts(ATTRIBUTES))
def test_attributes(both: Both, fact: Fact) -> None:
    """Every attribute has the same value."""
    both.compare(fact)


@pytest.mark.parametrize("fact", facts(ENDS))
def test_what_comes_after(both: Both, fact: Fact) -> None:
    """What ends a result ends it in the same way."""
    both.compare(fact)


@pytest.mark.parametrize("fact", facts(AT_THE_END))
@pytest.mark.parametrize("runs", [0, 1, 2])
def test_closed_connection(both: Both, fact: Fact, runs: int) -> None:
    """A cursor of a closed connection gives nothing more, whether it was filled or served."""
    for _ in range(runs):
        both.ours.execute(SELECT).fetchall()
    expected = outcome(fact, both.raw, both.raw.execute(SELECT))
    assert expected == outcome(fact, both.ours, both.ours.execute(SELECT))


def test_lastrowid_after_the_insert_of_another_cursor(both: Both) -> None:
    """A cursor that is served again shows the row that the connection has inserted meanwhile, as the driver's does."""

    def read_again(connection: Any) -> Any:
        connection.execute("CREATE TABLE u (a INTEGER PRIMARY KEY)")
        connection.commit()
        cursor = connection.cursor()
        for _ in range(4):
            cursor.execute(SELECT).fetchall()
        connection.execute("INSERT INTO u VALUES (77)")
        connection.commit()
        return cursor.execute(SELECT).lastrowid

    assert read_again(both.raw) == read_again(both.ours) == 77
    assert both.ours.proxydb.stats().hits >= 3


IN_A_THREAD: dict[str, Callable[[Any], Any]] = {
    "fetchone": lambda cursor: cursor.fetchone(),
    "fetchmany": lambda cursor: cursor.fetchmany(2),
    "fetchall": lambda cursor: cursor.fetchall(),
    "next": next,
    "list": list,
    "execute": lambda cursor: cursor.execute(SELECT),
    "executemany": lambda cursor: cursor.executemany(SELECT, []),
    "executescript": lambda cursor: cursor.executescript(""),
    "close": lambda cursor: cursor.close(),
    "description": lambda cursor: cursor.description,
}


@pytest.mark.parametrize("call", facts(IN_A_THREAD, KEPT))
def test_other_thread(both: Both, call: Callable[[Any], Any]) -> None:
    """In a foreign thread a cursor is refused, and stays as it was for its own."""
    both.compare(lambda _, cursor: [_without_numbers(_in_thread(call, cursor)), cursor.fetchall()])


def _in_thread(call: Callable[[Any], Any], cursor: Any) -> Any:
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(refused(call, cursor)))
    thread.start()
    thread.join()
    return results[0]


def _without_numbers(outcome: Any) -> Any:
    """Without the numbers of the threads, which the message names."""
    return [str(part).rstrip("0123456789.").split(" id ")[0] for part in outcome]


@pytest.mark.parametrize("call", IN_A_THREAD.values(), ids=IN_A_THREAD)
def test_other_thread_where_it_is_allowed(tmp_path: Path, call: Callable[[Any], Any]) -> None:
    """With ``check_same_thread=False`` a cursor may be used in any thread."""
    raw, ours = made(tmp_path / "raw.db"), made(tmp_path / "ours.db")
    with closing(sqlite3.connect(raw, check_same_thread=False)) as raw_connection:
        expected = _in_thread(call, raw_connection.execute(SELECT))
    with closing(proxydb.connect(ours, config=Config(admission=0), check_same_thread=False)) as connection:
        connection.execute(SELECT).fetchall()
        actual = _in_thread(call, connection.execute(SELECT))
    assert _without_cursors(expected) == _without_cursors(actual)


def _without_cursors(result: tuple[Any, Any]) -> tuple[Any, Any]:
    """A cursor as the word for one."""
    return result[0], "cursor" if isinstance(result[1], sqlite3.Cursor) else result[1]
