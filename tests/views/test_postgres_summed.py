"""Groups over joins are kept by adding up: which views, and what stands for a group of equal values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import proxydb
from proxydb.views.postgres import catalog
from tests.views.test_postgres_mutants import fold

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

    from proxydb.views.api import Views

JOINED = "SELECT price, count(*) AS n FROM sale JOIN shop ON shop.name = sale.shop GROUP BY price"


@pytest.fixture
def views(postgres_empty: psycopg.Connection[Any], postgres_dsn: str) -> Iterator[Views]:
    """The views of a shop with two sales whose prices are equal and look different."""
    postgres_empty.execute("INSERT INTO shop VALUES ('a', 'x', 's')")
    postgres_empty.execute("INSERT INTO sale (id, shop, price, day) VALUES (1, 'a', 4.1, 1), (2, 'a', 4.10, 2)")
    with proxydb.database(postgres_dsn) as database:
        yield database.views


@pytest.mark.parametrize(("removed", "left"), [(1, "4.10"), (2, "4.1")])
@pytest.mark.parametrize("folded", [False, True])
def test_a_spelling_that_is_gone(
    removed: int, left: str, folded: bool, views: Views, postgres_empty: psycopg.Connection[Any]
) -> None:
    """A group is shown as one of the values that it has now."""
    views.create("v", JOINED)
    assert postgres_empty.execute("SELECT n FROM v").fetchall() == [(2,)]
    postgres_empty.execute("DELETE FROM sale WHERE id = %s", (removed,))
    if folded:
        fold(postgres_empty, "v")
    assert postgres_empty.execute("SELECT price::text, n FROM v").fetchall() == [(left, 1)]


def test_a_log_that_covers_another(views: Views, postgres_empty: psycopg.Connection[Any]) -> None:
    """Rows that one log finds anyway are not looked for by a second one."""
    newest = "SELECT * FROM sale s WHERE NOT EXISTS (SELECT 1 FROM sale n WHERE n.id = s.id AND n.shop = s.shop)"
    views.create("v", newest)
    views.create(
        "w", "SELECT a.id FROM tag t JOIN sale a ON a.id = t.sale WHERE EXISTS (SELECT 1 FROM shop WHERE name = a.shop)"
    )
    assert len(catalog.get(postgres_empty.execute, "v").logs) == 1
    assert len(catalog.get(postgres_empty.execute, "w").logs) == 3
