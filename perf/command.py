"""The command of a benchmark: measures groups of cases, prints one table."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from perf.hot_path.case import HEADERS
from proxydb.cli.output_file import output_file
from proxydb.cli.screen import print_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perf.hot_path.case import Line

Groups = dict[str, Callable[..., Iterator[list["Line"]]]]
"""What measures each group, by its name: called with the number of rounds, and of rows where the command has that
option, it gives the lines of each case."""


def main(program: str, groups: Groups, argv: Sequence[str] | None = None, *, rows: int | None = None) -> int:
    """Run the benchmark; 1 with ``--strict`` when a case misses what it must reach.

    Parameters
    ----------
    program, groups
        Its name, and what it measures.
    argv
        The arguments of the command; those of the process by default.
    rows
        The default of ``--rows``; None for a command without that option.
    """
    arguments = _arguments(program, groups, argv, rows)
    lines = list(_measured(groups, arguments))
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, median of {arguments.rounds} rounds in turns\n")
    print_table(HEADERS, [line.cells() for line in lines])
    if arguments.json:
        arguments.json.write_text(json.dumps([line.to_dict() for line in lines], indent=2), encoding="utf-8")
    return int(arguments.strict and any(line.verdict == "misses" for line in lines))


def _arguments(program: str, groups: Groups, argv: Sequence[str] | None, rows: int | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=program, description="Raw and proxied statements in one run.")
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"any of {', '.join(groups)}; all by default")
    parser.add_argument("--rounds", type=int, default=101, help="rounds of each case (101)")
    if rows is not None:
        parser.add_argument("--rows", type=int, default=rows, help=f"rows of the largest table ({rows:,})")
    parser.add_argument(
        "--json", type=output_file, metavar="FILE", help="write the figures, in microseconds, to a file"
    )
    parser.add_argument("--strict", action="store_true", help="exit with 1 when a case misses what it must reach")
    arguments = parser.parse_args(argv)
    if unknown := set(arguments.groups) - set(groups):
        parser.error(f"unknown group {', '.join(sorted(unknown))}")
    return arguments


def _measured(groups: Groups, arguments: argparse.Namespace) -> Iterator[Line]:
    size = [arguments.rows] if "rows" in arguments else []
    for name in arguments.groups or groups:
        for lines in groups[name](arguments.rounds, *size):
            print(lines[0].title, lines[0].shown, file=sys.stderr)  # progress, for whoever waits
            yield from lines
