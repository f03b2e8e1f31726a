"""A writer of one group: a program of its own that never imports proxydb, or a thread with a connection that is given.

Every commit adds the same amount to one row of the group and to its ledger; a fifth of the transactions is rolled back,
others take back a part, and each waits a while before it commits.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.freshness.floor.board import Board
from tests.freshness.floor.places import ROWS, Place

ROLLED_BACK = 0.2
TAKEN_BACK = 0.2
READS_BETWEEN = 60
"""Reads that are made before the next transaction, on however slow a machine: else there would be nothing to keep."""


class Writer:
    """Writes one group for as long as the board says.

    Parameters
    ----------
    place, connection, board, group
        Where it writes, through what, and where it tells so.
    pause
        Mean seconds between two transactions at the least, and ten times the mean wait before a commit.
    """

    def __init__(self, place: Place, connection: Any, board: Board, group: int, pause: float) -> None:
        self._place = place
        self._connection = connection
        self._board = board
        self._group = group
        self._pause = pause
        self._random = random.Random(group)
        self._value = self._enough = 0

    def run(self) -> None:
        """Write until the board says stop, or the program that started this one is gone."""
        parent = os.getppid()
        while not self._board.stopped and os.getppid() == parent:
            if self._board.reads >= self._enough:
                self._enough = self._board.reads + READS_BETWEEN
                self._transact(self._random.randint(1, 3))
            self._wait(self._pause)

    def _transact(self, amount: int) -> None:
        self._place.begin(self._connection)
        self._add(amount)
        if self._random.random() < TAKEN_BACK:
            self._add_and_take_back()
        self._wait(self._pause / 10)
        if self._random.random() < ROLLED_BACK:
            self._connection.rollback()
        else:
            self._commit(self._value + amount)

    def _commit(self, value: int) -> None:
        self._board.intend(self._group, value)
        self._connection.commit()
        self._board.acknowledge(self._group, value)
        self._value = value

    def _add(self, amount: int) -> None:
        row = self._group * ROWS + self._random.randrange(ROWS)
        table = self._place.table(self._group)
        self._execute(f"UPDATE {table} SET x = x + ? WHERE id = ?", (amount, row))
        self._execute("UPDATE ledger SET total = total + ? WHERE grp = ?", (amount, self._group))

    def _add_and_take_back(self) -> None:
        self._execute("SAVEPOINT part", ())
        self._add(1_000_000)
        self._execute("ROLLBACK TO SAVEPOINT part", ())

    def _execute(self, sql: str, parameters: tuple[Any, ...]) -> None:
        self._connection.cursor().execute(self._place.sql(sql), parameters)

    def _wait(self, mean: float) -> None:
        time.sleep(self._random.expovariate(1 / mean))


def main() -> None:
    """Write as the JSON in the first argument says."""
    order = json.loads(sys.argv[1])
    place = Place(**order["place"])
    with closing(place.connect()) as connection:
        Writer(place, connection, Board(Path(order["board"])), order["group"], order["pause"]).run()
    assert "proxydb" not in sys.modules


if __name__ == "__main__":
    main()
