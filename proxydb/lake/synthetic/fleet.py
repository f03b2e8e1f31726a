"""A fleet of synthetic tables: few large ones, many small ones."""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt
from typing import TYPE_CHECKING

from proxydb.lake.synthetic.styles import STYLES
from proxydb.lake.synthetic.table import SyntheticTable, TablePlan

if TYPE_CHECKING:
    from collections.abc import Iterator

_LONGEST_HISTORY = 180
_ACTIONS_PER_FILE = 1.14
"""File actions for each file that an append adds, measured over whole fleets; the rest is upkeep."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """Tables whose sizes follow Zipf's law; equal fleets have equal tables.

    Parameters
    ----------
    actions
        About how many file actions (adds and removes) all tables hold together.
    seed
        Where chance starts.
    exponent
        That of Zipf's law.
    """

    actions: int = 10_000
    seed: int = 0
    exponent: float = 1.0

    @property
    def plans(self) -> tuple[TablePlan, ...]:
        """The plan of each table, the largest first; 20 tables for 10,000 actions, 200 for 1,000,000."""
        count = max(1, isqrt(self.actions // 25))
        weights = [rank**-self.exponent for rank in range(1, count + 1)]
        return tuple(self._plan(rank, weight / sum(weights)) for rank, weight in enumerate(weights))

    def tables(self) -> Iterator[SyntheticTable]:
        """The tables, each still to be gone through."""
        return map(SyntheticTable, self.plans)

    def _plan(self, rank: int, share: float) -> TablePlan:
        style = STYLES[rank % len(STYLES)]
        commits = max(1, round(self.actions * share / (style.files_per_commit * _ACTIONS_PER_FILE)))
        days = max(1, min(_LONGEST_HISTORY, commits // 4))
        return TablePlan(f"{style.name}_{rank:03}", style, commits, days=days, seed=str(self.seed))
