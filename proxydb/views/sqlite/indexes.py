"""Indexes on the tables that hold a view, made by the names of the view's own columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxydb.errors import ProgrammingError
from proxydb.sql.tokens import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from proxydb.views.sqlite.facts import Execute
    from proxydb.views.sqlite.layout import Layout


def statements(layout: Layout, columns: Sequence[str]) -> Iterator[str]:
    """The statements that make an index where it is missing, and let SQLite know its worth.

    What is indexed is what the view shows, word for word: only then does SQLite use it for a predicate on the view.

    Raises
    ------
    proxydb.errors.ProgrammingError
        The view has no such column.
    """
    places = [_place(layout, column) for column in columns]
    if not places:
        raise ProgrammingError(f"an index of the view {layout.name!r} needs a column")
    for table, expressions in layout.stored():
        name = "_".join((table, "by", *columns))
        indexed = ", ".join(expressions[place] for place in places)
        yield f"CREATE INDEX IF NOT EXISTS {quoted(name)} ON {quoted(table)} ({indexed})"
        yield f"ANALYZE {quoted(table)}"


def added(execute: Execute, objects: list[str]) -> list[str]:
    """The statements that made the indexes on a view's tables that do not belong to the view itself."""
    found = execute(
        "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY name"
    ).fetchall()
    return [sql for name, table, sql in found if table in objects and name not in objects]


def _place(layout: Layout, column: str) -> int:
    names = [each.name.lower() for each in layout.columns]
    if column.lower() not in names:
        raise ProgrammingError(f"the view {layout.name!r} has no column {column!r}; it has {', '.join(names)}")
    return names.index(column.lower())
