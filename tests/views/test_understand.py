"""What is made of a view's query, and why it cannot be kept."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

import proxydb
from proxydb.errors import NotSupportedError, ProgrammingError
from tests.views.shop import SCHEMA, VIEWS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from proxydb.database import Database

OBSTACLES = {
    "SELECT random() AS r FROM sale": "calls a function that may give another result each time: random",
    "SELECT id FROM sale LEFT JOIN tag ON sale = id JOIN shop ON name = coalesce(word, shop)": "put it first",
    "SELECT shop, amount FROM sale GROUP BY shop": "names amount, which is neither grouped nor aggregated",
    "SELECT shop, group_concat(day) AS d FROM sale GROUP BY shop": "an order that is not defined",
    "SELECT shop, sum(DISTINCT day) AS s FROM sale GROUP BY shop": "it has sum(DISTINCT)",
    "SELECT label, count(*) AS n FROM sale GROUP BY label": "collation NOCASE",
    "SELECT shop FROM sale EXCEPT SELECT name FROM shop": "a compound by EXCEPT",
    "SELECT rowid AS r FROM bag": "names rowid, which is no column of its tables",
    "SELECT s.shop FROM sale s RIGHT JOIN shop ON name = s.shop": "RIGHT or FULL join",
    "SELECT 1 AS one": "reads no table",
    "SELECT shop FROM sale LIMIT 3": "append the primary key of sale, or all columns, to its ORDER BY",
    "SELECT id, day FROM sale ORDER BY day LIMIT 3": "append the primary key of sale",
    "SELECT b.id AS x, a.shop FROM sale a JOIN sale b ON a.day = b.day ORDER BY b.id LIMIT 3": "primary key of sale",
    "SELECT shop, count(*) AS n FROM sale GROUP BY shop ORDER BY n LIMIT 3": "append all columns",
    "SELECT b.id AS x, row_number() OVER (PARTITION BY a.day ORDER BY a.id) AS n FROM sale a JOIN sale b ON "
    "a.day = b.day": "make row_number ambiguous",
    "SELECT shop FROM sale UNION ALL SELECT shop FROM sale ORDER BY 1 LIMIT 3": "a UNION with LIMIT",
    "SELECT label FROM sale UNION SELECT name FROM shop": "several spellings are one",
    "SELECT id AS x, day AS y FROM sale UNION ALL SELECT day AS y, id AS x FROM sale ORDER BY x": "orders a compound",
    "WITH x AS (SELECT 1 AS a) SELECT * FROM x": "reads no table",
    "WITH RECURSIVE x AS (SELECT id FROM sale) SELECT * FROM x": "recursive",
    "WITH x AS (SELECT id FROM sale) SELECT x.id FROM x JOIN x AS y ON x.id = y.id": "used 2 times",
    "WITH x (a) AS (SELECT id FROM sale) SELECT * FROM x": "list of columns",
    "SELECT n FROM (SELECT shop, count(*) AS n FROM sale GROUP BY shop) d": "does more than select",
    "SELECT n FROM (SELECT count(*) AS n FROM sale) d": "has aggregates",
    "SELECT id FROM (SELECT id FROM sale ORDER BY id LIMIT 2) d": "does more than select",
    "SELECT id FROM (SELECT id FROM sale UNION SELECT day FROM sale) d": "does more than select",
    "SELECT id FROM (SELECT DISTINCT id FROM sale) d": "does more than select",
    "SELECT id + 1 FROM (SELECT id FROM sale) d": "has no name",
    "SELECT s.id FROM sale s LEFT JOIN (SELECT sale FROM tag) d ON d.sale = s.id": "outer join",
    "SELECT sale.id FROM sale JOIN (SELECT sale.id AS i FROM sale JOIN tag ON tag.sale = sale.id) d "
    "ON d.i = sale.id": "as the query around it does",
    "SELECT id FROM (SELECT id, "
    "row_number() OVER (PARTITION BY shop ORDER BY amount) AS n FROM sale) d WHERE n = 1": "append the primary key",
    "SELECT id FROM (SELECT id, "
    "row_number() OVER (PARTITION BY shop ORDER BY shop) AS n FROM sale) d WHERE n = 1": "ambiguous",
    "SELECT id FROM (SELECT id, "
    "row_number() OVER (PARTITION BY shop ORDER BY id) AS n FROM sale) d WHERE n = 2": "window",
    "SELECT id FROM (SELECT id, "
    "row_number() OVER (PARTITION BY shop ORDER BY id + 1) AS n FROM sale) d WHERE n = 1": "an expression",
    "SELECT id FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM sale) d WHERE n = 1": "no partition",
    "SELECT * FROM plain_view": "plain_view is a plain view",
}


@pytest.fixture
def database(sqlite_path: Path) -> Iterator[Database]:
    """A shop without views."""
    with closing(sqlite3.connect(sqlite_path)) as connection:
        connection.executescript(SCHEMA + "CREATE VIEW plain_view AS SELECT * FROM sale;")
    with proxydb.database(sqlite_path) as database:
        yield database


@pytest.mark.parametrize(("sql", "told"), OBSTACLES.items(), ids=range(len(OBSTACLES)))
def test_an_obstacle(sql: str, told: str, database: Database) -> None:
    """A view that cannot be kept incrementally says why, and that it can be kept by refresh."""
    if "RIGHT" in sql and sqlite3.sqlite_version_info < (3, 39):
        pytest.skip("this SQLite has no RIGHT JOIN")
    with pytest.raises(NotSupportedError, match=r"maintenance='full'") as raised:
        database.views.create("v", sql)
    assert told in str(raised.value)
    assert database.views.create("v", sql, maintenance="full").maintenance == "full"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT shop FROM sale ORDER BY day DESC, id LIMIT 3",
        "SELECT shop AS s, day FROM sale ORDER BY s, 2 LIMIT 3",
        "SELECT day, count(*) AS n FROM sale GROUP BY day ORDER BY n DESC, day LIMIT 3",
        "SELECT a.id AS x, b.id AS y FROM sale a JOIN sale b ON a.day = b.day ORDER BY b.id, a.id LIMIT 3",
    ],
)
def test_a_limit_by_a_total_order(sql: str, database: Database) -> None:
    """LIMIT is kept where the rows that it takes are defined."""
    assert database.views.create("v", sql).maintenance == "immediate"


def test_parameters(database: Database) -> None:
    """A view has no parameters."""
    with pytest.raises((ProgrammingError, sqlite3.Error)):
        database.views.create("v", "SELECT * FROM sale WHERE id = ?")


@pytest.mark.parametrize("sql", ["SELECT * FROM missing", "SELECT missing FROM sale", "SELECT day FROM sale a, sale b"])
def test_an_error_of_the_database(sql: str, database: Database) -> None:
    """What the database does not understand raises the driver's own error."""
    with pytest.raises(sqlite3.OperationalError, match=r"missing|ambiguous"):
        database.views.create("v", sql)


