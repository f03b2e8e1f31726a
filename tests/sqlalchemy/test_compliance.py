"""SQLAlchemy's compliance suite has the same outcome, test by test, on its own dialects and on ours."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING, NamedTuple

import psycopg
import pytest

from tests.postgres_search import find_all
from tests.postgres_server import Cluster
from tests.sqlalchemy.compliance.run import Run, run
from tests.sqlalchemy.urls import sqlite_url, url_of
from tests.sqlite_files import SqliteFiles

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import URL

    from tests.postgres_server import PostgresServer

SCHEMAS = "CREATE SCHEMA test_schema; CREATE SCHEMA test_schema_2"
ENGLISH = "ALTER DATABASE {} SET default_text_search_config = 'pg_catalog.english'"


class Way(NamedTuple):
    """A way to run the suite on SQLAlchemy's own dialect and on ours.

    Parameters
    ----------
    drivers
        The two driver names in the URL, for SQLite and for Postgres; ``raw`` is what the drop-in stands in for.
    kept
        Whether everything that may be kept is, and reads are repeated until the suite sees answers from memory.
    hits
        How many there are at least.
    """

    drivers: dict[str, tuple[str, str]]
    kept: bool = False
    hits: int = 0


CALLED = {"sqlite": ("raw", "proxydb"), "postgresql": ("raw", "proxydb")}
AWAITED = {"sqlite": ("aiosqlite", "proxydb_async"), "postgresql": ("psycopg_async", "proxydb_async")}
WAYS = {
    "as it comes": Way(CALLED),
    "everything kept": Way(CALLED, kept=True, hits=100),
    "everything kept, awaited": Way(AWAITED, kept=True, hits=100),
}
WHOLE = {"sqlite": 1100, "postgresql": 1500}
ALONE = ("--attach=no",)
"""Without an attached file: a connection with one is never answered from memory."""

UNCOUNTED = ("-k", "not test_round_trip_custom_json")
"""Left out: a test that counts how often a document is parsed; repeated awaited reads parse it each time."""


class Side(NamedTuple):
    """One of the two runs of a way."""

    url: URL
    requirements: str
    options: tuple[str, ...]
    environment: dict[str, str]

    def run(self, directory: Path) -> Run:
        directory.mkdir()
        return run(self.url, self.requirements, directory, *self.options, **self.environment)


@pytest.mark.parametrize("way", WAYS)
def test_the_same_outcome(system: SqliteFiles | PostgresServer, tmp_path: Path, way: str) -> None:
    """Every test has the outcome that it has on SQLAlchemy's own dialect; only ours answers from memory."""
    if isinstance(system, Cluster) and system.found != find_all()[0] and way != "everything kept":
        pytest.skip("on a further server the suite runs in one way")
    kind = "sqlite" if isinstance(system, SqliteFiles) else "postgresql"
    with ExitStack() as stack, ThreadPoolExecutor(2) as pool:
        sides = [_side(system, kind, WAYS[way], proxied, stack) for proxied in (False, True)]
        raw, proxied = pool.map(Side.run, sides, (tmp_path / "raw", tmp_path / "proxied"))
    print(f"{len(raw.outcomes)} tests, {proxied.statements} statements, {proxied.hits} hits")
    assert {test: (raw.outcomes.get(test), outcome) for test, outcome in _different(raw, proxied).items()} == {}
    assert list(raw.outcomes.values()).count("passed") > WHOLE[kind], "an empty run would prove nothing"
    assert (raw.statements, proxied.hits >= WAYS[way].hits) == (0, True)


def _different(raw: Run, proxied: Run) -> dict[str, str | None]:
    """The tests whose outcomes differ, with that of the proxied side."""
    tests = raw.outcomes.keys() | proxied.outcomes.keys()
    return {test: proxied.outcomes.get(test) for test in tests if raw.outcomes.get(test) != proxied.outcomes.get(test)}


def _side(system: SqliteFiles | PostgresServer, kind: str, way: Way, proxied: bool, stack: ExitStack) -> Side:
    """The run of one side, on a database of its own."""
    driver = way.drivers[kind][proxied]
    options = ("--repeat-reads",) if way.kept and proxied else ()
    environment = {"PROXYDB_ADMISSION": "0"} if way.kept else {}
    if isinstance(system, SqliteFiles):
        requirements = "SqliteAlone" if way.kept else "Sqlite"
        return Side(sqlite_url("suite.db", driver), requirements, options + (ALONE if way.kept else ()), environment)
    dsn = stack.enter_context(system.fresh_database())
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(SCHEMAS)
        connection.execute(ENGLISH.format(connection.info.dbname))
    left_out = UNCOUNTED if way.drivers is AWAITED else ()
    return Side(url_of(dsn, driver), "Postgresql", options + left_out, environment)
