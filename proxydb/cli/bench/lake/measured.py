"""What measuring one operation on one database gave."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isnan, nan
from statistics import median
from typing import Any

SIDES = {
    "raw": "the plain driver",
    "indexed": "the plain driver, with hand-made indexes",
    "cold": "through proxydb, right after its cache was emptied",
    "warm": "through proxydb, asked before",
    "delta_cold": "deltalake, opening the log",
    "delta_checkpoint": "deltalake, opening a log with a checkpoint",
    "delta_warm": "deltalake, on an open table that is not brought up to date",
}


@dataclass(slots=True)
class Measured:
    """The times of one operation.

    Parameters
    ----------
    system
        ``"sqlite"`` or ``"postgresql"``.
    number, title
        The operation.
    kind
        Its class.
    rows
        How many rows it gives.
    times
        For each side of `SIDES` the time of each round, in ms; a round that was not run is NaN.
    over
        Sides that were given up at the time limit, in seconds.
    mismatches
        Sides that ever gave other rows than the plain driver.
    """

    system: str
    number: str
    title: str
    kind: str
    rows: int = 0
    times: dict[str, list[float]] = field(default_factory=dict)
    over: dict[str, float] = field(default_factory=dict)
    mismatches: set[str] = field(default_factory=set)

    def has(self, *sides: str) -> bool:
        """Whether all sides were measured."""
        return all(self.times.get(side) for side in sides)

    def median(self, side: str) -> float:
        """The median of a side's rounds, in ms."""
        return median(self.times.get(side) or [nan])

    def ratio(self, side: str) -> float:
        """How many times faster the warm proxy is than a side: the median over rounds that both were measured in."""
        pairs = zip(self.times.get(side, ()), self.times.get("warm", ()), strict=False)
        return median([other / warm for other, warm in pairs] or [nan])

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values, ready for JSON."""
        measured = {side: self.median(side) for side in SIDES if self.has(side)}
        ratios = {side: ratio for side in ("raw", "indexed") if not isnan(ratio := self.ratio(side))}
        return {
            "system": self.system,
            "number": self.number,
            "title": self.title,
            "class": self.kind,
            "rows": self.rows,
            "rounds": len(self.times.get("warm", ())),
            "ms": measured,
            "over_limit_s": self.over,
            "times_faster_than": ratios,
            "mismatches": sorted(self.mismatches),
        }
