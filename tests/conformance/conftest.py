"""The raw driver beside the proxied one, for the generic DB-API 2.0 suite."""

from __future__ import annotations

import sqlite3
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import aiosqlite
import psycopg
import pytest

import proxydb
import proxydb.psycopg
import proxydb.sqlite3
from proxydb import aio
from proxydb.config import Config
from tests.conformance.sides import PLANETS, SCHEMA, Both, Side

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.postgres_server import PostgresServer
    from tests.sqlite_files import SqliteFiles

EXECUTIONS = {"first": 1, "repeated": 6}
CONFIGS = {"strict": Config(cache="strict", admission=0), "off": Config(cache="off")}


class Manner(NamedTuple):
    """How a fact is looked at.

    Parameters
    ----------
    cache
        The configuration of the proxied side.
    executions
        How often.
    awaited
        Whether through the asynchronous drivers.
    """

    cache: str
    executions: int
    awaited: bool = False


IN_CALLS = {f"{cache}-{name}": Manner(cache, number) for cache in CONFIGS for name, number in EXECUTIONS.items()}
MANNERS = IN_CALLS | {"awaited": Manner("strict", EXECUTIONS["repeated"], awaited=True)}


@pytest.fixture(scope="session")
def databases(system: SqliteFiles | PostgresServer) -> Iterator[dict[str, str]]:
    """A database for the raw driver and one for each configuration of ours, since a database has only one."""
    with _fresh_databases(system) as databases:
        yield databases


@pytest.fixture(scope="session")
def databases_on_postgres(postgres_server: PostgresServer) -> Iterator[dict[str, str]]:
    """The same on Postgres only."""
    with _fresh_databases(postgres_server) as databases:
        yield databases


@contextmanager
def _fresh_databases(system: SqliteFiles | PostgresServer) -> Iterator[dict[str, str]]:
    with ExitStack() as stack:
        yield {name: stack.enter_context(system.fresh_database()) for name in ("raw", *CONFIGS)}


@pytest.fixture(params=MANNERS.values(), ids=MANNERS)
def manner(request: pytest.FixtureRequest) -> Manner:
    """How a fact is looked at."""
    return request.param


@pytest.fixture
def cache(manner: Manner) -> str:
    """The configuration of the proxied side."""
    return manner.cache


@pytest.fixture(params=IN_CALLS.values(), ids=IN_CALLS)
def manner_in_calls(request: pytest.FixtureRequest) -> Manner:
    """How a fact is looked at that asynchronous drivers do not have."""
    return request.param


@pytest.fixture
def both(system: SqliteFiles | PostgresServer, databases: dict[str, str], manner: Manner) -> Iterator[Both]:
    """Both sides, connected to databases with the same seven planets."""
    with _both(system, databases, manner) as both:
        yield both


@pytest.fixture
def both_in_calls(
    system: SqliteFiles | PostgresServer, databases: dict[str, str], manner_in_calls: Manner
) -> Iterator[Both]:
    """The same with synchronous drivers only."""
    with _both(system, databases, manner_in_calls) as both:
        yield both


@pytest.fixture
def both_on_postgres(
    postgres_server: PostgresServer, databases_on_postgres: dict[str, str], manner: Manner
) -> Iterator[Both]:
    """The same on Postgres only."""
    with _both(postgres_server, databases_on_postgres, manner) as both:
        yield both


@contextmanager
def _both(system: SqliteFiles | PostgresServer, databases: dict[str, str], manner: Manner) -> Iterator[Both]:
    make = _awaited_sides if manner.awaited else _sides
    sides = make(system.name, databases["raw"], databases[manner.cache], CONFIGS[manner.cache])
    for side in sides:
        _populate(side)
        side.renew()
    yield Both(*sides, manner.executions)
    for side in sides:
        side.end()


def _sides(system: str, raw: str, ours: str, config: Config) -> tuple[Side, Side]:
    driver, drop_in = (sqlite3, proxydb.sqlite3) if system == "sqlite" else (psycopg, proxydb.psycopg)
    return (
        Side(driver, driver, lambda: driver.connect(raw), lambda: driver.connect(raw)),
        Side(drop_in, driver, lambda: proxydb.connect(ours, config=config), lambda: driver.connect(ours)),
    )


def _awaited_sides(system: str, raw: str, ours: str, config: Config) -> tuple[Side, Side]:
    connect = aiosqlite.connect if system == "sqlite" else psycopg.AsyncConnection.connect
    sides = _sides(system, raw, ours, config)
    for side in sides:
        side.drive()
    sides[0].open = lambda: sides[0].loop.run(connect(raw))
    sides[1].open = lambda: sides[1].loop.run(aio.connect(ours, config=config))
    return sides


def _populate(side: Side) -> None:
    """Make the table anew, beside the proxy."""
    connection: Any
    with closing(side.open_beside()) as connection:
        cursor = connection.cursor()
        if not side.is_sqlite:
            cursor.execute("SET lock_timeout = '10s'")  # what a failed fact has left locked is an error, not a halt
        cursor.execute("DROP TABLE IF EXISTS planet")
        cursor.execute(SCHEMA)
        cursor.executemany(side.sql("INSERT INTO planet VALUES (?, ?, ?, ?)"), PLANETS)
        connection.commit()
