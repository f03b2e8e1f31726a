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


@pytest.mark.parametrize(("maintenance", "steps", "every"), [("immediate", 250, 1), ("deferred", 72, 12)])
@pytest.mark.parametrize("seed", range(2))
def test_random_changes(seed: int, maintenance: str, steps: int, every: int, sqlite_path: Path) -> None:
    """After each change, or each refresh after some, a view holds the bag of rows that its query gives."""
    with closing(sqlite3.connect(sqlite_path, isolation_level=None)) as plain:
        plain.execute("PRAGMA synchronous = OFF")
        plain.executescript(SCHEMA)
        plain.execute("BEGIN")
        for name, sql in VIEWS.items():
            engine.create(plain, name, sql, maintenance, None)
        plain.execute("COMMIT")
        queries = {name: catalog.get(plain.execute, name).sql for name in VIEWS}
        plain.execute(f"PRAGMA foreign_keys = {seed}")
        random = Random(seed)
        for step in range(steps):
            with suppress(sqlite3.IntegrityError):
                plain.execute(*change(random))
            if step % every == every - 1:
                if maintenance == "deferred":
                    for name in VIEWS:
                        engine.refresh(plain, name)
                assert differences(plain, queries) == []
        assert all(plain.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in "abcd")
