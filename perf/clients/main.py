"""The benchmark of other people's software: its groups of cases."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from perf import command
from perf.clients import library_cases, run_case, sqlalchemy_cases
from perf.hot_path import postgres_cases, sqlite_cases
from perf.hot_path.placement import on_one_core

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from perf.hot_path.case import Case, Line


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; 1 with ``--strict`` when a case misses what it must reach."""
    return command.main("bench_clients", GROUPS, argv)


def _on_both(cases: Callable[[str, str], Iterator[Case]]) -> Callable[[int], Iterator[list[Line]]]:
    """Measures the cases on a SQLite file, then on a Postgres server."""

    def measure(rounds: int) -> Iterator[list[Line]]:
        with tempfile.TemporaryDirectory() as directory, sqlite_cases.source(Path(directory)) as path:
            for case in cases("SQLite", str(path)):
                yield case.measure(rounds)
        with on_one_core(), postgres_cases.source() as dsn:
            for case in cases("Postgres", dsn):
                yield case.measure(rounds)

    return measure


GROUPS = {
    "sqlalchemy": _on_both(sqlalchemy_cases.cases),
    "libraries": _on_both(library_cases.cases),
    "run": run_case.lines,
}
