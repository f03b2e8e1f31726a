"""Time each metadata operation of a synthetic lake: raw, with indexes, through proxydb, and by deltalake.

Every operation runs in rounds on all sides with the same parameters, and all rows are compared. The databases are made
for the run and removed again; with Ctrl-C what was measured so far is printed.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from proxydb.cli.bench.lake.chart import chart
from proxydb.cli.bench.lake.commits import measure_commits
from proxydb.cli.bench.lake.delta_sides import delta_sides
from proxydb.cli.bench.lake.regression import changes, print_changes, read_earlier
from proxydb.cli.bench.lake.report import LakeReport, print_report
from proxydb.cli.bench.lake.rounds import Rounds
from proxydb.cli.bench.lake.sides import Sides
from proxydb.cli.bench.places import add_place_arguments, places
from proxydb.cli.numbers import positive, positive_number
from proxydb.cli.output_file import output_file
from proxydb.cli.screen import progress_display
from proxydb.lake import OPERATIONS
from proxydb.lake.synthetic import Fleet

if TYPE_CHECKING:
    import argparse

    from proxydb.cli.bench.lake.delta_sides import DeltaSides
    from proxydb.cli.bench.places import Place
    from proxydb.cli.screen import Progress
    from proxydb.lake import ParameterRanges

SCALE, SECONDS, LIMIT, TOLERANCE = 100_000, 1.5, 10.0, 0.5
INTERRUPTED = 130


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `proxydb bench lake`."""
    add_place_arguments(parser)
    parser.add_argument("--scale", type=positive, default=SCALE, metavar="N", help=f"file actions ({SCALE:,})")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="another seed makes other tables (0)")
    parser.add_argument(
        "--seconds", type=positive_number, default=SECONDS, metavar="S", help=f"rounds per operation ({SECONDS:g} s)"
    )
    parser.add_argument(
        "--limit", type=positive_number, default=LIMIT, metavar="S", help=f"give a statement up after ({LIMIT:g} s)"
    )
    parser.add_argument("--no-deltalake", action="store_true", help="leave deltalake out")
    parser.add_argument("--json", metavar="FILE", type=output_file, help="write the results to a file")
    parser.add_argument("--chart", metavar="FILE", type=output_file, help="draw them into an SVG file")
    parser.add_argument("--compare", metavar="FILE", type=Path, help="compare with an earlier --json; 1 if slower")
    parser.add_argument(
        "--tolerance", type=float, default=TOLERANCE, metavar="X", help=f"how much slower is tolerated ({TOLERANCE:g})"
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the benchmark; 1 when rows differed, or when it got slower than the earlier run by more than is tolerated."""
    earlier = read_earlier(arguments.compare) if arguments.compare else None
    report = LakeReport(Fleet(arguments.scale, arguments.seed))
    try:
        _measure(report, arguments)
        report.complete = True
    except KeyboardInterrupt:
        pass
    _show(report, arguments)
    found = changes(earlier, report.to_dict(), arguments.tolerance) if earlier else []
    if earlier:
        print_changes(found)
    if not report.complete:
        return INTERRUPTED
    return int(bool(report.mismatches) or any(change.slower for change in found))


def _show(report: LakeReport, arguments: argparse.Namespace) -> None:
    print_report(report)
    if arguments.json:
        report.write(arguments.json)
    if arguments.chart:
        arguments.chart.write_text(chart(report), encoding="utf-8")


def _measure(report: LakeReport, arguments: argparse.Namespace) -> None:
    """Every operation on every system; `deltalake` is asked once, beside the first of them."""
    with progress_display() as progress:
        for number, make in enumerate(places(arguments, report.fleet, progress)):
            with ExitStack() as stack:
                place = stack.enter_context(make)
                [ranges] = place.ranges(1)
                report.servers[place.system] = place.server
                report.files, report.versions = len(ranges.paths), ranges.versions[1] + 1
                asks_delta = number == 0 and not arguments.no_deltalake
                delta = stack.enter_context(delta_sides(report.fleet.plans[0], ranges)) if asks_delta else None
                _measure_place(report, place, ranges, delta, arguments, progress)


def _measure_place(
    report: LakeReport,
    place: Place,
    ranges: ParameterRanges,
    delta: DeltaSides | None,
    arguments: argparse.Namespace,
    progress: Progress,
) -> None:
    operations = [each for each in OPERATIONS if each.applies(ranges)]
    with Sides(place, arguments.limit) as sides:
        for done, operation in enumerate(operations):
            progress(f"measuring {place.system}", done, len(operations) + 1)
            rounds = Rounds(operation, place.system, ranges, sides, delta)
            rounds.run(arguments.seconds, arguments.limit)
            report.results.append(rounds.measured)
        report.results.append(measure_commits(place.system, sides, arguments.seconds))
        progress(f"measuring {place.system}", len(operations) + 1, len(operations) + 1)
