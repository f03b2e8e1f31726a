"""The cases of the hot path under pytest-benchmark: raw and proxied side by side, one group for each case.

    python -m pytest perf -o addopts=--import-mode=importlib

It keeps figures from run to run (`--benchmark-save`, `--benchmark-compare`); the numbers in parentheses are ratios.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from perf.hot_path import postgres_cases, sqlite_cases

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perf.hot_path.case import Case


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Any, Any]]:
    """For each part, what its cases are made from: a SQLite file, a server's conninfo."""
    with postgres_cases.source() as dsn, sqlite_cases.source(tmp_path_factory.mktemp("perf")) as path:
        yield {sqlite_cases: path, postgres_cases: dsn}


@pytest.fixture(scope="session")
def case(request: pytest.FixtureRequest, sources: dict[Any, Any]) -> Iterator[Case]:
    """One case, with its connections."""
    part, make = request.param
    made = make(sources[part])
    yield made
    made.close()


WARMING = 200
"""Calls before the measurement: the first ones find out what is worth keeping, and are no measure of the others."""

PARTS = {"sqlite": sqlite_cases, "postgres": postgres_cases}
CASES = [
    pytest.param((part, make), id=f"{name}-{make.__name__}") for name, part in PARTS.items() for make in part.CASES
]


@pytest.mark.parametrize("side", ["raw", "proxied"])
@pytest.mark.parametrize("case", CASES, indirect=True, scope="session")
def test_hot_path(benchmark: Any, case: Case, side: str) -> None:
    """What the side takes; the proxied one is checked to have done what the case's title says."""
    benchmark.group = case.title.strip()
    call = getattr(case, side)
    for _ in range(WARMING):
        call()
    benchmark(call)
    assert side == "raw" or case.complaint() == ""
