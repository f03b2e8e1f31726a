"""An application's own cursor class stays what it is while its cursors are served."""

from __future__ import annotations

import gc
import sqlite3
import weakref
from typing import TYPE_CHECKING, Any

import pytest

import proxydb.sqlite3
from tests.dbapi.sides import SELECT, facts, served

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.dbapi.sides import Both


class _Counting(sqlite3.Cursor):
    """An application's own cursor that counts what it overrides."""

    counts: dict[str, int]

    def _count(self, name: str) -> None:
        self.__dict__.setdefault("counts", {})
        self.counts[name] = self.counts.get(name, 0) + 1

    def execute(self, *arguments: Any) -> Any:
        self._count("execute")
        return super().execute(*arguments)

    def fetchone(self) -> Any:
        self._count("fetchone")
        return super().fetchone()

    def fetchmany(self, *arguments: Any) -> Any:
        self._count("fetchmany")
        return super().fetchmany(*arguments)

    def fetchall(self) -> Any:
        self._count("fetchall")
        return super().fetchall()

    def __next__(self) -> Any:
        self._count("next")
        return super().__next__()

    def close(self) -> None:
        self._count("close")
        super().close()


OVERRIDDEN: dict[str, Callable[[Any], Any]] = {
    "execute": lambda cursor: cursor.execute(SELECT).counts,
    "fetchone": lambda cursor: [cursor.fetchone(), cursor.counts],
    "fetchmany": lambda cursor: [cursor.fetchmany(2), cursor.counts],
    "fetchall": lambda cursor: [cursor.fetchall(), cursor.counts],
    "iteration": lambda cursor: [list(cursor), cursor.counts],
    "next": lambda cursor: [next(cursor), cursor.counts],
    "close": lambda cursor: [cursor.close(), cursor.counts],
    "everything": lambda cursor: [
        cursor.fetchone(),
        next(cursor),
        cursor.fetchmany(1),
        cursor.fetchall(),
        cursor.counts,
    ],
}


@pytest.mark.parametrize("call", facts(OVERRIDDEN))
def test_overridden_methods_run_once(both: Both, call: Callable[[Any], Any]) -> None:
    """What an application overrides in a cursor of its own runs once for each call, served or not."""
    expected = call(both.raw.cursor(_Counting).execute(SELECT))
    for _ in range(3):
        cursor = both.ours.cursor(_Counting)
        cursor.execute(SELECT)
        assert expected == call(cursor)


def test_own_class_keeps_its_name(both: Both) -> None:
    """A served cursor of an application's own class shows that class's name and module."""
    kind = type(served(both.ours, _Counting))
    assert (_Counting.__name__, _Counting.__qualname__, _Counting.__module__) == (
        kind.__name__,
        kind.__qualname__,
        kind.__module__,
    )


def test_own_class_is_an_instance(both: Both) -> None:
    """A served cursor of an application's own class is one of that class."""
    assert isinstance(served(both.ours, _Counting), _Counting)


def test_own_attributes_stay(both: Both) -> None:
    """What an application puts on its cursor stays there when it is served and when it is not."""
    cursor = both.ours.cursor(_Counting)
    cursor.mark = "mine"
    for sql in (SELECT, SELECT, SELECT, "SELECT 1", SELECT):
        cursor.execute(sql).fetchall()
    assert cursor.mark == "mine"


def test_isinstance(both: Both) -> None:
    """A served cursor is a `sqlite3.Cursor` and a `proxydb.sqlite3.Cursor`."""
    assert isinstance(served(both.ours), (sqlite3.Cursor)) and isinstance(served(both.ours), proxydb.sqlite3.Cursor)


def test_repr(both: Both) -> None:
    """The repr of a cursor does not tell whether it is served."""
    live = both.ours.cursor()
    assert repr(live).split(" at ")[0] == repr(served(both.ours)).split(" at ")[0]


def test_weak_reference(both: Both) -> None:
    """A served cursor can be referred to weakly, and goes when nobody holds it."""
    cursor = served(both.ours)
    reference = weakref.ref(cursor)
    del cursor
    gc.collect()
    assert reference() is None


def test_live_again(both: Both) -> None:
    """A cursor that executes something else has the driver's own methods again."""
    cursor = served(both.ours)
    cursor.execute("SELECT 1")
    assert type(cursor) is proxydb.sqlite3.Cursor
