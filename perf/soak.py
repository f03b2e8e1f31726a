"""Runs the freshness suite's readers and writers for as long as asked, and ends with 1 if any read was stale.

python perf/soak.py --engine sqlite --journal wal --reads 1000000
python perf/soak.py --engine postgres --isolation "REPEATABLE READ" --seconds 600 --json
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.freshness.floor.places import Place
from tests.freshness.floor.trial import Trial
from tests.postgres_search import find_all
from tests.postgres_server import Cluster
from tests.sqlite_files import empty_file

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.freshness.floor.trial import Report

SHOWN_EVERY = 5.0


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="soak.py", description=__doc__.splitlines()[0])
    parser.add_argument("--engine", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--seconds", type=float, help="how long; by default as long as --reads takes")
    parser.add_argument(
        "--reads", type=int, help="how many reads; by default 1,000,000, or as many as fit in --seconds"
    )
    parser.add_argument("--writers", type=int, default=2, help="writing processes beside the proxy")
    parser.add_argument("--own-writers", type=int, default=1, help="writing threads through the proxy")
    parser.add_argument("--readers", type=int, default=4, help="reading threads through the proxy")
    parser.add_argument("--pause", type=float, default=0.02, help="mean seconds between two commits of a writer")
    parser.add_argument("--journal", choices=["wal", "delete"], default="wal", help="SQLite's journal mode")
    parser.add_argument("--isolation", choices=["READ COMMITTED", "REPEATABLE READ"], default="READ COMMITTED")
    parser.add_argument("--target", help="conninfo of an empty Postgres database, in the place of a server of our own")
    parser.add_argument("--json", action="store_true", help="print the report as JSON, and no progress")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run as the command line says; 1 when anything was stale."""
    options = parse(arguments)
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        trial = Trial(_place(options, directory, stack), directory / "board", options.readers, options.pause)
        report = trial.run(_enough(options))
    print(json.dumps(report.to_dict()) if options.json else _line(report))
    for violation in () if options.json else report.violations:
        print(violation)
    return 1 if report.stale else 0


def _place(options: argparse.Namespace, directory: Path, stack: ExitStack) -> Place:
    """The database that is read and written."""
    if options.engine == "sqlite":
        target = str(empty_file(directory / "soak.db", options.journal))
        return Place("sqlite", target, options.writers, options.own_writers)
    target = options.target or stack.enter_context(_server(stack).fresh_database())
    return Place("postgresql", target, options.writers, options.own_writers, options.isolation)


def _server(stack: ExitStack) -> Cluster:
    server = Cluster(find_all()[0]).start()
    stack.callback(server.stop)
    return server


def _enough(options: argparse.Namespace) -> Callable[[Report], bool]:
    """Says when to stop, and shows the progress."""
    reads = options.reads or (None if options.seconds else 1_000_000)
    shown = 0.0

    def enough(report: Report) -> bool:
        nonlocal shown
        if not options.json and report.seconds - shown >= SHOWN_EVERY:
            shown = report.seconds
            print(_line(report), flush=True)
        return bool((reads and report.reads >= reads) or (options.seconds and report.seconds >= options.seconds))

    return enough


def _line(report: Report) -> str:
    rate = report.to_dict()["reads_per_second"]
    return (
        f"{report.seconds:7.1f} s  {report.reads:>11,} reads  {report.hits:>11,} hits ({report.hit_share:.1%})  "
        f"{report.commits:>8,} commits  {report.stale} stale  {rate:,.0f} reads/s"
    )


if __name__ == "__main__":
    sys.exit(main())
