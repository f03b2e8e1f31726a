"""The benchmark's command: runs the cases, prints the table."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from perf.hot_path import import_case, postgres_cases, sqlite_cases
from perf.hot_path.case import HEADERS
from proxydb.cli.screen import print_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from perf.hot_path.case import Line

GROUPS = ("sqlite", "postgres", "import")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; 1 with ``--strict`` when a case misses what it must reach."""
    arguments = _arguments(argv)
    lines = list(_measured(arguments))
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, median of {arguments.rounds} rounds in turns\n")
    print_table(HEADERS, [line.cells() for line in lines])
    if arguments.json:
        Path(arguments.json).write_text(json.dumps([line.to_dict() for line in lines], indent=2), encoding="utf-8")
    return int(arguments.strict and any(line.verdict == "misses" for line in lines))


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench_hot_path", description="Raw and proxied statements in one run.")
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"any of {', '.join(GROUPS)}; all by default")
    parser.add_argument("--rounds", type=int, default=101, help="rounds of each case (101)")
    parser.add_argument("--json", metavar="FILE", help="write the figures, in microseconds, to a file")
    parser.add_argument("--strict", action="store_true", help="exit with 1 when a case misses what it must reach")
    arguments = parser.parse_args(argv)
    if unknown := set(arguments.groups) - set(GROUPS):
        parser.error(f"unknown group {', '.join(sorted(unknown))}")
    return arguments


def _measured(arguments: argparse.Namespace) -> Iterator[Line]:
    groups = arguments.groups or GROUPS
    if "sqlite" in groups:
        with tempfile.TemporaryDirectory() as directory, sqlite_cases.source(Path(directory)) as path:
            for make in sqlite_cases.CASES:
                yield from _shown(make(path).measure(arguments.rounds))
    if "postgres" in groups:
        with postgres_cases.source() as dsn:
            for make in postgres_cases.CASES:
                yield from _shown(make(dsn).measure(arguments.rounds))
    if "import" in groups:
        yield from _shown([import_case.line()])


def _shown(lines: list[Line]) -> list[Line]:
    """Progress, for whoever waits."""
    print(lines[0].title, lines[0].shown, file=sys.stderr)
    return lines
