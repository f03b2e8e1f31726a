"""Views on SQLite show what their queries give, after whatever changes by writers that know nothing of proxydb."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from random import Random
from typing import TYPE_CHECKING

import pytest

import proxydb
from tests.views.shop import SCHEMA, VIEWS, change, change_in_transactions, differences

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from proxydb.database import Database

SEEDS, STEPS = 6, 120


@pytest.fixture
def plain(sqlite_path: Path) -> Iterator[sqlite3.Connection]:
    """A connection of the plain driver to a shop."""
    with closing(sqlite3.connect(sqlite_path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.executescript(SCHEMA)
        yield connection


@pytest.fixture
def database(plain: sqlite3.Connection, sqlite_path: Path) -> Iterator[Database]:
    """The shop with all views."""
    random = Random(0)
    for _ in range(60):
        change(plain, random)
    with proxydb.database(sqlite_path) as database:
        for name, sql in VIEWS.items():
            database.views.create(name, sql)
        yield database


@pytest.mark.parametrize("seed", range(SEEDS))
def test_random_changes(seed: int, plain: sqlite3.Connection, database: Database) -> None:
    """After each of many random changes every view holds the bag of rows that its query gives."""
    random = Random(seed)
    plain.execute(f"PRAGMA recursive_triggers = {seed % 2}")
    plain.execute(f"PRAGMA foreign_keys = {seed % 3 > 0}")
    for step in range(STEPS):
        (change_in_transactions if step % 4 == 0 else change)(plain, random)
        if step % 3 == 0:
            assert differences(plain) == []
    assert all(database.views.check(name).is_exact for name in VIEWS)


def test_the_workload_fills_the_views(plain: sqlite3.Connection, database: Database) -> None:
    """The random changes are not idle: at some time every view has rows."""
    random, filled = Random(5), set()
    for _ in range(400):
        change(plain, random)
        filled |= {name for name in VIEWS if plain.execute(f'SELECT 1 FROM "{name}"').fetchone()}
    assert filled == set(VIEWS)


def test_nothing_is_left(plain: sqlite3.Connection, database: Database) -> None:
    """A dropped view leaves nothing behind."""
    for name in reversed(VIEWS):
        database.views.drop(name)
    left = plain.execute("SELECT name FROM sqlite_master WHERE name LIKE '%proxydb%' AND sql IS NOT NULL").fetchall()
    assert left == [("proxydb_views",)]
