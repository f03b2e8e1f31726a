"""What each operation must reach: its class, and the verdict on what was measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxydb.cli.bench.lake.measured import Measured

COMMIT = "commit"


@dataclass(frozen=True, slots=True)
class Goal:
    """What a class of operations must reach, warm, against the plain driver.

    Parameters
    ----------
    words
        The same for people.
    reached
        Told from what was measured; None when the class asks for nothing.
    """

    words: str
    reached: Callable[[Measured], bool | None]


def _faster(times: float) -> Callable[[Measured], bool]:
    return lambda measured: min(measured.ratio("raw"), measured.ratio("indexed")) >= times


def _lists(measured: Measured) -> bool:
    """Postgres sends rows with JSON, which each reader is given as objects of its own."""
    return _faster(3 if measured.system == "postgresql" else 10)(measured)


def _not_slower(measured: Measured) -> bool:
    """At most 1.3 times the time, and at most 20 microseconds more."""
    return 1 / measured.ratio("raw") <= 1.3 and measured.median("warm") - measured.median("raw") <= 0.020


GOALS = {
    "A": Goal("10x over raw and indexed", _faster(10)),
    "B": Goal("10x over raw and indexed, 3x on Postgres", _lists),
    "C": Goal("within 1.3x and +20 us", _not_slower),
    "D": Goal("indexes decide", lambda measured: None),
    "E": Goal("within 1.5x", lambda measured: 1 / measured.ratio("raw") <= 1.5),
}

CLASSES = {
    **dict.fromkeys(("03", "08", "09", "10", "11", "12", "16", "18", "23", "24"), "A"),
    **dict.fromkeys(("02", "04", "04c", "13", "15"), "B"),
    **dict.fromkeys(("01", "05", "06", "07", "14", "17", "19", "22"), "C"),  # an index of the pack answers
    **dict.fromkeys(("20", "21", "02n"), "D"),
    COMMIT: "E",
}


def verdict(measured: Measured) -> str:
    """The class, and whether its goal is reached."""
    kind = CLASSES[measured.number]
    if not measured.has("raw", "indexed", "warm"):
        return f"{kind} not measured"
    reached = GOALS[kind].reached(measured)
    return kind if reached is None else f"{kind} {'reaches' if reached else 'misses'}"
