"""A reader: a thread with proxied connections of its own that holds what it reads against the floor."""

from __future__ import annotations

import random
import threading
from itertools import count
from typing import TYPE_CHECKING, Any

import proxydb
from proxydb import aio
from tests.driven import Loop

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.freshness.floor.board import Board
    from tests.freshness.floor.places import Place

CONFIG = proxydb.Config(admission=0, slow_ms=0)
QUESTIONS = (
    "SELECT sum(x) FROM {} WHERE grp = ?",
    "SELECT total FROM ledger WHERE grp = ?",
    "SELECT total, (SELECT sum(x) FROM {} i WHERE i.grp = l.grp) FROM ledger l WHERE l.grp = ?",
)


class Reader(threading.Thread):
    """Reads until it is told to stop: alone, in explicit transactions and in implicit ones, in turns.

    Parameters
    ----------
    place, board
        What is read, and where the writers tell what they have committed.
    number
        Its own.
    awaited
        Whether its connections are asynchronous ones, driven in an event loop of its own.
    """

    def __init__(self, place: Place, board: Board, number: int, *, awaited: bool = False) -> None:
        super().__init__(name=f"reader {number}", daemon=True)
        self._loop = Loop() if awaited else None
        self._place = place
        self._board = board
        self._random = random.Random(1000 + number)
        self.reads = 0
        self.violations: list[str] = []
        self.error: BaseException | None = None
        self.stopping = False

    def run(self) -> None:
        try:
            self._read()
        except BaseException as error:
            self.error = error

    def _read(self) -> None:
        plain, implicit = (connect(self._place, implicit=implicit, loop=self._loop) for implicit in (False, True))
        ways: list[Callable[[], None]] = [
            lambda: self._alone(plain),
            lambda: self._in_transaction(plain, _begin_explicitly(self._place), "ROLLBACK"),
            lambda: self._in_transaction(implicit, _begin_implicitly(self._place), None),
        ]
        for turn in count():
            if self.stopping:
                break
            ways[turn % 8 % 3]()
        plain.close()
        implicit.close()
        if self._loop is not None:
            self._loop.close()

    def _alone(self, connection: Any) -> None:
        """One read outside transactions."""
        group = self._random.choice(self._place.groups)
        self._held(connection, self._random.choice(QUESTIONS), group)

    def _in_transaction(self, connection: Any, begin: str | None, end: str | None) -> None:
        """Two reads in one transaction; with a snapshot they agree."""
        group = self._random.choice(self._place.groups)
        if begin:
            connection.execute(begin)
        first = self._held(connection, self._random.choice(QUESTIONS), group)
        at_least = first if self._place.has_snapshots else self._board.floor(group)
        second = self._ask(connection, self._random.choice(QUESTIONS), group)
        self._judge("second read", second, at_least, first if self._place.has_snapshots else self._board.ceiling(group))
        connection.execute(end) if end else connection.rollback()

    def _held(self, connection: Any, question: str, group: int) -> int:
        """Read one group, and hold it against the floor before and the ceiling after."""
        floor = self._board.floor(group)
        values = self._ask(connection, question, group)
        self._judge(question, values, floor, self._board.ceiling(group))
        return int(values[0])

    def _ask(self, connection: Any, question: str, group: int) -> tuple[Any, ...]:
        sql = self._place.sql(question.format(self._place.table(group)))
        ((*values,),) = connection.execute(sql, (group,)).fetchall()
        self.reads += 1
        return tuple(map(int, values))

    def _judge(self, question: str, values: tuple[Any, ...], floor: int, ceiling: int) -> None:
        if not (floor <= min(values) and max(values) <= ceiling and len(set(values)) == 1):
            self.violations.append(f"{self.name}: {question}: read {values}, floor {floor}, ceiling {ceiling}")


def connect(place: Place, *, implicit: bool, loop: Loop | None = None) -> Any:
    """A proxied connection; an implicit one leaves transactions to the driver."""
    if place.is_sqlite:
        options: dict[str, Any] = {"timeout": 60, "isolation_level": "" if implicit else None}
    else:
        options = {"autocommit": not implicit}
    if loop is None:
        connection = proxydb.connect(place.target, config=CONFIG, **options)
    else:
        connection = loop.run(aio.connect(place.target, config=CONFIG, **options))
    if implicit and not place.is_sqlite:
        from psycopg import IsolationLevel

        connection.isolation_level = IsolationLevel[place.isolation.replace(" ", "_")]
    return connection


def _begin_explicitly(place: Place) -> str:
    return "BEGIN" if place.is_sqlite else f"BEGIN ISOLATION LEVEL {place.isolation}"


def _begin_implicitly(place: Place) -> str | None:
    """The sqlite3 module opens transactions for writes only; psycopg for everything."""
    return "BEGIN" if place.is_sqlite else None
