"""Views over views on Postgres: what they read, what breaks them, and the order in which they go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import proxydb
from proxydb.errors import NotSupportedError, ProgrammingError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

    from proxydb.views.api import Views

LOWER = "SELECT id, shop AS s, amount * 2 AS twice FROM sale WHERE amount > 2"
UPPER = "SELECT s, count(*) AS n, sum(twice) AS t FROM lower_view GROUP BY s"


@pytest.fixture
def views(postgres_empty: psycopg.Connection[Any], postgres_dsn: str) -> Iterator[Views]:
    """A view over a view."""
    sales = "(1, 'a', 3, 1), (2, 'a', 4, 2), (3, 'b', 5, 3)"
    postgres_empty.execute(f"INSERT INTO sale (id, shop, amount, day) VALUES {sales}")
    with proxydb.database(postgres_dsn) as database:
        database.views.create("lower_view", LOWER)
        database.views.create("upper_view", UPPER)
        yield database.views


def test_it_reads_the_tables(views: Views, postgres_empty: psycopg.Connection[Any]) -> None:
    """It is kept from the tables of the view that it reads, and shows what that view shows now."""
    assert views.list()[1].tables == ("sale",)
    postgres_empty.execute("UPDATE sale SET amount = amount + 10, shop = 'c' WHERE id < 3")
    assert sorted(postgres_empty.execute("SELECT s, n, t FROM upper_view").fetchall()) == [("b", 1, 10), ("c", 2, 54)]
    views.create("third", "SELECT n FROM (SELECT u.s, l.id AS n FROM lower_view u JOIN lower_view l ON l.id = u.id) d")
    postgres_empty.execute("DELETE FROM sale WHERE id = 1")
    assert all(views.check(name).is_exact for name in ("lower_view", "upper_view"))


def test_the_order_of_drops(views: Views) -> None:
    """A view that another one reads is dropped after that one."""
    with pytest.raises(ProgrammingError, match="is read by the materialized view 'upper_view'"):
        views.drop("lower_view")
    views.drop("upper_view")
    views.drop("lower_view")
    assert views.list() == []


def test_a_repair_of_both(views: Views, postgres_empty: psycopg.Connection[Any]) -> None:
    """A view that is made again takes those that read it with it."""
    name = "proxydb_v1_changed0_insert"
    postgres_empty.execute(f"ALTER TABLE sale DISABLE TRIGGER {name}")
    assert [view.state for view in views.list()] == ["disabled", "fresh"]
    assert [view.name for view in views.repair()] == ["lower_view", "upper_view"]
    postgres_empty.execute("INSERT INTO sale (id, shop, amount) VALUES (9, 'b', 50)")
    assert all(views.check(name).is_exact for name in ("lower_view", "upper_view"))


@pytest.mark.parametrize(
    ("sql", "maintenance", "reason"),
    [
        ("SELECT shop, count(*) AS n FROM sale GROUP BY shop", None, "does more than select, project and join"),
        ("SELECT id, amount FROM sale", "full", "is a materialized view"),
        ("SELECT id, amount FROM sale ORDER BY id LIMIT 3", None, "does more than select, project and join"),
    ],
)
def test_what_is_refused(sql: str, maintenance: Any, reason: str, views: Views) -> None:
    """A view that groups, cuts off or is only refreshed is read by one that is refreshed, and by no other one."""
    views.create("other", sql, maintenance=maintenance)
    with pytest.raises(NotSupportedError, match=f"{reason}.*maintenance='full'"):
        views.create("v", "SELECT * FROM other")
    assert views.create("v", "SELECT * FROM other", maintenance="full").state == "dirty"
