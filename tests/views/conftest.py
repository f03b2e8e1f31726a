"""A shop with all views, made once and copied for each test."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from random import Random
from typing import TYPE_CHECKING

import pytest

import proxydb
from proxydb.views.sqlite import engine
from tests.views.shop import ROWS, SCHEMA, VIEWS, change

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from proxydb.database import Database


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
