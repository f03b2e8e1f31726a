"""Let many clients and committers work on a synthetic lake at once, raw and through proxydb in turns.

Clients are threads of several processes; one committer always goes past the proxy. Reads are held against what had been
committed when they began. The databases are made for the run and removed again.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING

from proxydb.cli.bench.load.mix import COMMITS_PER_SECOND
from proxydb.cli.bench.load.report import LoadReport, print_report
from proxydb.cli.bench.load.trial import Size, Trial
from proxydb.cli.bench.places import add_place_arguments, places
from proxydb.cli.numbers import positive, positive_number
from proxydb.cli.output_file import output_file
from proxydb.cli.screen import progress_display
from proxydb.lake.synthetic import Fleet

if TYPE_CHECKING:
    import argparse

SCALE, SECONDS, TURNS, PROCESSES, CLIENTS, WRITERS = 10_000, 20.0, 2, 2, 8, 2
INTERRUPTED = 130


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `proxydb bench load`."""
    add_place_arguments(parser)
    for name, default, meaning in (
        ("scale", SCALE, "file actions"),
        ("turns", TURNS, "turns of the sides"),
        ("processes", PROCESSES, "processes"),
        ("clients", CLIENTS, "clients in all processes"),
        ("writers", WRITERS, "committers on the side that is asked"),
    ):
        parser.add_argument(f"--{name}", type=positive, default=default, metavar="N", help=f"{meaning} ({default:,})")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="another seed draws other requests (0)")
    parser.add_argument(
        "--seconds", type=positive_number, default=SECONDS, metavar="S", help=f"time of each side ({SECONDS:g} s)"
    )
    parser.add_argument(
        "--commits",
        type=positive_number,
        default=COMMITS_PER_SECOND,
        metavar="X",
        help=f"commits a second of all committers ({COMMITS_PER_SECOND:g})",
    )
    parser.add_argument("--long-tail", action="store_true", help="reads of which hardly any comes twice")
    parser.add_argument("--json", metavar="FILE", type=output_file, help="write the results to a file")


def run(arguments: argparse.Namespace) -> int:
    """Run the load test; 1 when a read was stale, or when locks got in the way of the proxy."""
    names = Size._fields
    report = LoadReport(Fleet(arguments.scale, arguments.seed), Size(*(getattr(arguments, name) for name in names)))
    with suppress(KeyboardInterrupt):
        report.complete = _measure(report, arguments)
    print_report(report)
    if arguments.json:
        arguments.json.write_text(json.dumps(report.to_dict(), indent=1) + "\n", encoding="utf-8")
    if not report.complete:
        return INTERRUPTED
    return int(bool(report.faults()))


def _measure(report: LoadReport, arguments: argparse.Namespace) -> bool:
    """Whether every system was measured to the end."""
    with progress_display() as progress:
        for make in places(arguments, report.fleet, progress):
            with make as place:
                outcome, complete = Trial(place, report.size, progress).run()
                report.servers[place.system] = place.server
                report.outcomes[place.system] = outcome
            if not complete:
                return False
    return True
