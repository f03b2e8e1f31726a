"""What a refresh on Postgres reads from end to end is told, until there is an index."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import proxydb

if TYPE_CHECKING:
    import psycopg

    from proxydb.views.api import Views


def test_scans(postgres_empty: psycopg.Connection[Any], postgres_dsn: str) -> None:
    """A join on a column without an index scans its table; with one it does not."""
    with proxydb.database(postgres_dsn) as database:
        database.views.create("v", "SELECT s.id, b.item FROM sale s JOIN bag b ON b.number = s.amount")
        assert set(database.views.explain("v").scans) == {"bag at each refresh", "sale at each refresh"}
        postgres_empty.execute("CREATE INDEX ON sale (amount); CREATE INDEX ON bag (number)")
        postgres_empty.execute("ALTER TABLE bag ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY")
        database.views.repair("v")
        assert database.views.explain("v").scans == ()
        assert postgres_empty.execute("SHOW enable_seqscan").fetchone() == ("on",)


def test_what_is_found_by_keys(postgres_views: Views) -> None:
    """What is tied by keys is not scanned, nor what a view does not read at a refresh."""
    assert postgres_views.explain("tagged").scans == ()
    assert postgres_views.explain("filtered").scans == ()
    assert postgres_views.explain("by_shop").scans == ()
