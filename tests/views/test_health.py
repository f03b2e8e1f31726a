"""A view that no longer stands on what it was made for says so, and can be repaired."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

import proxydb
from proxydb.errors import NotSupportedError
from tests.views.shop import differences

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from proxydb.database import Database

VIEWS = {"v": "SELECT g, count(*) AS n FROM t GROUP BY g", "w": "SELECT n FROM v WHERE n > 1", "x": "SELECT a FROM u"}


@pytest.fixture
def plain(sqlite_path: Path) -> Iterator[sqlite3.Connection]:
    """A connection of the plain driver."""
    with closing(sqlite3.connect(sqlite_path, isolation_level=None)) as connection:
        connection.executescript("CREATE TABLE t (id INTEGER PRIMARY KEY, g TEXT, h TEXT); CREATE TABLE u (a)")
        connection.execute("INSERT INTO t (g) VALUES ('a'), ('a'), ('b')")
        yield connection


@pytest.fixture
def database(plain: sqlite3.Connection, sqlite_path: Path) -> Iterator[Database]:
    """The database with views."""
    with proxydb.database(sqlite_path) as database:
        for name, sql in VIEWS.items():
            database.views.create(name, sql)
        yield database


def states(database: Database) -> dict[str, str]:
    """The state of each view."""
    return {view.name: view.state for view in database.views.list()}


BROKEN = {
    "DROP TRIGGER proxydb_v_0_insert": "proxydb_v_0_insert",
    "DROP TRIGGER proxydb_v_groups_delete": "proxydb_v_groups_delete",
    "ALTER TABLE t ADD COLUMN more": "t",
    "CREATE UNIQUE INDEX of_h ON t (h)": "t",
    "DROP INDEX proxydb_v_groups_key": "proxydb_v_groups_key",
}


@pytest.mark.parametrize(("sql", "thing"), BROKEN.items(), ids=range(len(BROKEN)))
def test_broken_and_repaired(sql: str, thing: str, plain: sqlite3.Connection, database: Database) -> None:
    """A view is disabled when something that it stands on is gone or different, and exact after a repair."""
    plain.execute(sql)
    plain.execute("INSERT INTO t (g) VALUES ('b')")
    [broken] = [view for view in database.views.list() if view.name == "v"]
    assert (broken.state, thing in broken.reason) == ("disabled", True)
    assert "v" in [view.name for view in database.views.repair()]
    assert set(states(database).values()) == {"fresh"}
    plain.execute("REPLACE INTO t VALUES (1, 'c', 'h')" if "more" not in sql else "DELETE FROM t WHERE id = 1")
    assert differences(plain, VIEWS) == []


def test_a_column_is_renamed(plain: sqlite3.Connection, database: Database) -> None:
    """A view whose column has another name now is disabled, and says at its repair that there is none."""
    plain.execute("ALTER TABLE t RENAME COLUMN g TO other")
    assert states(database)["v"] == "disabled"
    with pytest.raises(sqlite3.OperationalError, match="no such column: g"):
        database.views.repair("v")
    assert states(database)["v"] == "disabled"


def test_the_event(plain: sqlite3.Connection, database: Database) -> None:
    """A view that is found broken is logged once."""
    plain.execute("DROP TRIGGER proxydb_x_0_insert")
    with capture_logs() as events:
        database.views.list()
        database.views.list()
    assert [(event["event"], event["view"]) for event in events] == [("view_disabled", "x")]
    assert "proxydb_x_0_insert" in events[0]["reason"]


def test_a_table_is_dropped(plain: sqlite3.Connection, database: Database) -> None:
    """A view whose table is gone is disabled, and can be dropped."""
    plain.execute("DROP TABLE u")
    assert states(database) == {"v": "fresh", "w": "fresh", "x": "disabled"}
    database.views.drop("x")
    assert states(database) == {"v": "fresh", "w": "fresh"}


def test_other_views_are_left_alone(plain: sqlite3.Connection, database: Database) -> None:
    """What happens to one view's table does not concern the others."""
    plain.execute("DROP TRIGGER proxydb_x_0_insert")
    assert states(database) == {"v": "fresh", "w": "fresh", "x": "disabled"}
    assert [view.name for view in database.views.repair("v")] == []
    assert [view.name for view in database.views.repair()] == ["x"]


def test_a_newer_format(plain: sqlite3.Connection, database: Database) -> None:
    """Views of a newer proxydb are not touched."""
    plain.execute("UPDATE proxydb_views SET format = 99")
    with pytest.raises(NotSupportedError, match="made by a newer proxydb"):
        database.views.list()


def test_the_cache_is_right_with_views(plain: sqlite3.Connection, database: Database, sqlite_path: Path) -> None:
    """A kept result of a view is given while nothing changes, and not after a write to its table by whomever."""
    sql = "SELECT a.n FROM v a, v b, v c, v d, v e ORDER BY 1"
    config = proxydb.Config(admission=0)
    with closing(proxydb.connect(sqlite_path, isolation_level=None, config=config)) as connection:
        for writer in (plain, connection, plain, connection):
            for _ in range(4):
                assert connection.execute(sql).fetchall() == plain.execute(sql).fetchall()
            writer.execute("INSERT INTO t (g) VALUES ('c')")
            assert connection.execute(sql).fetchall() == plain.execute(sql).fetchall()
        assert connection.proxydb.stats().hits >= 8


def test_an_older_format(plain: sqlite3.Connection, database: Database) -> None:
    """A view in the format of an older proxydb is disabled, read by no other, and can be repaired."""
    plain.execute("UPDATE proxydb_views SET format = format - 1 WHERE name = 'v'")
    [older] = [view for view in database.views.list() if view.name == "v"]
    assert (older.state, "the format of its tables" in older.reason) == ("disabled", True)
    with pytest.raises(NotSupportedError, match="v is in an older format: repair it"):
        database.views.create("y", "SELECT n FROM v WHERE n > 2")
    assert "v" in [view.name for view in database.views.repair()]
    assert set(states(database).values()) == {"fresh"}
    assert differences(plain, VIEWS) == []


@pytest.mark.parametrize("legacy", [0, 1])
def test_a_table_is_renamed(legacy: int, plain: sqlite3.Connection, database: Database) -> None:
    """A view whose table has another name now is disabled, whether or not SQLite has renamed it in the triggers."""
    plain.execute(f"PRAGMA legacy_alter_table = {legacy}")
    plain.execute("ALTER TABLE t RENAME TO other")
    assert states(database) == {"v": "disabled", "w": "disabled", "x": "fresh"}
    with pytest.raises(sqlite3.OperationalError, match="no such table: t"):
        database.views.repair("v")
    plain.execute("ALTER TABLE other RENAME TO t")
    database.views.repair()
    plain.execute("INSERT INTO t (g) VALUES ('b')")
    assert (set(states(database).values()), differences(plain, VIEWS)) == ({"fresh"}, [])


def test_the_table_of_rows_is_renamed(plain: sqlite3.Connection, database: Database) -> None:
    """A view whose own table was renamed is disabled, and made again by a repair."""
    plain.execute("ALTER TABLE proxydb_x_rows RENAME TO mine")
    assert states(database)["x"] == "disabled"
    database.views.repair("x")
    assert (states(database)["x"], differences(plain, VIEWS)) == ("fresh", [])
