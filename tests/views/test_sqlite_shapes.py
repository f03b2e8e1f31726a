"""Views of many shapes on SQLite show what their queries give, kept at once or by refreshes."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from random import Random
from typing import TYPE_CHECKING

import pytest

from proxydb.views.sqlite import catalog, engine
from tests.views.shapes import SCHEMA, VIEWS, change
from tests.views.shop import differences

if TYPE_CHECKING:
    from pathlib import Path


SEEDS, STEPS = 2, 250


@pytest.mark.parametrize(("maintenance", "part", "every"), [("immediate", 1, 1), ("deferred", 3, 12)])
def test_random_changes(
    walk_seed: int, walk_steps: int, maintenance: str, part: int, every: int, sqlite_path: Path
) -> None:
    """After each change, or each refresh after some, a view holds the bag of rows that its query gives."""
    with closing(sqlite3.connect(sqlite_path, isolation_level=None)) as plain:
        plain.execute("PRAGMA synchronous = OFF")
        plain.executescript(SCHEMA)
        plain.execute("BEGIN")
        for name, sql in VIEWS.items():
            engine.create(plain, name, sql, maintenance, None)
        plain.execute("COMMIT")
        queries = {name: catalog.get(plain.execute, name).sql for name in VIEWS}
        plain.execute(f"PRAGMA foreign_keys = {walk_seed % 2}")
        random, filled = Random(walk_seed), set()
        for step in range(walk_steps // part):
            with suppress(sqlite3.IntegrityError):
                plain.execute(*change(random))
            filled |= {table for table in "abcd" if plain.execute(f"SELECT 1 FROM {table}").fetchone()}
            if step % every == every - 1:
                if maintenance == "deferred":
                    for name in VIEWS:
                        engine.refresh(plain, name)
                assert differences(plain, queries) == []
        assert walk_seed >= SEEDS or filled == set("abcd")
