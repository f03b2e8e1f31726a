"""What clients ask for, how often, and of which tables: the mix, the skew and the phases."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING, Any, NamedTuple

from proxydb.lake import OPERATIONS

if TYPE_CHECKING:
    from random import Random

    from proxydb.lake import ParameterRanges

READS = {
    "01": 14,
    "03": 8,
    "06": 10,
    "07": 6,
    "02": 6,
    "08": 20,
    "10": 8,
    "11": 7,
    "12": 3,
    "14": 5,
    "15": 4,
    "16": 2,
    "17": 2,
    "18": 1,
    "21": 2,
    "04c": 1,
    "24": 1,
}
"""Operation → share of the reads, in percent."""
LONG_TAIL = {"05": 10, "10": 25, "11": 25, "21": 20, "04c": 20}
"""The same where a cache cannot help: operations with so many possible parameters that hardly any come twice."""
WRITES = {"append": 86, "rewrite": 7, "delete": 3.5, "optimize": 3, "schema": 0.5}
ZIPF = 1.1
COMMITS_PER_SECOND = 5.0
_BY_NUMBER = {operation.number: operation for operation in OPERATIONS}
_DRAWS_FOR_A_NEW_ONE, _WIDEST = 5, "10"
"""How often parameters are drawn again that came before, and the operation with the most possible ones."""


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of the run.

    Parameters
    ----------
    name
        What it is called.
    share
        Its share of the run's time.
    clients
        The share of the clients that ask.
    pause
        Seconds that a client waits between two reads, on average.
    writes
        The rate of commits, as a multiple of the usual one.
    """

    name: str
    share: float
    clients: float
    pause: float
    writes: float


PHASES = (
    Phase("steady", 0.4, 0.5, 0.0, 1.0),
    Phase("burst", 0.2, 1.0, 0.0, 1.0),
    Phase("writer storm", 0.2, 0.5, 0.0, 10.0),
    Phase("idle", 0.2, 0.5, 0.05, 0.2),
)


class Request(NamedTuple):
    """A read.

    Parameters
    ----------
    number
        The operation.
    table
        The index of its table among all.
    sql, parameters
        The statement.
    """

    number: str
    table: int
    sql: str
    parameters: Any


class Skew:
    """Chooses tables by Zipf's law, the largest most often.

    Parameters
    ----------
    tables
        How many there are.
    exponent
        That of Zipf's law; 0 chooses all alike.
    """

    def __init__(self, tables: int, exponent: float = ZIPF) -> None:
        self._tables = range(tables)
        self._weights = list(accumulate(rank**-exponent for rank in range(1, tables + 1)))

    def choose(self, rng: Random) -> int:
        """The index of a table."""
        return rng.choices(self._tables, cum_weights=self._weights)[0]


def requests(
    rng: Random, system: str, ranges: tuple[ParameterRanges, ...], count: int, *, long_tail: bool
) -> list[Request]:
    """What a client asks for, in order; made before the clock runs, so that no draw is timed.

    Parameters
    ----------
    rng
        Where chance comes from.
    system, ranges
        The database's system, and what parameters are drawn from, for each table.
    count
        How many.
    long_tail
        Whether hardly any comes twice.
    """
    shares = LONG_TAIL if long_tail else READS
    numbers = rng.choices(list(shares), list(shares.values()), k=count)
    drawing = _Drawing(rng, system, ranges, Skew(len(ranges), 0.0 if long_tail else ZIPF))
    return [drawing.new(number) if long_tail else drawing.any(number) for number in numbers]


class _Drawing:
    """Draws requests, and remembers them."""

    def __init__(self, rng: Random, system: str, ranges: tuple[ParameterRanges, ...], skew: Skew) -> None:
        self._rng = rng
        self._ranges = ranges
        self._skew = skew
        self._seen: set[Request] = set()
        self._text = lru_cache(None)(lambda number, table: _BY_NUMBER[number].statement(system, ranges[table]))

    def any(self, number: str) -> Request:
        """A request for an operation; of the largest table, which has everything, if another lacks what is asked."""
        operation, table = _BY_NUMBER[number], self._skew.choose(self._rng)
        table = table if operation.applies(self._ranges[table]) else 0
        return Request(number, table, self._text(number, table), operation.parameters(self._ranges[table], self._rng))

    def new(self, number: str) -> Request:
        """One that has not come before; of another operation when this one has no more."""
        for draw in range(2 * _DRAWS_FOR_A_NEW_ONE):
            request = self.any(number if draw < _DRAWS_FOR_A_NEW_ONE else _WIDEST)
            if request not in self._seen:
                break
        self._seen.add(request)
        return request
