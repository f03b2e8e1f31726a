"""`proxydb run` around a statement-heavy script, the script by itself, and the same instrumented by OpenTelemetry."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from dataclasses import replace
from operator import truediv
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

from perf.clients.run_workload import fill
from perf.hot_path.case import judged_line
from perf.hot_path.goals import AtMost
from tests.postgres_search import find_all
from tests.postgres_server import Cluster

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perf.hot_path.case import Line

ROOT = Path(__file__).parents[2]
MOST_ROUNDS = 7
_SCRIPT = str(Path(__file__).with_name("run_workload.py"))
_GOAL = AtMost(1.15)


def lines(rounds: int) -> Iterator[list[Line]]:
    """The lines of each database: whole processes in turns, their start and the report included."""
    with tempfile.TemporaryDirectory() as directory:
        yield _measured("SQLite", f"{directory}/shop.db", 30_000, rounds)
    server = Cluster(find_all()[0]).start()
    try:
        with server.fresh_database() as dsn:
            yield _measured("Postgres", dsn, 4_000, rounds)
    finally:
        server.stop()


def _measured(system: str, target: str, pages: int, rounds: int) -> list[Line]:
    fill(target)
    plain = [sys.executable, _SCRIPT, target, str(pages)]
    ways = [
        plain,
        [sys.executable, "-m", "proxydb.cli", "run", "--report", "-", "--", *plain],
        [*plain, "opentelemetry"],
    ]
    spent: list[list[Spent]] = [[] for _ in ways]
    for _ in range(min(rounds, MOST_ROUNDS)):
        for way, each in zip(ways, spent, strict=True):
            each.append(_spent(way))
    title = f"{system}, proxydb run around {pages:,} pages of a shop"
    plain_times, proxied, traced = ([each.elapsed for each in way] for way in spent)
    plain_work, proxied_work, traced_work = ([each.processor for each in way] for way in spent)
    return [
        _line(title, plain_times, proxied),
        _told("  the same, processor time", plain_work, proxied_work),
        _told("  peer: OpenTelemetry dbapi, sampled, not exported", plain_times, traced),
        _told("  peer: the same, processor time", plain_work, traced_work),
    ]


class Spent(NamedTuple):
    """What a command took, in microseconds: by the clock, and of the processors by it and what it started."""

    elapsed: float
    processor: float


def _spent(command: list[str]) -> Spent:
    started, before = perf_counter(), getrusage(RUSAGE_CHILDREN)
    subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
    elapsed, after = perf_counter() - started, getrusage(RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Spent(elapsed * 1e6, processor * 1e6)


def _line(title: str, plain: list[float], other: list[float]) -> Line:
    """The ratio is the median of those of the rounds, in each of which both met the same disturbance."""
    raw = median(plain)
    return judged_line(title, raw, raw * median(map(truediv, other, plain)), _GOAL)


def _told(title: str, plain: list[float], other: list[float]) -> Line:
    """A line that nothing is asked of."""
    return replace(_line(title, plain, other), must="", verdict="")
