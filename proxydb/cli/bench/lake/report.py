"""What the benchmark found: as JSON values and as tables."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import dataclass, field
from math import isnan
from typing import TYPE_CHECKING, Any

from proxydb.cli.bench.lake.classes import GOALS, verdict
from proxydb.cli.bench.lake.measured import SIDES
from proxydb.cli.screen import print_table

if TYPE_CHECKING:
    from pathlib import Path

    from proxydb.cli.bench.lake.measured import Measured
    from proxydb.lake.synthetic import Fleet

FORMAT = 1
_HEADERS = ("op", "operation", "class", "rows", "raw", "indexed", "cold", "warm", "x raw", "x indexed")
_DELTA_HEADERS = ("delta cold", "checkpoint", "delta warm")
_DELTA_SIDES = ("delta_cold", "delta_checkpoint", "delta_warm")


@dataclass(slots=True)
class LakeReport:
    """What was measured, as far as it has come.

    Parameters
    ----------
    fleet
        The tables.
    files, versions
        Active files and versions of the largest table, which the operations are asked of.
    servers
        System → the database program with its version.
    results
        The operations, in the order in which they were measured.
    complete
        Whether everything was measured that was asked for.
    """

    fleet: Fleet
    files: int = 0
    versions: int = 0
    servers: dict[str, str] = field(default_factory=dict)
    results: list[Measured] = field(default_factory=list)
    complete: bool = False

    @property
    def mismatches(self) -> list[str]:
        """Which sides gave other rows than the plain driver, in words."""
        return [f"{each.system} {each.number} {side}" for each in self.results for side in sorted(each.mismatches)]

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values, ready for JSON."""
        return {
            "format": FORMAT,
            "complete": self.complete,
            "actions": self.fleet.actions,
            "seed": self.fleet.seed,
            "tables": len(self.fleet.plans),
            "active_files": self.files,
            "versions": self.versions,
            "machine": machine(),
            "servers": self.servers,
            "mismatches": self.mismatches,
            "results": [{**each.to_dict(), "verdict": verdict(each)} for each in self.results],
        }

    def write(self, path: Path) -> None:
        """Write the JSON to a file."""
        path.write_text(json.dumps(self.to_dict(), indent=1) + "\n", encoding="utf-8")


def machine() -> dict[str, Any]:
    """Where it ran, and how busy that was."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return {"python": platform.python_version(), "machine": platform.machine(), "cores": os.cpu_count(), "load": load}


def print_report(report: LakeReport) -> None:
    """Print a table for each system, and what there is to say about them."""
    for system, server in report.servers.items():
        results = [each for each in report.results if each.system == system]
        with_delta = any(each.has("delta_cold") for each in results)
        print(
            f"\n{server}: {report.fleet.actions:,} file actions, {report.files:,} active files in the largest table\n"
        )
        rows = [_cells(each, with_delta) for each in results]
        print_table((*_HEADERS, *(_DELTA_HEADERS if with_delta else ())), rows, left=3)
    print()
    print("\n".join(_notes(report)))


def _notes(report: LakeReport) -> list[str]:
    found = machine()
    classes = "; ".join(f"{kind}: {goal.words}" for kind, goal in GOALS.items())
    sides = "; ".join(f"{name.replace('_', ' ')}: {words}" for name, words in SIDES.items())
    ran = f"Python {found['python']}, {found['cores']} cores, load {found['load'] or 0:.1f}"
    return [
        f"medians; {sides}",
        f"classes, warm against raw: {classes}",
        ran if report.complete else f"{ran}; interrupted, this is what there is",
        f"other rows than the plain driver: {', '.join(report.mismatches) or 'none'}",
    ]


def _cells(measured: Measured, with_delta: bool) -> tuple[str, ...]:
    times = [_time(measured, side) for side in ("raw", "indexed", "cold", "warm")]
    ratios = [_ratio(measured.ratio(side)) for side in ("raw", "indexed")]
    delta = [_time(measured, side) for side in _DELTA_SIDES] if with_delta else []
    first = (measured.number, measured.title, verdict(measured), f"{measured.rows:,}")
    return (*first, *times, *ratios, *delta)


def _time(measured: Measured, side: str) -> str:
    if side in measured.over:
        return f"> {measured.over[side]:g} s"
    return duration(measured.median(side)) if measured.has(side) else ""


def _ratio(ratio: float) -> str:
    return "" if isnan(ratio) else f"{ratio:,.0f}" if ratio >= 100 else f"{ratio:.3g}"


def duration(milliseconds: float) -> str:
    """A time with a unit that suits it."""
    for unit, size in (("s", 1000.0), ("ms", 1.0)):
        if milliseconds >= size:
            return f"{milliseconds / size:.3g} {unit}"
    return f"{milliseconds * 1000:.3g} us"
