"""What the demo found, as JSON values and as text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from proxydb.cli.screen import print_table
from proxydb.cli.slow_events import as_line, slowest

if TYPE_CHECKING:
    from proxydb.cli.comparison import Row
    from proxydb.observe.stats import Stats

_HEADERS = ("op", "operation", "rows", "raw ms", "first ms", "warm ms", "ratio")


@dataclass(frozen=True, slots=True)
class DemoReport:
    """What the demo found.

    Parameters
    ----------
    system
        ``"sqlite"`` or ``"postgresql"``.
    files
        How many active files the table has.
    runs
        How often each operation ran on each side.
    foreign_commits
        How often a connection that proxydb knows nothing of committed between the rounds.
    rows
        The operations.
    stats
        What the proxy counted.
    events
        The slow-query events.
    """

    system: str
    files: int
    runs: int
    foreign_commits: int
    rows: list[Row]
    stats: Stats
    events: list[dict[str, Any]]

    @property
    def mismatches(self) -> int:
        """How often the proxy gave other rows than the plain driver."""
        return sum(row.mismatches for row in self.rows)

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values, ready for JSON."""
        return {
            "system": self.system,
            "files": self.files,
            "runs": self.runs,
            "foreign_commits": self.foreign_commits,
            "mismatches": self.mismatches,
            "hit_rate": self.stats.hit_rate,
            "operations": [_values(row) for row in self.rows],
            "stats": self.stats.to_dict(),
            "slow_query": slowest(self.events),
        }


def _values(row: Row) -> dict[str, Any]:
    names = ("number", "title", "rows", "raw_ms", "first_ms", "warm_ms", "ratio", "mismatches")
    return {name: getattr(row, name) for name in names}


def print_report(report: DemoReport) -> None:
    """Print the table and what there is to say about it."""
    print_table(_HEADERS, [_cells(row) for row in report.rows], left=2)
    stats, runs = report.stats, len(report.rows) * report.runs
    print(f"\n{report.system}: {report.files:,} active files; each operation ran {report.runs} times on each side")
    print(f"hit rate: {stats.hit_rate:.0%} ({stats.hits} hits, {stats.misses} misses), {stats.bytes / 2**20:.1f} MiB")
    print(f"stale or different: {report.mismatches} of {runs:,} results; {report.foreign_commits} foreign commits")
    if event := slowest(report.events):
        print(f"slow log: {as_line(event)}")


def _cells(row: Row) -> tuple[str, ...]:
    times = (_milliseconds(value) for value in (row.raw_ms, row.first_ms, row.warm_ms))
    return row.number, row.title, f"{row.rows:,}", *times, f"{row.ratio:,.1f}x"


def _milliseconds(value: float) -> str:
    return f"{value:.3f}" if value < 10 else f"{value:.1f}"
