"""Runs statements on the plain driver and through proxydb, times both, and compares their rows."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import chain
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

_RUNS = 4
"""Runs of which the shortest says how long a statement takes when nothing disturbs it."""

BURST = 5
"""Runs in a row on one side, so that what the other side left in the processor's caches counts for the first only."""


@dataclass(slots=True)
class Row:
    """One statement: what its runs took, in ms, and how often both sides gave different rows.

    Parameters
    ----------
    number, title
        What the statement is called.
    sql, parameters
        What is executed on both sides.
    """

    number: str
    title: str
    sql: str
    parameters: Any
    rows: int = 0
    raw: list[float] = field(default_factory=list)
    proxied: list[float] = field(default_factory=list)
    mismatches: int = 0

    @property
    def raw_ms(self) -> float:
        """The median of the plain driver's runs."""
        return median(self.raw)

    @property
    def first_ms(self) -> float:
        """The first run through proxydb: planned, executed, and kept if that is worth the while."""
        return self.proxied[0]

    @property
    def warm_ms(self) -> float:
        """The median of the later runs through proxydb, those after a foreign commit included."""
        return median(self.proxied[1:] or self.proxied)

    @property
    def ratio(self) -> float:
        """How many times faster the later runs are than the plain driver's."""
        return self.raw_ms / self.warm_ms


class Comparison:
    """Statements that are run on both sides, round by round.

    Parameters
    ----------
    statements
        The number, the title, the text and the parameters of each.
    raw
        A connection of the plain driver.
    """

    def __init__(self, statements: Iterable[tuple[str, str, str, Any]], raw: Any) -> None:
        self.rows = [Row(*statement) for statement in statements]
        self._raw = raw

    def slowest_ms(self) -> float:
        """What the slowest statement takes on the plain driver at least: the shortest of some runs of each."""
        return max(min(_timed(self._raw, row)[1] for _ in range(_RUNS)) for row in self.rows)

    def run(self, proxied: Any, *, proxied_first: bool) -> None:
        """One round: every statement on both sides, which take turns in being first."""
        for row in self.rows:
            sides = [(self._raw, row.raw), (proxied, row.proxied)]
            found = [_burst(connection, row, times) for connection, times in sides[:: -1 if proxied_first else 1]]
            expected = found[0][0]
            row.rows = len(expected)
            row.mismatches += sum(not same_rows(expected, rows) for rows in chain(*found))


def _burst(connection: Any, row: Row, times: list[float]) -> list[list[Any]]:
    """Run the statement `BURST` times; what each run gave."""
    results = []
    for _ in range(BURST):
        rows, milliseconds = _timed(connection, row)
        results.append(rows)
        times.append(milliseconds)
    return results


def _timed(connection: Any, row: Row) -> tuple[list[Any], float]:
    started = perf_counter()
    rows = connection.execute(row.sql, row.parameters).fetchall()
    return rows, (perf_counter() - started) * 1000


def same_rows(expected: list[Any], found: list[Any]) -> bool:
    """Whether both are the same rows in any order, types included; texts are compared, as JSON cells have no hash."""
    return repr(expected) == repr(found) or Counter(map(repr, expected)) == Counter(map(repr, found))
