"""What the load test found: as JSON values and as tables."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from proxydb.cli.bench.lake.report import machine
from proxydb.cli.bench.load.mix import PHASES
from proxydb.cli.bench.load.order import SIDES, Counts
from proxydb.cli.screen import print_table

if TYPE_CHECKING:
    from proxydb.cli.bench.load.trial import Outcome, Size
    from proxydb.lake.synthetic import Fleet

_HEADERS = ("phase", "side", "reads", "reads/s", "p50", "p95", "p99", "commits", "p50", "p99", "conflicts", "locked")
LONG_TAIL_KEPT = 0.9
"""The least throughput, of raw, that the proxy must keep where its cache cannot help."""


@dataclass(slots=True)
class LoadReport:
    """What was measured, as far as it has come.

    Parameters
    ----------
    fleet, size
        The tables, and how much load there was.
    servers
        System → the database program with its version.
    outcomes
        System → what the run on it gave.
    complete
        Whether everything was measured that was asked for.
    """

    fleet: Fleet
    size: Size
    servers: dict[str, str] = field(default_factory=dict)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    complete: bool = False

    def whole(self, system: str, side: str) -> Counts:
        """What happened on a side in all phases."""
        whole = Counts()
        for phase in PHASES:
            whole.merge(self.outcomes[system].told.counts.get((side, phase.name), Counts()))
        return whole

    def throughput(self, system: str, side: str, phases: tuple[str, ...]) -> float:
        """Reads a second in some phases."""
        outcome = self.outcomes[system]
        reads = sum(
            len(outcome.told.counts[side, name].reads) for name in phases if (side, name) in outcome.told.counts
        )
        seconds = sum(outcome.seconds[side, name] for name in phases)
        return reads / seconds if seconds else 0.0

    def kept(self, system: str) -> float:
        """Throughput through the proxy as a share of raw, in the phases in which clients do not pause."""
        busy = tuple(phase.name for phase in PHASES if not phase.pause)
        raw = self.throughput(system, "raw", busy)
        return self.throughput(system, "proxied", busy) / raw if raw else 0.0

    def hit_rate(self, system: str) -> float:
        """The share of the proxied reads that were answered from memory."""
        reads = len(self.whole(system, "proxied").reads)
        return min(1.0, self.outcomes[system].told.hits / reads) if reads else 0.0

    def faults(self) -> list[str]:
        """What must not be, in words: stale reads, and locks that the proxy let through."""
        found = []
        for system in self.outcomes:
            for side in SIDES:
                found += [f"{system}: {violation}" for violation in self.whole(system, side).violations]
            if locked := self.whole(system, "proxied").lock_errors:
                found.append(f"{system}: {locked} statements through the proxy were refused because of locks")
        return found

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values, ready for JSON."""
        return {
            "complete": self.complete,
            "actions": self.fleet.actions,
            "size": self.size._asdict(),
            "machine": machine(),
            "servers": self.servers,
            "systems": {system: self._system_dict(system) for system in self.outcomes},
            "faults": self.faults(),
        }

    def _system_dict(self, system: str) -> dict[str, Any]:
        outcome = self.outcomes[system]
        return {
            "hit_rate": self.hit_rate(system),
            "throughput_kept": self.kept(system),
            "checked": sum(self.whole(system, side).checked for side in SIDES),
            "replayed": outcome.replayed,
            "violations": {side: len(self.whole(system, side).violations) for side in SIDES},
            "phases": [
                {"phase": phase.name, "side": side, **_figures(outcome, side, phase.name)}
                for phase in PHASES
                for side in SIDES
            ],
        }


def _figures(outcome: Outcome, side: str, phase: str) -> dict[str, Any]:
    counts, seconds = outcome.told.counts.get((side, phase), Counts()), outcome.seconds[side, phase]
    shares = (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))
    return {
        "reads": len(counts.reads),
        "reads_per_second": len(counts.reads) / seconds if seconds else 0.0,
        "read_ms": {name: counts.reads.percentile(share) for name, share in shares},
        "commits": len(counts.commits),
        "commit_ms": {name: counts.commits.percentile(share) for name, share in shares},
        "conflicts": counts.conflicts,
        "lock_errors": counts.lock_errors,
    }


def print_report(report: LoadReport) -> None:
    """Print a table for each system, and what there is to say about it."""
    for system, outcome in report.outcomes.items():
        size = report.size
        print(
            f"\n{report.servers[system]}: {report.fleet.actions:,} file actions, {size.clients} clients in "
            f"{size.processes} processes, {size.writers} committers and one that goes past the proxy\n"
        )
        print_table(_HEADERS, [_cells(outcome, side, phase.name) for phase in PHASES for side in SIDES], left=2)
        print(f"\n{_summary(report, system)}")
    print("\n".join(report.faults()) or "no stale read, no statement refused because of locks through the proxy")


def _cells(outcome: Outcome, side: str, phase: str) -> tuple[str, ...]:
    found = _figures(outcome, side, phase)
    reads = [f"{found['reads']:,}", f"{found['reads_per_second']:,.0f}", *_milliseconds(found["read_ms"])]
    commits = [str(found["commits"]), *_milliseconds(found["commit_ms"])[::2]]
    return (phase, side, *reads, *commits, str(found["conflicts"]), str(found["lock_errors"]))


def _milliseconds(percentiles: dict[str, float]) -> list[str]:
    return [f"{value:.3g} ms" for value in percentiles.values()]


def _summary(report: LoadReport, system: str) -> str:
    kept, told = report.kept(system), report.outcomes[system].told
    checked = sum(report.whole(system, side).checked for side in SIDES)
    verdict = f" ({'reaches' if kept >= LONG_TAIL_KEPT else 'misses'} {LONG_TAIL_KEPT:.0%})"
    found = machine()
    sentences = (
        f"hit rate {report.hit_rate(system):.1%} ({told.hits:,} hits, {told.misses:,} misses)",
        f"throughput without pauses: {kept:.2f} times raw{verdict if report.size.long_tail else ''}",
        f"{checked:,} reads held against the floor, {report.outcomes[system].replayed} asked again",
        f"Python {found['python']}, {found['cores']} cores, load {found['load'] or 0:.1f}",
    )
    return "; ".join(sentences)
