"""A view's columns are what its query's are: names, declared types, collations, affinities, types of values."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

import proxydb
from proxydb.errors import NotSupportedError
from proxydb.views.sqlite.facts import query_columns
from tests.views.shop import VIEWS, differences

if TYPE_CHECKING:
    from pathlib import Path

    from proxydb.database import Database


@pytest.mark.parametrize("name", VIEWS)
def test_the_columns_of_a_view(name: str, plain: sqlite3.Connection) -> None:
    """SQLite itself tells the same of the view as of the query."""
    of_view = query_columns(plain.execute, f'SELECT * FROM "{name}"')
    of_query = query_columns(plain.execute, VIEWS[name])
    assert [(c.name, c.type, c.collation or "BINARY", c.affinity) for c in of_view] == [
        (c.name, c.type, c.collation or "BINARY", c.affinity) for c in of_query
    ]
    described = [plain.execute(sql).description for sql in (f'SELECT * FROM "{name}"', VIEWS[name])]
    assert described[0] == described[1]


ODD = {
    "cast": "SELECT CAST(anything AS TEXT) AS c, CAST(weight AS INTEGER) i, anything COLLATE RTRIM AS r FROM sale",
    "expression": "SELECT amount + 1, label || '!' , -weight, (shop), +amount AS plus FROM sale",
    "literals": "SELECT 1 AS one, 'x' AS x, NULL AS unknown, 1.0 AS real, x'00' AS blob, id FROM sale",
    "distinct": "SELECT DISTINCT amount, anything, weight FROM sale",
    "grouped": "SELECT amount, anything || '' AS t, sum(weight) AS w, avg(amount), count(*) FROM sale GROUP BY 1, 2",
}


@pytest.mark.parametrize("sql", ODD.values(), ids=ODD)
def test_odd_columns(sql: str, plain: sqlite3.Connection, database: Database) -> None:
    """The same for casts, expressions without a name, literals and groups."""
    database.views.create("odd_one", sql)
    of_view = query_columns(plain.execute, "SELECT * FROM odd_one")
    of_query = query_columns(plain.execute, sql)
    assert [(c.name, c.type, c.collation or "BINARY", c.affinity) for c in of_view] == [
        (c.name, c.type, c.collation or "BINARY", c.affinity) for c in of_query
    ]
    plain.execute("REPLACE INTO sale VALUES (1, 'a', '5', 'x', 3, '5', 1), (2, 'b', 'word', 'y', 'w', 5, 1)")
    assert differences(plain, {"odd_one": sql}) == []


SUMS = [2**62, 2**62, 2**62, -5, 1.5, "word", None, 2**40, 2**40 + 1, -(2**63), 3, 0.1]


def test_sums_that_are_hard(sqlite_path: Path) -> None:
    """Sums and means beyond 2^53 and 64 bits, of floats and of text; an overflow is the reader's, not the writer's."""
    sql = "SELECT g, sum(x) AS s, avg(x) AS a, total(x) AS t, count(x) AS c FROM t GROUP BY g"
    with closing(sqlite3.connect(sqlite_path, isolation_level=None)) as plain:
        plain.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, g, x INTEGER)")
        with proxydb.database(sqlite_path) as database:
            database.views.create("v", sql)
        for number, value in enumerate(SUMS + SUMS[::-1]):
            plain.execute("INSERT INTO t (g, x) VALUES (?, ?)", (number % 2, value))
            assert _read(plain, "SELECT * FROM v ORDER BY 1") == _read(plain, f"{sql} ORDER BY 1")
        for number in (3, 1, 2, 5, 9, 4):
            plain.execute("DELETE FROM t WHERE id = ?", (number,))
            assert _read(plain, "SELECT * FROM v ORDER BY 1") == _read(plain, f"{sql} ORDER BY 1")


def _read(connection: sqlite3.Connection, sql: str) -> object:
    try:
        return connection.execute(sql).fetchall()
    except sqlite3.OperationalError as error:
        return str(error)


def test_generated_columns(sqlite_path: Path) -> None:
    """A column that is computed from others changes the view when they change."""
    sql = "SELECT twice, count(*) AS n FROM t GROUP BY twice"
    with closing(sqlite3.connect(sqlite_path, isolation_level=None)) as plain:
        plain.execute("CREATE TABLE t (a PRIMARY KEY, b, twice INTEGER AS (b * 2), kept AS (a || b) STORED UNIQUE)")
        with proxydb.database(sqlite_path) as database:
            database.views.create("v", sql)
            database.views.create("w", "SELECT twice, kept FROM t")
        for change in ("INSERT INTO t VALUES ('x', 1), ('y', 1)", "UPDATE t SET b = 3 WHERE a = 'x'", "DELETE FROM t"):
            plain.execute(change)
            assert differences(plain, {"v": sql, "w": "SELECT twice, kept FROM t"}) == []


def test_in_memory() -> None:
    """A database in memory has views on its own connection."""
    with closing(proxydb.connect(":memory:", isolation_level=None)) as connection:
        connection.execute("CREATE TABLE t (a)")
        connection.row_factory = sqlite3.Row
        connection.proxydb.views.create("v", "SELECT a, count(*) AS n FROM t GROUP BY a")
        connection.execute("INSERT INTO t VALUES (1), (1), (NULL)")
        assert sorted(map(tuple, connection.execute("SELECT n FROM v"))) == [(1,), (2,)]
        assert connection.proxydb.views.check("v").is_exact


def test_a_temporary_table(sqlite_path: Path) -> None:
    """A table that other connections do not see is refused, as are tables of another file."""
    with closing(proxydb.connect(sqlite_path, isolation_level=None)) as connection:
        connection.execute("CREATE TEMP TABLE t (a)")
        connection.execute("ATTACH ':memory:' AS other")
        connection.execute("CREATE TABLE other.u (a)")
        for table in ("t", "other.u"):
            with pytest.raises(sqlite3.NotSupportedError, match=r"temporary table|not in the main"):
                connection.execute(f"CREATE MATERIALIZED VIEW v AS SELECT a FROM {table}")


def test_an_expression_that_is_unique(sqlite_path: Path) -> None:
    """A table of which a REPLACE may remove rows that nobody could tell is refused."""
    with closing(sqlite3.connect(sqlite_path)) as plain:
        plain.executescript("CREATE TABLE t (a PRIMARY KEY, b); CREATE UNIQUE INDEX i ON t (lower(b))")
    with proxydb.database(sqlite_path) as database, pytest.raises(NotSupportedError, match="index on an expression"):
        database.views.create("v", "SELECT b FROM t")
