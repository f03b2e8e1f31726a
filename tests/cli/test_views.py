"""`proxydb views`."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from proxydb.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def views(sqlite_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Runs an action on a database with a table, and gives the status and what it prints."""
    with closing(sqlite3.connect(sqlite_path)) as connection:
        connection.executescript("CREATE TABLE t (id INTEGER PRIMARY KEY, g TEXT); INSERT INTO t VALUES (1, 'a')")

    def run(*arguments: str) -> tuple[int, str]:
        status = main(["views", *arguments, "--target", str(sqlite_path)])
        return status, capsys.readouterr().out

    return run


def test_the_life_of_a_view(views: Callable[..., tuple[int, str]]) -> None:
    """A view is made, listed, refreshed, checked, explained, repaired and dropped."""
    assert views("create", "v", "SELECT g, count(*) AS n FROM t GROUP BY g") == (0, "v  groups  immediate  fresh\n")
    assert views("list") == (0, "v  groups  immediate  fresh\n")
    assert views("refresh", "v") == (0, "v  groups  immediate  fresh\n")
    assert views("check", "v") == (0, "v: 1 rows, 0 missing, 0 too many\n")
    assert "proxydb_v_groups" in views("explain", "v")[1]
    assert views("repair") == (0, "nothing to repair\n")
    assert views("drop", "v") == (0, "dropped v\n")
    assert views("list") == (0, "no materialized views\n")


def test_json(views: Callable[..., tuple[int, str]]) -> None:
    """Every action prints JSON on demand."""
    made: dict[str, Any] = json.loads(views("create", "v", "SELECT g FROM t", "--json", "--maintenance", "full")[1])
    assert (made["name"], made["maintenance"], made["state"]) == ("v", "full", "dirty")
    assert [view["name"] for view in json.loads(views("list", "--json")[1])] == ["v"]
    assert json.loads(views("check", "v", "--json")[1])["is_exact"]


def test_a_difference(views: Callable[..., tuple[int, str]], sqlite_path: Path) -> None:
    """The status tells that a view is not what it should be."""
    views("create", "v", "SELECT id, g FROM t")
    with closing(sqlite3.connect(sqlite_path)) as connection, connection:
        connection.execute("DELETE FROM proxydb_v_rows")
    assert views("check", "v") == (1, "v: 1 rows, 1 missing, 0 too many\n  missing  (1, 'a')\n")
