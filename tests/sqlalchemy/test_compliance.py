"""SQLAlchemy's compliance suite has the same outcome, test by test, on its own dialects and on ours."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING, NamedTuple

import psycopg
import pytest

from tests.sqlalchemy.compliance.run import Run, run
from tests.sqlalchemy.urls import sqlite_url, url_of
from tests.sqlite_files import SqliteFiles

if TYPE_CHECKING:
    from sqlalchemy import URL

    from tests.postgres_server import PostgresServer

SCHEMAS = "CREATE SCHEMA test_schema; CREATE SCHEMA test_schema_2"
ENGLISH = "ALTER DATABASE {} SET default_text_search_config = 'pg_catalog.english'"
WHOLE = {"sqlite": 1200, "postgresql": 1500}
HITS = {"sqlite": 1000, "postgresql": 100}


class Way(NamedTuple):
    """A way to run the suite.

    Parameters
    ----------
    driver
        The driver's name in the URL; ``raw`` is SQLAlchemy's own for what the drop-ins stand in for.
    options, environment
        As for `run`.
    beside
        On which raw run's outcomes its own must be.
    """

    driver: str
    options: tuple[str, ...] = ()
    environment: dict[str, str] = {}
    beside: str = "raw"


ALONE = ("--attach=no",)
"""Without an attached file: a connection with one is never answered from memory."""

UNCOUNTED = ("-k", "not test_round_trip_custom_json")
"""Left out: a test that counts how often a document is parsed; repeated awaited reads parse it each time."""

REPEATED = ("--repeat-reads",)
KEPT = {"PROXYDB_ADMISSION": "0"}
WAYS = {
    "sqlite": {
        "raw": Way("raw"),
        "as it comes": Way("proxydb"),
        "raw, alone": Way("raw", ALONE),
        "everything kept": Way("proxydb", ALONE + REPEATED, KEPT, beside="raw, alone"),
        "raw, awaited": Way("aiosqlite", ALONE),
        "everything kept, awaited": Way("proxydb_async", ALONE + REPEATED, KEPT, beside="raw, awaited"),
    },
    "postgresql": {
        "raw": Way("raw"),
        "as it comes": Way("proxydb"),
        "everything kept": Way("proxydb", REPEATED, KEPT),
        "raw, awaited": Way("psycopg_async", UNCOUNTED),
        "everything kept, awaited": Way("proxydb_async", UNCOUNTED + REPEATED, KEPT, beside="raw, awaited"),
    },
}


class Runs(NamedTuple):
    """The runs on one system, by the names of their ways."""

    kind: str
    by_way: dict[str, Run]


@pytest.fixture(scope="module")
def runs(system: SqliteFiles | PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """The suite, run in each way, two at a time."""
    kind = "sqlite" if isinstance(system, SqliteFiles) else "postgresql"
    with ExitStack() as stack, ThreadPoolExecutor(2) as pool:
        running = {}
        for name, way in WAYS[kind].items():
            url, directory = _url(system, way, stack), tmp_path_factory.mktemp("compliance")
            requirements = "SqliteAlone" if ALONE[0] in way.options else kind.capitalize()
            running[name] = pool.submit(run, url, requirements, directory, *way.options, **way.environment)
        return Runs(kind, {name: future.result() for name, future in running.items()})


def _url(system: SqliteFiles | PostgresServer, way: Way, stack: ExitStack) -> URL:
    if isinstance(system, SqliteFiles):
        return sqlite_url("suite.db", way.driver)
    dsn = stack.enter_context(system.fresh_database())
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(SCHEMAS)
        connection.execute(ENGLISH.format(connection.info.dbname))
    return url_of(dsn, way.driver)


def test_the_suite_is_whole(runs: Runs) -> None:
    """Most tests of the suite pass on SQLAlchemy's own dialect; an empty run would prove nothing."""
    assert list(runs.by_way["raw"].outcomes.values()).count("passed") > WHOLE[runs.kind]


@pytest.mark.parametrize("way", ["as it comes", "everything kept", "everything kept, awaited"])
def test_the_same_outcome(runs: Runs, way: str) -> None:
    """Every test has the outcome that it has on SQLAlchemy's own dialect."""
    raw, proxied = runs.by_way[WAYS[runs.kind][way].beside].outcomes, runs.by_way[way].outcomes
    assert {test: (raw[test], outcome) for test, outcome in proxied.items() if outcome != raw[test]} == {}
    assert raw.keys() == proxied.keys()


def test_the_suite_sees_answers_from_memory(runs: Runs) -> None:
    """Where everything is kept, many reads are answered from memory; the raw run never meets proxydb."""
    hits = {way: each.hits for way, each in runs.by_way.items()}
    print(f"{runs.kind}: {hits} hits")
    assert min(hits["everything kept"], hits["everything kept, awaited"]) > HITS[runs.kind]
    assert runs.by_way["raw"].statements == 0 < runs.by_way["as it comes"].statements
