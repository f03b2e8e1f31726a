"""A served cursor gives its rows as the driver's own cursor does, fetch by fetch."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

import proxydb
from proxydb.config import Config
from tests.dbapi.sides import ROWS, SELECT, facts, made, refused, served

if TYPE_CHECKING:
    from pathlib import Path

    from tests.dbapi.sides import Both, Fact


def _with(cursor: Any, **attributes: Any) -> Any:
    for name, value in attributes.items():
        setattr(cursor, name, value)
    return cursor


def _as_dict(cursor: Any, row: Any) -> dict[str, Any]:
    return {column[0]: value for column, value in zip(cursor.description, row, strict=True)}


def _failing(_cursor: Any, row: Any) -> Any:
    if row[0] == 3:
        raise ZeroDivisionError("the third row")
    return row


FETCHES: dict[str, Fact] = {
    "fetchone": lambda _, cursor: [cursor.fetchone() for _ in range(7)],
    "fetchmany": lambda _, cursor: [cursor.fetchmany() for _ in range(7)],
    "fetchmany by arraysize": lambda _, cursor: [_with(cursor, arraysize=2).fetchmany() for _ in range(4)],
    "fetchmany of 2": lambda _, cursor: [cursor.fetchmany(2) for _ in range(4)],
    "fetchmany by name": lambda _, cursor: [cursor.fetchmany(size=3) for _ in range(3)],
    "fetchmany of 0": lambda _, cursor: [cursor.fetchmany(0), cursor.fetchall()],
    "fetchmany of -1": lambda _, cursor: [cursor.fetchmany(-1), cursor.fetchall()],
    "fetchmany of many": lambda _, cursor: cursor.fetchmany(1000),
    "fetchmany of True": lambda _, cursor: cursor.fetchmany(True),
    "fetchmany of a float": lambda _, cursor: cursor.fetchmany(2.0),
    "fetchmany of None": lambda _, cursor: cursor.fetchmany(None),
    "fetchmany of a text": lambda _, cursor: cursor.fetchmany("2"),
    "fetchmany of too much": lambda _, cursor: cursor.fetchmany(2**70),
    "fetchmany of two": lambda _, cursor: refused(cursor.fetchmany, 1, 2)[0],
    "fetchmany of another name": lambda _, cursor: refused(cursor.fetchmany, rows=2)[0],
    "fetchall": lambda _, cursor: [cursor.fetchall(), cursor.fetchall()],
    "fetchall of something": lambda _, cursor: refused(cursor.fetchall, 1)[0],
    "fetchone of something": lambda _, cursor: refused(cursor.fetchone, 1)[0],
    "iteration": lambda _, cursor: [list(cursor), list(cursor)],
    "next": lambda _, cursor: [next(cursor), next(cursor, None), cursor.__next__()],
    "next at the end": lambda _, cursor: [cursor.fetchall(), refused(next, cursor)],
    "iter is the cursor": lambda _, cursor: iter(cursor) is cursor,
    "unpacking": lambda _, cursor: [*cursor],
    "one, many, all": lambda _, cursor: [cursor.fetchone(), cursor.fetchmany(2), cursor.fetchall(), cursor.fetchone()],
    "iteration, then all": lambda _, cursor: [next(iter(cursor)), cursor.fetchall()],
    "iteration twice": lambda _, cursor: [next(iter(cursor)), next(iter(cursor)), *cursor],
    "all, then many": lambda _, cursor: [cursor.fetchall(), cursor.fetchmany(2), cursor.fetchone()],
    "loop with a break": lambda _, cursor: [next(row for row in cursor if row[0] == 3), cursor.fetchone()],
}
FACTORIES: dict[str, Fact] = {
    "Row": lambda _, cursor: _with(cursor, row_factory=sqlite3.Row).fetchall(),
    "Row one by one": lambda _, cursor: [*_with(cursor, row_factory=sqlite3.Row)],
    "Row of many": lambda _, cursor: _with(cursor, row_factory=sqlite3.Row).fetchmany(2),
    "dict": lambda _, cursor: _with(cursor, row_factory=_as_dict).fetchall(),
    "dict, fetchone": lambda _, cursor: _with(cursor, row_factory=_as_dict).fetchone(),
    "changed between rows": lambda _, cursor: [
        cursor.fetchone(),
        _with(cursor, row_factory=sqlite3.Row).fetchone(),
        _with(cursor, row_factory=None).fetchone(),
        _with(cursor, row_factory=_as_dict).fetchall(),
    ],
    "failing, fetchall": lambda _, cursor: [
        refused(_with(cursor, row_factory=_failing).fetchall),
        _with(cursor, row_factory=None).fetchall(),
    ],
    "failing, one by one": lambda _, cursor: [
        *(refused(_with(cursor, row_factory=_failing).fetchone) for _ in range(4)),
        cursor.fetchall(),
    ],
    "failing, fetchmany": lambda _, cursor: [
        refused(_with(cursor, row_factory=_failing).fetchmany, 4),
        _with(cursor, row_factory=None).fetchall(),
    ],
    "not callable": lambda _, cursor: refused(_with(cursor, row_factory=5).fetchone),
    "of the connection": lambda connection, _: [
        _with(connection, row_factory=sqlite3.Row).execute(SELECT).fetchone(),
        connection.cursor().row_factory,
    ],
    "of the connection, too late": lambda connection, cursor: [
        _with(connection, row_factory=sqlite3.Row).total_changes,
        cursor.fetchone(),
    ],
    "a list": lambda _, cursor: _with(cursor, row_factory=lambda _, row: list(row)).fetchall(),
    "sees the cursor": lambda _, cursor: _with(cursor, row_factory=lambda given, _: given is cursor).fetchall(),
}


@pytest.mark.parametrize("fact", facts(FETCHES))
def test_fetches(both: Both, fact: Fact) -> None:
    """Every way to fetch gives the same rows in the same portions."""
    both.compare(fact)


@pytest.mark.parametrize("fact", facts(FACTORIES))
def test_row_factories(both: Both, fact: Fact) -> None:
    """A row factory is asked for each row at the time when it is fetched."""
    both.compare(fact)


def test_rows_are_the_callers(both: Both) -> None:
    """A list of rows that was fetched may be changed; the next one is as it was."""
    rows = served(both.ours).fetchall()
    rows.clear()
    assert served(both.ours).fetchall() == ROWS


def test_two_cursors_at_once(both: Both) -> None:
    """Two cursors that are served from the same rows do not move each other."""
    one, other = served(both.ours), served(both.ours)
    assert [one.fetchone(), other.fetchone(), one.fetchone()] == [ROWS[0], ROWS[0], ROWS[1]]


@pytest.mark.parametrize(
    "sql", ["SELECT a AS A FROM t", "SELECT a AS a FROM t", 'SELECT a AS "A ""B""" FROM t', "SELECT a+1 FROM t"]
)
def test_description_is_that_of_the_text(both: Both, sql: str) -> None:
    """Texts that differ in the case of a name share rows, and each has its own column names."""
    for other in ("SELECT a AS a FROM t", "SELECT a  AS  A FROM t", sql):
        both.ours.execute(other).fetchall()
    assert both.raw.execute(sql).description == both.ours.execute(sql).description


