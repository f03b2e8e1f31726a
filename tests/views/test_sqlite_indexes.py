"""Indexes on views are made by the views' own columns, are used, and outlive a refresh."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import proxydb
from proxydb.errors import NotSupportedError, ProgrammingError

if TYPE_CHECKING:
    from collections.abc import Iterator

VIEWS = {
    "rows": "SELECT path, upper(day) AS day, bytes FROM file WHERE bytes > 0",
    "groups": "SELECT day, count(*) AS files, sum(bytes) AS bytes FROM file GROUP BY day",
    "arms": "SELECT path, day FROM file WHERE bytes > 5 UNION ALL SELECT path, day FROM file WHERE bytes < 3",
}


@pytest.fixture
def connection() -> Iterator[Any]:
    """A database in memory with a table and views of it."""
    connection = proxydb.connect(":memory:", isolation_level=None)
    connection.execute("CREATE TABLE file (path TEXT PRIMARY KEY, day TEXT NOT NULL, bytes INTEGER)")
    connection.executemany("INSERT INTO file VALUES (?, ?, ?)", ((f"f{n}", f"d{n % 7}", n % 9) for n in range(300)))
    for name, sql in VIEWS.items():
        connection.proxydb.views.create(name, sql)
    yield connection
    connection.close()


def plan(connection: Any, name: str) -> str:
    """How SQLite finds the rows of a day in a view."""
    found = connection.execute(f"EXPLAIN QUERY PLAN SELECT * FROM {name} WHERE day = 'd1'").fetchall()
    return " ".join(row[3] for row in found)


@pytest.mark.parametrize(("name", "uses"), [("rows", 1), ("groups", 1), ("arms", 2)])
def test_an_index_is_used(connection: Any, name: str, uses: int) -> None:
    """A predicate on the view is answered by the index, in each of its SELECTs, also on an expression."""
    connection.proxydb.views.index(name, ["day"])
    assert plan(connection, name).count("_by_day") == uses


@pytest.mark.parametrize("name", VIEWS)
def test_an_index_outlives_a_refresh(connection: Any, name: str) -> None:
    """A view that is made again has its indexes again, and is kept exact."""
    connection.proxydb.views.index(name, ["day"])
    connection.proxydb.views.refresh(name)
    connection.execute("UPDATE file SET day = 'd1' WHERE day = 'd2'")
    assert ("_by_day" in plan(connection, name), connection.proxydb.views.check(name).is_exact) == (True, True)


def test_an_index_is_no_damage(connection: Any) -> None:
    """A view with an index, also made twice, is as healthy as before, and is dropped with it."""
    views = connection.proxydb.views
    views.index("rows", ["day", "path"])
    views.index("rows", ["day", "path"])
    assert {view.state for view in views.list()} == {"fresh"}
    views.drop("rows")
    left = connection.execute("SELECT count(*) FROM sqlite_master WHERE name LIKE '%_by_day_path'").fetchone()
    assert left == (0,)


@pytest.mark.parametrize(
    ("name", "columns", "told"),
    [
        ("rows", ["size"], "no column 'size'; it has path, day, bytes"),
        ("rows", [], "needs a column"),
        ("nothing", ["day"], "there is no materialized view 'nothing'"),
    ],
)
def test_what_cannot_be_indexed_is_refused(connection: Any, name: str, columns: list[str], told: str) -> None:
    """A view or a column that is not there, and no column at all."""
    with pytest.raises(ProgrammingError, match=told):
        connection.proxydb.views.index(name, columns)


def test_a_database_without_indexes_on_views_says_so(connection: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the engine cannot make them, that is the error."""
    monkeypatch.delattr("proxydb.views.sqlite.engine.index")
    with pytest.raises(NotSupportedError, match=r"views on sqlite have no index\(\)"):
        connection.proxydb.views.index("rows", ["day"])
