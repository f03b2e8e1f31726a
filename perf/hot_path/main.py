"""The hot path's benchmark: its groups of cases."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from perf import command
from perf.hot_path import async_cases, import_case, postgres_cases, sqlite_cases
from perf.hot_path.placement import on_one_core

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from perf.hot_path.case import Line


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; 1 with ``--strict`` when a case misses what it must reach."""
    return command.main("bench_hot_path", GROUPS, argv)


def _sqlite(rounds: int) -> Iterator[list[Line]]:
    with tempfile.TemporaryDirectory() as directory, sqlite_cases.source(Path(directory)) as path:
        for make in sqlite_cases.CASES:
            yield make(path).measure(rounds)


def _postgres(rounds: int) -> Iterator[list[Line]]:
    with on_one_core():
        yield from _spread(rounds)


def _spread(rounds: int) -> Iterator[list[Line]]:
    with postgres_cases.source() as dsn:
        for make in postgres_cases.CASES:
            yield make(dsn).measure(rounds)


def _async(rounds: int) -> Iterator[list[Line]]:
    with on_one_core(), postgres_cases.source() as dsn:
        for make in async_cases.CASES:
            yield make(dsn).measure(rounds)


def _import(_rounds: int) -> Iterator[list[Line]]:
    yield [import_case.line()]


GROUPS = {"sqlite": _sqlite, "postgres": _postgres, "spread": _spread, "async": _async, "import": _import}
"""Cases by group; ``spread`` is ``postgres`` with client and server on the cores that the scheduler gives them."""
