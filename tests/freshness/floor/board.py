"""Numbers that processes share: for each group of rows, what its writer is about to commit and what was acknowledged.

Each number has one writer and is an aligned 64-bit word of a mapped file, so it is read whole, and what was written
before the database acknowledged a commit is there for every read that begins after.
"""

from __future__ import annotations

import mmap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

GROUPS = 64
_READS = 1 + 3 * GROUPS
_SIZE = 8 * (_READS + 1)


class Board:
    """The numbers of up to `GROUPS` groups, whether the writers are to stop, and how many reads were made.

    Parameters
    ----------
    path
        The file; made when it is not there.
    """

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(bytes(_SIZE))
        with path.open("r+b") as file:
            self._words = memoryview(mmap.mmap(file.fileno(), _SIZE)).cast("q")

    @property
    def stopped(self) -> bool:
        """Whether the writers are to stop."""
        return bool(self._words[0])

    def stop(self) -> None:
        """Let the writers stop."""
        self._words[0] = 1

    def intend(self, group: int, value: int) -> None:
        """The writer of `group` is about to commit `value`: from now on it may be read."""
        self._words[1 + 3 * group] = value

    def acknowledge(self, group: int, value: int) -> None:
        """The database has acknowledged the commit: from now on nothing less may be read."""
        self._words[2 + 3 * group] = value
        self._words[3 + 3 * group] += 1

    def ceiling(self, group: int) -> int:
        """The most that a read which ended before this call may have seen."""
        return self._words[1 + 3 * group]

    def floor(self, group: int) -> int:
        """The least that a read which begins after this call must see."""
        return self._words[2 + 3 * group]

    def tell_reads(self, reads: int) -> None:
        """So many reads have been made."""
        self._words[_READS] = reads

    @property
    def reads(self) -> int:
        """How many reads were made, when it was last told."""
        return self._words[_READS]

    @property
    def commits(self) -> int:
        """How many commits were acknowledged."""
        return sum(self._words[3 + 3 * group] for group in range(GROUPS))
