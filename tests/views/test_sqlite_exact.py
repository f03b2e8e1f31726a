"""Views on SQLite show what their queries give, after whatever changes by writers that know nothing of proxydb."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from random import Random
from typing import TYPE_CHECKING

import pytest

from proxydb.views.sqlite import engine
from tests.views.shop import VIEWS, change, change_in_transactions, differences

if TYPE_CHECKING:
    from proxydb.database import Database

SEEDS, STEPS = 6, 120


def test_random_changes(walk_seed: int, walk_steps: int, plain: sqlite3.Connection) -> None:
    """After each of many random changes every view holds the bag of rows that its query gives."""
    random = Random(walk_seed)
    plain.execute(f"PRAGMA recursive_triggers = {walk_seed % 2}")
    plain.execute(f"PRAGMA foreign_keys = {walk_seed % 3 > 0}")
    for step in range(walk_steps):
        (change_in_transactions if step % 4 == 0 else change)(plain, random)
        assert differences(plain) == []


@pytest.mark.parametrize(("column", "key"), [("NOCASE", "BINARY"), ("BINARY", "NOCASE")])
def test_a_key_with_a_collation_of_its_own(column: str, key: str) -> None:
    """A view knows which rows a REPLACE removes where the primary key compares otherwise than its column."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as plain:
        plain.execute(f"CREATE TABLE t (k TEXT NOT NULL COLLATE {column}, v INT, PRIMARY KEY (k COLLATE {key}))")
        engine.create(plain, "rows_of_t", "SELECT k, v FROM t", None, None)
        for statement in ("INSERT INTO t VALUES ('a', 1)", "REPLACE INTO t VALUES ('A', 2)", "UPDATE t SET v = 3"):
            plain.execute(statement)
            assert differences(plain, {"rows_of_t": "SELECT k, v FROM t"}) == []


@pytest.mark.parametrize("name", ["rowid", "_rowid_", "OID"])
def test_a_key_that_is_updated_by_another_name(name: str, plain: sqlite3.Connection) -> None:
    """An INTEGER PRIMARY KEY that is changed as the rowid is changed in the views, too."""
    plain.execute(f"UPDATE sale SET {name} = 77 WHERE id = 1")
    assert plain.execute("SELECT count(*) FROM with_counts WHERE id = 77").fetchone() == (1,)
    assert differences(plain) == []


def test_text_in_a_sum(plain: sqlite3.Connection) -> None:
    """A sum of text that looks like integers is an integer, as in the query."""
    plain.execute("CREATE TABLE words (word, number)")
    query = "SELECT number, sum(word) AS s, avg(word) AS a FROM words GROUP BY number"
    engine.create(plain, "sums", query, None, None)
    plain.execute("INSERT INTO words VALUES ('1', 0), (2, 0), ('3', 1), ('x', 2), (4, 2), (x'31', 3)")
    assert plain.execute("SELECT s FROM sums ORDER BY number").fetchall() == [(3,), (3,), (4.0,), (1.0,)]
    assert differences(plain, {"sums": query}) == []


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
