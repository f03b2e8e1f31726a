"""Measure metadata operations of a Delta table, raw and through proxydb, on a real database.

Loads a Delta log into a database (a synthetic log into a new SQLite file, unless told otherwise), runs the metadata
operations with the plain driver and through proxydb while another connection commits now and then, compares every row,
and prints a table. What it put into a given database is removed again.
"""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import proxydb
from proxydb import Config
from proxydb.cli.comparison import BURST, Comparison
from proxydb.cli.demo_report import DemoReport, print_report
from proxydb.cli.demo_table import imported
from proxydb.cli.foreign_writer import ForeignWriter
from proxydb.cli.numbers import positive
from proxydb.cli.plain_driver import AUTOCOMMIT, open_plain
from proxydb.cli.screen import progress_display
from proxydb.cli.slow_events import slow_events
from proxydb.lake import OPERATIONS, write_delta_log

if TYPE_CHECKING:
    import argparse

    from proxydb.cli.demo_table import DemoTable
    from proxydb.cli.screen import Progress
    from proxydb.lake import Operation

SCALE, REPEAT = 10_000, 6
_ROUNDS_BETWEEN_COMMITS = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `proxydb demo`."""
    parser.add_argument("--delta", metavar="PATH", help="the directory of a Delta table, instead of a synthetic one")
    parser.add_argument(
        "--target", help="the database (a file, sqlite:///…, postgresql://…), instead of a new SQLite file"
    )
    parser.add_argument(
        "--scale", type=positive, default=SCALE, metavar="N", help=f"file actions of the synthetic log ({SCALE:,})"
    )
    parser.add_argument(
        "--repeat", type=positive, default=REPEAT, metavar="N", help=f"rounds of {BURST} runs on each side ({REPEAT})"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Run the demo; 1 when the proxy ever gave other rows than the plain driver."""
    with TemporaryDirectory(prefix="proxydb-demo-") as directory, progress_display() as progress:
        log = arguments.delta or _synthetic_log(Path(directory), arguments.scale)
        with imported(log, arguments.target or _new_database(Path(directory)), progress) as table:
            report = _compare(table, arguments.repeat, progress)
    if arguments.json:
        print(json.dumps(report.to_dict(), indent=2))
    else:
        print_report(report)
    return 1 if report.mismatches else 0


def _new_database(directory: Path) -> str:
    """A SQLite file in WAL mode, as applications with several connections have it (https://sqlite.org/wal.html)."""
    path = str(directory / "demo.db")
    with closing(open_plain(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    return path


def _synthetic_log(directory: Path, scale: int) -> Path:
    """A log of about `scale` file actions."""
    commits = max(10, min(200, scale // 50))
    return write_delta_log(directory / "events", commits=commits, files_per_commit=max(1, scale // commits))


def _compare(table: DemoTable, repeat: int, progress: Progress) -> DemoReport:
    """Run every operation on both sides, with the slow log's threshold at half of the slowest one."""
    with closing(open_plain(table.target)) as raw, slow_events() as events:
        comparison = Comparison([_statement(table, each) for each in OPERATIONS if each.applies(table.ranges)], raw)
        config = replace(Config.from_environment(), slow_ms=comparison.slowest_ms() / 2)
        with closing(proxydb.connect(table.target, config=config, **AUTOCOMMIT[table.system])) as proxied:
            commits = _run_rounds(comparison, proxied, table, repeat, progress)
            stats = proxied.proxydb.stats()
    return DemoReport(table.system, len(table.ranges.paths), repeat * BURST, commits, comparison.rows, stats, events)


def _statement(table: DemoTable, operation: Operation) -> tuple[str, str, str, Any]:
    """An operation's number, title, text and parameters, the same in every run."""
    sql, parameters = operation.statement(table.system, table.ranges), operation.parameters(table.ranges, Random(7))
    return operation.number, operation.title, sql, parameters


def _run_rounds(comparison: Comparison, proxied: Any, table: DemoTable, repeat: int, progress: Progress) -> int:
    """Run `repeat` rounds of every operation on both sides; how often the foreign writer committed in between."""
    with closing(ForeignWriter(table)) as writer:
        for number in range(repeat):
            progress("comparing", number, repeat)
            if number % _ROUNDS_BETWEEN_COMMITS == _ROUNDS_BETWEEN_COMMITS - 1:
                writer.commit()
            comparison.run(proxied, proxied_first=number % 2 == 1)
        progress("comparing", repeat, repeat)
        return writer.commits