@pytest.mark.parametrize("name", ["sale", "SALE", "sale_of_day", "", "proxydb_x", "sqlite_x"])
def test_a_name_that_cannot_be_taken(name: str, database: Database) -> None:
    """A name that is taken, or not a view's, is refused, and nothing is made."""
    with pytest.raises(ProgrammingError, match="choose another"):
        database.views.create(name, "SELECT * FROM sale")
    assert list(database.views.list()) == []


def test_two_columns_of_one_name(database: Database) -> None:
    """Two columns of one name are refused."""
    with pytest.raises(ProgrammingError, match="two columns of the view are named 'id'"):
        database.views.create("v", "SELECT a.id, b.id FROM sale a JOIN sale b ON a.day = b.day")


def test_the_classes(database: Database) -> None:
    """Each view has the class of the table in the explanation."""
    kinds = {name: database.views.create(name, sql).kind for name, sql in VIEWS.items()}
    assert {kinds[name] for name in ("filtered", "of_a_bag", "over_groups")} == {"rows"}
    assert {kinds[name] for name in ("by_shop", "by_nothing", "over_rows")} == {"groups"}
    assert (kinds["different"], kinds["joined"], kinds["joined_groups"], kinds["both"]) == (
        "distinct",
        "join",
        "join with groups",
        "union",
    )
