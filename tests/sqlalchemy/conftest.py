"""Engines of SQLAlchemy on fresh databases, on its own dialects and on ours."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from sqlalchemy import create_engine

from tests.sqlalchemy.urls import url_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Engine

    from tests.postgres_server import PostgresServer
    from tests.sqlite_files import SqliteFiles

KEEP_ALL = {"proxydb_admission": "0"}


class Pair(NamedTuple):
    """An engine on SQLAlchemy's own dialect and one on ours, each with a database of its own."""

    raw: Engine
    proxied: Engine

    def agree(self, fact: Callable[[Engine], Any], times: int = 4) -> Any:
        """What `fact` tells of both engines, which is the same each time; later times are answered from memory."""
        for time in range(times):
            expected, actual = fact(self.raw), fact(self.proxied)
            assert actual == expected, f"time {time + 1}"
        return expected

    @property
    def hits(self) -> int:
        """How many reads were answered from memory."""
        return hits(self.proxied)


def hits(engine: Engine) -> int:
    """How many reads of the process on the engine's database were answered from memory."""
    with engine.connect() as connection:
        database: Any = connection.connection.driver_connection
        return int(database.proxydb.stats().hits)


@contextmanager
def opened(target: str, driver: str, query: dict[str, str], **options: Any) -> Iterator[Engine]:
    engine = create_engine(url_of(target, driver, **query), **options)
    try:
        yield engine
    finally:
        engine.dispose()


@pytest.fixture
def pair(system: SqliteFiles | PostgresServer) -> Iterator[Pair]:
    """Both engines; a test that asks for them runs on SQLite and on every chosen server."""
    with (
        system.fresh_database() as one,
        system.fresh_database() as other,
        opened(one, "raw", {}) as raw,
        opened(other, "proxydb", KEEP_ALL) as proxied,
    ):
        yield Pair(raw, proxied)


@pytest.fixture
def postgres_pair(postgres_server: PostgresServer) -> Iterator[Pair]:
    """Both engines on Postgres."""
    with (
        postgres_server.fresh_database() as one,
        postgres_server.fresh_database() as other,
        opened(one, "raw", {}) as raw,
        opened(other, "proxydb", KEEP_ALL) as proxied,
    ):
        yield Pair(raw, proxied)


@pytest.fixture
def engine(target: str) -> Iterator[Engine]:
    """An engine on our dialect that keeps everything."""
    with opened(target, "proxydb", KEEP_ALL) as made:
        yield made
