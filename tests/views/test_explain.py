"""What is told of a view on SQLite."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.views.shop import VIEWS

if TYPE_CHECKING:
    import sqlite3

    from proxydb.database import Database


def test_scans(plain: sqlite3.Connection, database: Database) -> None:
    """A change for which a table is read from end to end is told, until there is an index."""
    database.views.create("v", "SELECT s.id, b.item FROM sale s JOIN bag b ON b.item = s.anything")
    assert {"b after a change of sale", "s after a change of bag"} & set(database.views.explain("v").scans)
    plain.execute("CREATE INDEX of_anything ON sale (anything)")
    plain.execute("CREATE INDEX of_item ON bag (item)")
    assert database.views.explain("v").scans == ()


def test_every_view(database: Database) -> None:
    """Each view has a method, tables and triggers, and no obstacle; what is tied by keys is not scanned."""
    for name in VIEWS:
        explanation = database.views.explain(name)
        assert (explanation.obstacle, bool(explanation.method)) == ("", True)
        assert all(table.startswith(f"proxydb_{name}_") for table in explanation.tables)
        assert explanation.triggers
    assert database.views.explain("tagged").scans == ()


def test_groups_of_a_kept_view(database: Database) -> None:
    """Groups of what another view keeps have no rows of their own, and say so."""
    explanation = database.views.explain("groups_of_kept")
    assert explanation.tables == ("proxydb_groups_of_kept_groups",)
    assert "the rows that another view keeps" in explanation.method


def test_a_view_that_is_refreshed(database: Database) -> None:
    """A view that is kept by refresh says why it is not kept otherwise."""
    database.views.create("v", "SELECT random() AS r FROM sale", maintenance="full")
    explanation = database.views.explain("v")
    assert "random" in explanation.obstacle
    assert (explanation.triggers, explanation.scans, explanation.method) == ((), (), "computed as a whole by refresh")
