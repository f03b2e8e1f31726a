"""CREATE, REFRESH and DROP MATERIALIZED VIEW through cursors on SQLite."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

import proxydb
from proxydb.errors import ProgrammingError
from proxydb.views.statements import ViewStatement, parse_statement

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def connection(sqlite_path: Path) -> Iterator[Any]:
    """A proxied connection to a database with a table."""
    with closing(proxydb.connect(sqlite_path)) as connection:
        connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, g TEXT, x INTEGER)")
        connection.execute("INSERT INTO t VALUES (1, 'a', 1), (2, 'b', 2), (3, 'a', 4)")
        connection.commit()
        yield connection


def test_create(connection: Any) -> None:
    """A view is made, and kept from then on; the cursor has no rows."""
    cursor = connection.execute("create Materialized View per_g AS SELECT g, sum(x) AS s FROM t GROUP BY g;")
    assert (cursor.description, cursor.fetchall()) == (None, [])
    connection.execute("DELETE FROM t WHERE id = 3")
    assert sorted(connection.execute("SELECT * FROM per_g")) == [("a", 1), ("b", 2)]
    assert [view.name for view in connection.proxydb.views.list()] == ["per_g"]


def test_in_a_transaction(connection: Any) -> None:
    """A view that is made in a transaction goes when that is rolled back."""
    connection.execute("INSERT INTO t VALUES (4, 'c', 1)")
    connection.execute("CREATE MATERIALIZED VIEW v AS SELECT g FROM t")
    assert len(connection.execute("SELECT * FROM v").fetchall()) == 4
    connection.rollback()
    with pytest.raises(sqlite3.OperationalError, match="no such table: v"):
        connection.execute("SELECT * FROM v")


def test_refresh_and_drop(connection: Any) -> None:
    """A view that is kept by refresh shows what is new after one, and is gone when it is dropped."""
    connection.execute("CREATE MATERIALIZED VIEW v WITH (maintenance = full) AS SELECT x FROM t WITH DATA")
    connection.execute("DELETE FROM t WHERE id > 1")
    assert len(connection.execute("SELECT * FROM v").fetchall()) == 3
    connection.execute("REFRESH MATERIALIZED VIEW CONCURRENTLY v")
    assert connection.execute("SELECT * FROM v").fetchall() == [(1,)]
    connection.execute("DROP MATERIALIZED VIEW v")
    connection.execute("DROP MATERIALIZED VIEW IF EXISTS v")
    connection.execute("CREATE MATERIALIZED VIEW IF NOT EXISTS v AS SELECT x FROM t")
    connection.execute("CREATE MATERIALIZED VIEW IF NOT EXISTS v AS SELECT x FROM t")


@pytest.mark.parametrize(
    ("sql", "error", "told"),
    [
        ("DROP MATERIALIZED VIEW v", sqlite3.ProgrammingError, "no materialized view 'v'"),
        ("CREATE MATERIALIZED VIEW t AS SELECT g FROM t", sqlite3.ProgrammingError, "choose another name"),
        ("CREATE MATERIALIZED VIEW v AS", sqlite3.ProgrammingError, "a query is expected"),
        ("CREATE MATERIALIZED VIEW v SELECT g FROM t", sqlite3.ProgrammingError, "AS is expected"),
        ("CREATE MATERIALIZED VIEW v WITH (speed = 3) AS SELECT g FROM t", sqlite3.ProgrammingError, "no option"),
        ("CREATE MATERIALIZED VIEW v AS SELECT g FROM t WITH NO DATA", sqlite3.ProgrammingError, "is filled"),
        ("CREATE MATERIALIZED VIEW v AS SELECT random() AS r", sqlite3.NotSupportedError, "maintenance='full'"),
        ("CREATE MATERIALIZED VIEW v AS SELECT g FROM missing", sqlite3.OperationalError, "no such table"),
    ],
)
def test_an_error(sql: str, error: type[Exception], told: str, connection: Any) -> None:
    """What is wrong raises the driver's own class, and says what can be done; nothing is made."""
    before = connection.execute("SELECT count(*) FROM sqlite_master WHERE name <> 'proxydb_views'").fetchall()
    with pytest.raises(error, match=told):
        connection.execute(sql)
    assert connection.execute("SELECT count(*) FROM sqlite_master WHERE name <> 'proxydb_views'").fetchall() == before
    assert not connection.in_transaction


def test_the_grammar() -> None:
    """Names may be quoted and qualified; options and IF are understood."""
    assert parse_statement('create materialized view if not exists "a ""b" with (x = 1) as select 1', "sqlite") == (
        ViewStatement("create", ('a "b',), "select 1", lenient=True, options={"x": "1"})
    )
    assert parse_statement("DROP MATERIALIZED VIEW main.A, b RESTRICT", "sqlite").names == ("A", "b")
    with pytest.raises(ProgrammingError, match="CASCADE"):
        parse_statement("DROP MATERIALIZED VIEW a CASCADE", "sqlite")
