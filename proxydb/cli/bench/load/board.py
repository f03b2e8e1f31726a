"""Numbers that the processes of a load test share: what is going on, and for each table what was committed.

Each number has one writer and is an aligned 64-bit word of a mapped file, so it is read whole; what was written before
a commit was acknowledged is there for every read that begins after it.
"""

from __future__ import annotations

import mmap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

WAITING, STOPPED = -1, -2
"""Values of `Board.slot` beside the numbers of slots."""


class Board:
    """The numbers.

    Parameters
    ----------
    path
        The file; made when it is not there.
    writers, tables
        How many writers there are, and tables.
    """

    def __init__(self, path: Path, writers: int, tables: int) -> None:
        self._writers = writers
        self._tables = tables
        words = 1 + 2 * writers * tables
        if not path.exists():
            path.write_bytes(bytes(8 * words))
        with path.open("r+b") as file:
            self._words = memoryview(mmap.mmap(file.fileno(), 8 * words)).cast("q")

    @property
    def slot(self) -> int:
        """The slot that is going on, or `WAITING` or `STOPPED`."""
        return self._words[0]

    @slot.setter
    def slot(self, number: int) -> None:
        self._words[0] = number

    def intend(self, writer: int, table: int, version: int) -> None:
        """A writer is about to commit a version: from now on it may be read."""
        self._words[self._place(writer, table)] = version

    def acknowledge(self, writer: int, table: int, version: int) -> None:
        """The database has acknowledged the commit: from now on no older version may be read as the newest."""
        self._words[self._place(writer, table) + 1] = version

    def ceiling(self, table: int) -> int:
        """The newest version that a read which ended before this call may have seen."""
        return max(self._words[self._place(writer, table)] for writer in range(self._writers))

    def floor(self, table: int) -> int:
        """The version that a read which begins after this call must see, or a newer one."""
        return max(self._words[self._place(writer, table) + 1] for writer in range(self._writers))

    def begin(self, table: int, version: int) -> None:
        """Say at which version a table is before anybody writes."""
        self.intend(0, table, version)
        self.acknowledge(0, table, version)

    def _place(self, writer: int, table: int) -> int:
        return 1 + 2 * (writer * self._tables + table)
