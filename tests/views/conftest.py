"""A shop with all views, made once and copied for each test."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from random import Random
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

import proxydb
from proxydb.views.sqlite import engine
from tests.views import postgres_shop
from tests.views.shop import ROWS, SCHEMA, VIEWS, change

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from proxydb.database import Database
    from proxydb.views.api import Views
    from tests.postgres_server import PostgresServer


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that walks at random walks from as many seeds as ``--views-seeds`` says, or its module's own SEEDS."""
    if "walk_seed" in metafunc.fixturenames:
        seeds = metafunc.config.getoption("--views-seeds") or metafunc.module.SEEDS
        metafunc.parametrize("walk_seed", range(seeds))


@pytest.fixture
def walk_steps(request: pytest.FixtureRequest) -> int:
    """How many steps it walks: as ``--views-steps`` says, or its module's own STEPS."""
    steps: int = request.config.getoption("--views-steps") or request.module.STEPS
    return steps


@pytest.fixture(scope="session")
def shop_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop with some rows and all views; it is copied and never opened."""
    path = tmp_path_factory.mktemp("shop") / "template.db"
    random = Random(0)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.executescript(SCHEMA)
        for _ in range(60):
            change(connection, random)
        connection.executescript(ROWS)
    with closing(proxydb.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("BEGIN")
        for name, sql in VIEWS.items():
            engine.create(connection, name, sql, "immediate", None)
        connection.execute("COMMIT")
    return path


@pytest.fixture
def shop_path(shop_template: Path, tmp_path: Path) -> Path:
    """The file of a shop of the test's own."""
    return shutil.copy(shop_template, tmp_path / "shop.db")


@pytest.fixture
def plain(shop_path: Path) -> Iterator[sqlite3.Connection]:
    """A connection of the plain driver to the shop."""
    with closing(sqlite3.connect(shop_path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        yield connection


@pytest.fixture
def database(shop_path: Path) -> Iterator[Database]:
    """The shop."""
    with proxydb.database(shop_path) as database:
        yield database


@pytest.fixture(scope="session")
def postgres_template(postgres_server: PostgresServer) -> Iterator[str]:
    """The name of a shop on Postgres with some rows and all views; it is copied and never opened."""
    random = Random(0)
    with postgres_server.fresh_database() as dsn:
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute(postgres_shop.SCHEMA)
            for _ in range(60):
                postgres_shop.change(connection, random)
            connection.execute(postgres_shop.ROWS)
        with proxydb.database(dsn) as database:
            postgres_shop.create_all(database.views)
        yield str(conninfo_to_dict(dsn)["dbname"])


@pytest.fixture
def postgres_shop_dsn(postgres_server: PostgresServer, postgres_template: str) -> Iterator[str]:
    """The conninfo of a shop of the test's own."""
    with postgres_server.fresh_database(postgres_template) as dsn:
        yield dsn


@pytest.fixture
def postgres_views(postgres_shop_dsn: str) -> Iterator[Views]:
    """The shop's views."""
    with proxydb.database(postgres_shop_dsn) as database:
        yield database.views


@pytest.fixture
def postgres_plain(postgres_shop_dsn: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection of the plain driver to the shop."""
    with psycopg.connect(postgres_shop_dsn, autocommit=True) as connection:
        yield connection


@pytest.fixture
def postgres_empty(postgres_dsn: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection of the plain driver to a shop without rows and views."""
    with psycopg.connect(postgres_dsn, autocommit=True) as connection:
        connection.execute(postgres_shop.SCHEMA)
        yield connection
