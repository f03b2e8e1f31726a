"""Measures one operation on one database in rounds: every side once, with equal parameters and equal rows."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from time import perf_counter
from typing import TYPE_CHECKING, Any

from proxydb.cli.bench.lake.classes import CLASSES
from proxydb.cli.bench.lake.measured import Measured
from proxydb.cli.bench.lake.timing import TimeLimit
from proxydb.cli.comparison import same_rows

if TYPE_CHECKING:
    from proxydb.cli.bench.lake.delta_sides import DeltaSides
    from proxydb.cli.bench.lake.sides import Rows, Sides
    from proxydb.lake import Operation, ParameterRanges

PARAMETER_SETS = 3
FEWEST_ROUNDS, MOST_ROUNDS = 3, 21

Run = Callable[[str, Any], tuple["Rows", float]]
"""Runs a statement with parameters on a side: its rows, and its time in ms."""


class Rounds:
    """The rounds of one operation.

    Parameters
    ----------
    operation
        What is asked.
    system, ranges
        The database's system, and what the parameters are drawn from; they are the same in every run.
    sides, delta
        The connections, and the logs as `deltalake` reads them; None leaves those out.
    """

    def __init__(
        self, operation: Operation, system: str, ranges: ParameterRanges, sides: Sides, delta: DeltaSides | None
    ) -> None:
        rng = Random(operation.number)
        self._operation = operation
        self._sql = operation.statement(system, ranges)
        self._parameters = [operation.parameters(ranges, rng) for _ in range(PARAMETER_SETS)]
        self._sides = sides
        self._delta = delta if delta and delta.can_tell(operation) else None
        self.measured = Measured(system, operation.number, operation.title, CLASSES[operation.number])

    def run(self, seconds: float, limit: float) -> None:
        """Run rounds until `seconds` are over; a plain side that takes longer than `limit` is left out.

        What the plain driver cannot answer in time, the proxy cannot either, since it sends the same statement.
        """
        for side in ("raw", "indexed"):
            try:
                self._sides.first_run(side, self._sql, self._parameters[0])
            except TimeLimit:
                self.measured.over[side] = limit
        runs, started = self._runs(), perf_counter()
        for number in range(MOST_ROUNDS if runs else 0):
            self._round(runs, self._parameters[number % PARAMETER_SETS], turned=number % 2 == 1)
            if number + 1 >= FEWEST_ROUNDS and perf_counter() - started > seconds:
                break

    def _runs(self) -> dict[str, Run]:
        """The sides that can be run, in order."""
        runs = {side: self._plain(side) for side in ("raw", "indexed") if side not in self.measured.over}
        if "raw" in runs:
            runs |= {"cold": self._sides.cold_run, "warm": self._sides.warm_run}
        if runs and self._delta:
            runs |= self._delta.runs(self._operation)
        return runs

    def _plain(self, side: str) -> Run:
        return lambda sql, parameters: self._sides.plain_run(side, sql, parameters)

    def _round(self, runs: dict[str, Run], parameters: Any, *, turned: bool) -> None:
        """Every side once; they take turns in being first, but warm always comes after cold."""
        names = list(runs)
        order = [*names[2:], *names[:2]] if turned else names
        found = {side: runs[side](self._sql, parameters) for side in order}
        expected = found[names[0]][0]
        self.measured.rows = len(expected)
        for side, (rows, milliseconds) in found.items():
            self.measured.times.setdefault(side, []).append(milliseconds)
            if not self._same(side, expected, rows):
                self.measured.mismatches.add(side)

    def _same(self, side: str, expected: Rows, rows: Rows) -> bool:
        if self._delta and side.startswith("delta"):
            return same_rows(self._delta.same(self._operation, expected), rows)
        return same_rows(expected, rows)
