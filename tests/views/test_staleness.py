"""How old a view is that is not exact, and which views are refreshed for it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

import proxydb
from proxydb.cli.__main__ import main

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import psycopg

    from proxydb.views.api import Views

LONG = 1e6


@pytest.fixture
def sqlite_views(sqlite_path: Path) -> Iterator[Views]:
    """A table with a row in SQLite."""
    with closing(sqlite3.connect(sqlite_path)) as connection:
        connection.executescript("CREATE TABLE t (id INTEGER PRIMARY KEY, a); INSERT INTO t VALUES (1, 2);")
    with proxydb.database(sqlite_path) as database:
        yield database.views


def _insert(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("INSERT INTO t (a) VALUES (3)")
        connection.commit()


def test_an_exact_view(sqlite_views: Views) -> None:
    """It has no age, may be used, and waits for nothing."""
    made = sqlite_views.create("v", "SELECT a FROM t", max_staleness=0.0)
    assert (made.age, made.is_usable, made.is_due) == (0.0, True, False)


@pytest.mark.parametrize(
    ("staleness", "usable", "due"), [(None, False, False), (LONG, True, False), (0.0, False, True)]
)
def test_a_view_that_waits(
    staleness: float | None, usable: bool, due: bool, sqlite_views: Views, sqlite_path: Path
) -> None:
    """It may be used as long as it is not too old, and is refreshed when it is."""
    sqlite_views.create("v", "SELECT a FROM t", maintenance="deferred", max_staleness=staleness)
    _insert(sqlite_path)
    [view] = sqlite_views.list()
    assert view.age > 0
    assert (view.is_usable, view.is_due) == (usable, due)
    assert [each.state for each in sqlite_views.refresh_stale()] == ["fresh"] * due
    assert sqlite_views.check("v").is_exact is due


def test_a_broken_view(sqlite_views: Views, sqlite_path: Path) -> None:
    """It may not be used, and is not refreshed."""
    sqlite_views.create("v", "SELECT a FROM t", max_staleness=LONG)
    with closing(sqlite3.connect(sqlite_path)) as connection:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")]
        connection.execute(f'DROP TRIGGER "{names[0]}"')
    [view] = sqlite_views.list()
    assert (view.state, view.is_usable, view.is_due) == ("disabled", False, False)
    assert sqlite_views.refresh_stale() == []


def test_on_postgres(postgres_empty: psycopg.Connection[Any], postgres_dsn: str) -> None:
    """A view with a log is exact, and its log is taken in when it has waited for too long."""
    with proxydb.database(postgres_dsn) as database:
        views = database.views
        views.create("due", "SELECT item FROM bag", max_staleness=0.0)
        views.create("later", "SELECT number FROM bag", max_staleness=LONG)
        views.create("full", "SELECT number FROM bag", maintenance="full", max_staleness=0.0)
        postgres_empty.execute("INSERT INTO bag VALUES ('a', 1)")
        assert [(view.is_usable, view.is_due) for view in views.list()] == [(True, True), (True, False), (False, True)]
        assert [view.name for view in views.refresh_stale()] == ["due", "full"]
        assert [view.state for view in views.list()] == ["fresh", "overlay", "dirty"]


def test_the_command(sqlite_views: Views, sqlite_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`list` tells the age, and `refresh --stale` refreshes what is too old."""
    sqlite_views.create("v", "SELECT a FROM t", maintenance="deferred", max_staleness=0.0)
    _insert(sqlite_path)
    assert main(["views", "list", "--target", str(sqlite_path)]) == 0
    assert "s old, 0 s are allowed" in capsys.readouterr().out
    assert main(["views", "refresh", "--stale", "--target", str(sqlite_path)]) == 0
    assert capsys.readouterr().out == "v  rows  deferred  fresh\n"
    assert main(["views", "refresh", "--stale", "--target", str(sqlite_path)]) == 0
    assert capsys.readouterr().out == "nothing is stale\n"
    assert main(["views", "refresh", "--target", str(sqlite_path)]) != 0
    assert "name one view, or say --stale" in capsys.readouterr().err
