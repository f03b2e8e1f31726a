"""Views on SQLite whose changes are logged and taken in by a refresh."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from random import Random
from typing import TYPE_CHECKING

import pytest

from proxydb.views.sqlite import engine
from tests.views.shop import ROWS, SCHEMA, VIEWS, change, change_in_transactions, differences

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAMES = [
    name for name, sql in VIEWS.items() if not any(f" {other} " in f"{sql} " or f'"{other}"' in sql for other in VIEWS)
]


@pytest.fixture
def shop(sqlite_path: Path) -> Iterator[sqlite3.Connection]:
    """A shop with deferred views."""
    with closing(sqlite3.connect(sqlite_path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.executescript(SCHEMA + ROWS)
        connection.execute("BEGIN")
        for name in NAMES:
            engine.create(connection, name, VIEWS[name], "deferred", None)
        connection.execute("COMMIT")
        yield connection


@pytest.mark.parametrize("seed", range(2))
def test_random_changes(seed: int, shop: sqlite3.Connection) -> None:
    """After a refresh every view holds what its query gives, and before it what it held at the last."""
    random = Random(seed)
    shop.execute(f"PRAGMA foreign_keys = {seed % 2}")
    for _ in range(6):
        before = shop.execute("SELECT * FROM filtered").fetchall()
        for _ in range(random.randrange(1, 12)):
            change_in_transactions(shop, random)
            change(shop, random)
        assert shop.execute("SELECT * FROM filtered").fetchall() == before
        shop.execute("BEGIN")
        for name in NAMES:
            engine.refresh(shop, name)
        shop.execute("COMMIT")
        assert differences(shop, {name: VIEWS[name] for name in NAMES}) == []


def test_the_states(shop: sqlite3.Connection) -> None:
    """A deferred view says how many rows wait for a refresh."""
    assert {view.state for view in engine.views(shop)} == {"fresh"}
    shop.execute("UPDATE bag SET number = 9 WHERE number = 7")
    states = {view.name: (view.state, view.reason) for view in engine.views(shop)}
    assert states["of_a_bag"] == ("dirty", "2 changed rows wait for a refresh")
    assert states["by_shop"] == ("fresh", "")
    assert engine.refresh(shop, "of_a_bag").state == "fresh"


def test_a_large_change_is_computed_as_a_whole(shop: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refresh after many changes does not go over them one by one."""
    taken: list[str] = []
    monkeypatch.setattr(engine, "take_in", lambda *_: taken.append("in"))
    shop.execute(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 1200) INSERT INTO bag SELECT i, i FROM n"
    )
    assert engine.refresh(shop, "of_a_bag").state == "fresh"
    assert (taken, differences(shop, {"of_a_bag": VIEWS["of_a_bag"]})) == ([], [])
    shop.execute("UPDATE bag SET number = 9 WHERE number = 7")
    engine.refresh(shop, "of_a_bag")
    assert taken == ["in"]
