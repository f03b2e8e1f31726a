"""Views on SQLite show what their queries give, after whatever changes by writers that know nothing of proxydb."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest

from tests.views.shop import VIEWS, change, change_in_transactions, differences

if TYPE_CHECKING:
    import sqlite3

    from proxydb.database import Database

STEPS = 120


@pytest.mark.parametrize("seed", range(6))
def test_random_changes(seed: int, plain: sqlite3.Connection) -> None:
    """After each of many random changes every view holds the bag of rows that its query gives."""
    random = Random(seed)
    plain.execute(f"PRAGMA recursive_triggers = {seed % 2}")
    plain.execute(f"PRAGMA foreign_keys = {seed % 3 > 0}")
    for step in range(STEPS):
        (change_in_transactions if step % 4 == 0 else change)(plain, random)
        assert differences(plain) == []


def test_check_sees_the_same(plain: sqlite3.Connection, database: Database) -> None:
    """`check` compares a view with its query, whichever of the two has changed."""
    assert all(database.views.check(name).is_exact for name in VIEWS)
    plain.execute("DELETE FROM proxydb_by_shop_groups")
    checked = database.views.check("by_shop")
    assert (checked.is_exact, checked.missing, checked.surplus) == (False, checked.rows, 0)
    assert checked.examples[0][0] == "missing"


def test_the_workload_fills_the_views(plain: sqlite3.Connection) -> None:
    """The random changes are not idle: at some time every view has rows."""
    random, filled = Random(5), set()
    for _ in range(400):
        change(plain, random)
        filled |= {name for name in VIEWS if plain.execute(f'SELECT 1 FROM "{name}"').fetchone()}
    assert filled == set(VIEWS)


def test_refresh_changes_nothing(plain: sqlite3.Connection, database: Database) -> None:
    """A view that is computed as a whole, and those that read it, hold the same as before."""
    for name in ("joined", "ranked", "by_shop"):
        assert database.views.refresh(name).state == "fresh"
    assert differences(plain) == []
    change(plain, Random(1))
    assert differences(plain) == []


def test_nothing_is_left(plain: sqlite3.Connection, database: Database) -> None:
    """A dropped view leaves nothing behind."""
    for name in reversed(VIEWS):
        database.views.drop(name)
    left = plain.execute("SELECT name FROM sqlite_master WHERE name LIKE '%proxydb%' AND sql IS NOT NULL").fetchall()
    assert left == [("proxydb_views",)]
