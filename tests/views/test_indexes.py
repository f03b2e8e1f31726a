"""Indexes that a view is made with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from proxydb.errors import ProgrammingError

if TYPE_CHECKING:
    import sqlite3

    from proxydb.database import Database

VIEWS = {
    "a_column": ("SELECT id, shop FROM sale", "shop"),
    "an_expression": ("SELECT id, amount * 2 AS twice FROM sale", "twice"),
    "a_cast": ("SELECT id, CAST(anything AS INTEGER) AS number FROM sale", "number"),
    "of_groups": ("SELECT shop, count(*) AS n FROM sale GROUP BY shop", "n"),
    "of_both": ("SELECT id AS k FROM sale UNION ALL SELECT amount + 1 FROM sale", "k"),
}


@pytest.mark.parametrize("maintenance", ["immediate", "full"])
@pytest.mark.parametrize(("sql", "column"), VIEWS.values(), ids=VIEWS)
def test_a_reader_finds_the_index(
    sql: str, column: str, maintenance: str, plain: sqlite3.Connection, database: Database
) -> None:
    """A query on a column of the view searches the index, and still does after a refresh."""
    database.views.create("v", sql, maintenance=maintenance, indexes=[[column]])  # type: ignore[arg-type]
    for _ in range(2):
        plan = plain.execute(f"EXPLAIN QUERY PLAN SELECT * FROM v WHERE {column} = 2").fetchall()
        read = [line[3].split(" ")[0] for line in plan if " proxydb_v_" in line[3]]
        assert read == ["SEARCH"] * len(read) != []
        database.views.refresh("v")


def test_no_such_column(database: Database) -> None:
    """An index of a column that the view does not have is refused."""
    with pytest.raises(ProgrammingError, match="no column 'missing'"):
        database.views.create("v", "SELECT id FROM sale", indexes=[["missing"]])
