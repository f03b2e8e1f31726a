"""A case of the benchmark, and what measuring it gave."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from statistics import median
from typing import TYPE_CHECKING, Any

from perf.hot_path.goals import duration
from perf.hot_path.timing import in_turns

if TYPE_CHECKING:
    from collections.abc import Callable

    from perf.hot_path.goals import Goal


@dataclass(frozen=True, slots=True)
class Case:
    """Two ways to do the same.

    Parameters
    ----------
    title
        What is done.
    raw, proxied
        Does it with the plain driver, and through proxydb.
    goal
        What must be reached.
    complaint
        Called after the measurement: says what else was measured than the title says; empty when nothing was.
    connections
        What to close when the case is done.
    peers
        Other ways to do the same: what they are called, and what does it.
    """

    title: str
    raw: Callable[[], object]
    proxied: Callable[[], object]
    goal: Goal
    complaint: Callable[[], str]
    connections: tuple[Any, ...]
    peers: dict[str, Callable[[], object]] = field(default_factory=dict)

    def measure(self, rounds: int) -> list[Line]:
        """The lines that the table shows: the case, then its peers."""
        raw, proxied, *others = in_turns([self.raw, self.proxied, *self.peers.values()], rounds)
        complaint = self.complaint()
        self.close()
        peers = [
            _line(f"  peer: {name}", raw, times, self.goal) for name, times in zip(self.peers, others, strict=True)
        ]
        return [_judged(_line(self.title, raw, proxied, self.goal), self.goal, complaint), *peers]

    def close(self) -> None:
        """Close the connections."""
        for connection in self.connections:
            connection.close()


def _line(title: str, raw: list[float], other: list[float], goal: Goal) -> Line:
    """The figure is the median over the rounds, in each of which both sides met the same disturbance."""
    figure = median(map(goal.figure, raw, other))
    return Line(title, median(raw), median(other), figure, goal.show(figure))


def _judged(line: Line, goal: Goal, complaint: str = "") -> Line:
    verdict = "reaches" if goal.reached(line.figure) and not complaint else "misses"
    return replace(line, must=str(goal), verdict=f"{verdict}: {complaint}" if complaint else verdict)


def judged_line(title: str, raw: float, proxied: float, goal: Goal) -> Line:
    """The line of two times that were measured otherwise."""
    return _judged(_line(title, [raw], [proxied], goal), goal)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the table; times are microseconds."""

    title: str
    raw: float
    proxied: float
    figure: float
    shown: str
    must: str = ""
    verdict: str = ""

    def cells(self) -> tuple[str, ...]:
        """What the table shows."""
        return self.title, duration(self.raw), duration(self.proxied), self.shown, self.must, self.verdict

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values, ready for JSON."""
        names = ("title", "raw", "proxied", "figure", "must", "verdict")
        return {name: getattr(self, name) for name in names}


HEADERS = ("case", "raw", "proxied", "result", "must be", "verdict")
