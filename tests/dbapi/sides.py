"""The raw driver beside the proxied one: cursors that have executed the same read, live and served."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from proxydb.dbapi.served import Served

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    Fact = Callable[[Any, Any], Any]

SELECT = "SELECT a, b FROM t ORDER BY a"
ROWS = [(1, "one"), (2, None), (3, "three"), (4, "four"), (5, b"five")]


class Both:
    """A raw connection and a proxied one, to databases of the same content."""

    def __init__(self, raw: Any, ours: Any) -> None:
        self.raw = raw
        self.ours = ours

    def compare(self, fact: Fact) -> None:
        """`fact`, of a connection and a cursor that has executed, is the same raw, filled, served, and served again."""
        expected = outcome(fact, self.raw, self.raw.cursor().execute(SELECT))
        self.raw.row_factory = None
        for state, executions in (("filled", 1), ("served", 1), ("served again", 3)):
            cursor = self.ours.cursor()
            for _ in range(executions):
                cursor.execute(SELECT)
            assert isinstance(cursor, Served), state
            actual = outcome(fact, self.ours, cursor)
            assert expected == actual, f"{state}\nraw: {expected!r}\nproxied: {actual!r}"
            self.ours.row_factory = None


def facts(table: Mapping[str, Any], unequal: Mapping[str, str] | None = None) -> list[Any]:
    """The table's facts as parameters of a test, those that are known to be `unequal` marked with the reason."""
    marks = {name: pytest.mark.xfail(strict=True, reason=reason) for name, reason in (unequal or {}).items()}
    return [pytest.param(fact, id=name, marks=marks.get(name, ())) for name, fact in table.items()]


def made(path: Path) -> Path:
    """A database with five rows."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE t (a INTEGER PRIMARY KEY, b)")
        connection.executemany("INSERT INTO t VALUES (?, ?)", ROWS)
        connection.commit()
    return path


def outcome(fact: Fact, connection: Any, cursor: Any) -> Any:
    """What the fact is, plain enough to be compared; an exception is a fact, too."""
    try:
        return plain(fact(connection, cursor))
    except Exception as error:
        return type(error), str(error)


def plain(value: Any) -> Any:
    """The value, with the types of what it is made of."""
    if isinstance(value, sqlite3.Row):
        return "Row", tuple(value), value.keys()
    if isinstance(value, (list, tuple)):
        return type(value).__name__, [plain(one) for one in value]
    return value


def refused(call: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """The exception that a call raises, as a value."""
    try:
        return "not refused", call(*arguments, **named)
    except Exception as error:
        return type(error), str(error)


def served(connection: Any, kind: Any = None) -> Any:
    """A cursor that gives rows from memory."""
    for _ in range(3):
        cursor = connection.cursor(kind) if kind else connection.cursor()
        cursor.execute(SELECT)
    assert isinstance(cursor, Served)
    return cursor
