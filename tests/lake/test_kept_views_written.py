"""The lake's views on SQLite stay exact whatever is written to its tables, also what no commit writes."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

import proxydb.lake
from proxydb.lake.views import lake_views
from tests.lake.test_views import PROMOTED
from tests.views.shop import differences

if TYPE_CHECKING:
    from pathlib import Path

STEPS = 150

BETWEEN = """
CREATE TRIGGER after_remove AFTER INSERT ON dl_remove_files WHEN NEW.version % 3 = 0 BEGIN
  INSERT OR REPLACE INTO dl_add_files
    VALUES (NEW.table_id, NEW.version + 1, NEW.path, NEW.dv_id, 7, '{}', NULL, 0, 1, NULL);
  DELETE FROM dl_add_files WHERE path = NEW.path AND version < 2;
END;
CREATE TRIGGER before_add BEFORE INSERT ON dl_add_files WHEN NEW.version % 3 = 1 BEGIN
  INSERT OR REPLACE INTO dl_remove_files
    VALUES (NEW.table_id, NEW.version, NEW.path, NEW.dv_id, 1, 2, '{}', 0, NULL);
  UPDATE dl_add_files SET version = version + 1 WHERE path = NEW.path;
END;
"""
"""Triggers of an application's, which write what the views read while a row is written."""


@pytest.mark.parametrize(("recursive", "between"), [(0, ""), (1, ""), (0, BETWEEN), (1, BETWEEN)])
def test_random_writes(recursive: int, between: str, sqlite_path: Path) -> None:
    """After each of many random statements every view holds what its query gives."""
    with proxydb.lake.open(str(sqlite_path)) as lake:
        lake.create_views(PROMOTED)
    views = {view.name: view.sql for view in lake_views("sqlite", PROMOTED)}
    filled: set[str] = set()
    with closing(sqlite3.connect(sqlite_path, isolation_level=None)) as plain:
        plain.execute("PRAGMA synchronous = OFF")
        plain.execute(f"PRAGMA recursive_triggers = {recursive}")
        plain.executescript(between)
        random = Random(recursive)
        for _ in range(STEPS):
            with suppress(sqlite3.IntegrityError):
                plain.execute(*_change(random))
            assert differences(plain, views) == []
            filled |= {name for name in views if plain.execute(f"SELECT 1 FROM {name}").fetchone()}
    assert {view.name for view in lake_views("sqlite") if view.kept} <= filled


def _change(random: Random) -> tuple[str, tuple[Any, ...]]:
    key = random.randrange(1, 3), random.randrange(6), random.choice("abc"), random.choice(["", "d"])
    conflict = random.choice(["", "OR REPLACE", "OR REPLACE", "OR IGNORE"])
    size, bounds = random.choice([1, 5, 2**41]), random.choice([None, '{"minValues":{"event_id":1}}'])
    partition = random.choice(["{}", '{"date":"2024"}', '{"date":""}'])
    add = *key, size, partition, bounds, 0, random.choice([0, 1]), None
    remove = *key, random.choice([None, 5]), random.choice([None, 3]), "{}", random.choice([0, 1]), None
    number, path = random.randrange(6), random.choice("abc")
    return random.choice(
        [
            (f"INSERT {conflict} INTO dl_add_files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", add),
            (f"INSERT {conflict} INTO dl_add_files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", add),
            (f"INSERT {conflict} INTO dl_remove_files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", remove),
            (f"UPDATE {conflict} dl_add_files SET version = ? WHERE path = ? AND version > ?", (number, path, key[1])),
            (f"UPDATE {conflict} dl_add_files SET path = ?, size_bytes = 9 WHERE path = ?", (path, key[2])),
            (f"UPDATE {conflict} dl_remove_files SET table_id = ? WHERE version = ?", (key[0], number)),
            ("DELETE FROM dl_add_files WHERE version = ?", (number,)),
            ("DELETE FROM dl_remove_files WHERE path = ? AND version < 3", (path,)),
            (f"INSERT {conflict} INTO dl_txn_actions VALUES (1, ?, ?, 4, NULL)", (number, path)),
            (
                "INSERT INTO dl_add_files SELECT table_id, version + 1, path, dv_id, 3, partition_values, stats, 0, 1, "
                "NULL FROM dl_add_files WHERE version < ? ON CONFLICT DO UPDATE SET size_bytes = size_bytes + 1",
                (number,),
            ),
        ]
    )