def test_large_result(tmp_path: Path) -> None:
    """A result that is too large to be kept is given whole, one by one and in portions."""
    path = made(tmp_path / "large.db")
    with closing(sqlite3.connect(path)) as beside:
        beside.executemany("INSERT INTO t VALUES (?, ?)", [(number, "x" * 50) for number in range(10, 5000)])
        beside.commit()
        expected = beside.execute(SELECT).fetchall()
    with closing(proxydb.connect(path, config=Config(admission=0, cache_entry_bytes=10_000))) as connection:
        cursor = connection.execute(SELECT)
        rows = [cursor.fetchone(), *cursor.fetchmany(1500), *(next(cursor) for _ in range(10)), *cursor.fetchall()]
        assert (rows == expected, connection.proxydb.stats().fills) == (True, 0)


def test_error_between_rows(both: Both) -> None:
    """An error that the driver meets at the third row comes at the third row."""
    sql = "SELECT a, abs(CASE a WHEN 3 THEN -9223372036854775808 ELSE a END) FROM t"

    def rows_and_error(connection: Any) -> list[Any]:
        cursor = connection.execute(sql)
        return [refused(cursor.fetchone) for _ in range(4)]

    assert [rows_and_error(both.raw)] * 3 == [rows_and_error(both.ours) for _ in range(3)]
