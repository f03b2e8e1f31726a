"""Makes what keeps a view, and removes it, within a transaction."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from proxydb.drivers.sqlite.analysis import DETERMINISTIC
from proxydb.errors import NotSupportedError
from proxydb.sql.tokens import quoted
from proxydb.views.catalogue import Table
from proxydb.views.obstacle import Obstacle
from proxydb.views.records import DIRTY, FRESH, View
from proxydb.views.sqlite import catalog
from proxydb.views.sqlite.facts import SqliteCatalogue, query_columns
from proxydb.views.sqlite.layout import Layout, lay_out
from proxydb.views.understand import plain, understand

if TYPE_CHECKING:
    from proxydb.views.catalogue import Column
    from proxydb.views.definition import Definition
    from proxydb.views.sqlite.facts import Execute
    from proxydb.views.sqlite.rows import RowsTable

PURE = DETERMINISTIC - {"soundex"}
"""The functions that a view may call."""

MODES = ("immediate", "deferred", "full")


def make(
    execute: Execute,
    name: str,
    sql: str,
    maintenance: str,
    max_staleness: float | None,
    indexes: tuple[tuple[str, ...], ...],
) -> View:
    """Make and fill a view, and write it down."""
    view, layout = _planned(execute, name, sql, maintenance, max_staleness)
    before = _objects(execute)
    for statement in (*layout.create(), *layout.fill(), *layout.index(indexes), *layout.triggers()):
        execute(statement)
    view = replace(view, indexes=indexes)
    catalog.add(execute, view, [thing for thing in _objects(execute) if thing not in before])
    return view


_DROPPED_FIRST = ("trigger", "view", "index", "table")


def remove(execute: Execute, view: View) -> None:
    """Remove all that was made for a view, and cross it out."""
    things = kinds(execute, catalog.objects(execute, view.name))
    for kind in _DROPPED_FIRST:
        for thing in [thing for thing, its in things.items() if its == kind]:
            execute(f"DROP {kind.upper()} IF EXISTS main.{quoted(thing)}")
    catalog.remove(execute, view.name)


def rebuild(execute: Execute, name: str) -> None:
    """Make a view again, and those that read it."""
    chain = [name]
    for other in catalog.names(execute):
        if other not in chain and any(other in readers(execute, each) for each in chain):
            chain.append(other)
    kept = [catalog.get(execute, each) for each in chain]
    for view in reversed(kept):
        remove(execute, view)
    for view in kept:
        make(execute, view.name, view.sql, view.maintenance, view.max_staleness, view.indexes)


def _planned(
    execute: Execute, name: str, sql: str, maintenance: str, max_staleness: float | None
) -> tuple[View, Layout]:
    """The view as it will be written down, and what keeps it."""
    if maintenance not in MODES:
        raise NotSupportedError(f"maintenance={maintenance!r} is not one of SQLite's: choose {' or '.join(MODES)}")
    execute(f"SELECT * FROM ({plain(sql, 'sqlite')}) LIMIT 0")  # the database's own errors come first
    definition, kept = defined(execute, name, sql)
    given = plain(sql, "sqlite")
    for table in definition.tables:
        if table.schema != "main":
            raise NotSupportedError(f"a view cannot be kept: {table.obstacle}")
    try:
        if definition.obstacle and maintenance != "full":
            raise Obstacle(definition.obstacle)
        if _declared(execute, given) != _declared(execute, definition.sql):
            raise Obstacle("it is spelled in a way that is not taken apart")
        layout = lay_out(name, definition, execute, maintenance, kept)
    except Obstacle as obstacle:
        raise NotSupportedError(
            f"the view {name!r} cannot be kept incrementally: {obstacle}; maintenance='full' keeps it by refresh"
        ) from None
    tables = tuple(table.name for table in definition.tables)
    state, reason = (DIRTY, "kept by refresh alone") if maintenance == "full" else (FRESH, "")
    return View(name, given, definition.kind, maintenance, max_staleness, state, reason, tables, time.time()), layout


def _declared(execute: Execute, sql: str) -> list[Column]:
    """What a query's columns are declared as; a rowid has no collation, which no integer shows."""
    return [replace(column, collation=column.collation or "BINARY") for column in query_columns(execute, sql)]


class Defined(NamedTuple):
    """A view's definition, and the tables of rows of the views that it reads, by their names."""

    definition: Definition
    kept: dict[str, RowsTable]


def defined(execute: Execute, name: str, sql: str) -> Defined:
    """What a query is, as the view of a name."""
    known = frozenset(other.lower() for other in catalog.names(execute)) - {name.lower()}
    found: dict[str, RowsTable] = {}

    def kept(other: str) -> Table | None:
        if other.lower() not in known:
            return None
        view = catalog.get(execute, other)
        if view.maintenance != "immediate":
            return Table("main", view.name, (), obstacle=f"{view.name} is not kept immediately")
        if catalog.is_outdated(execute, view.name):
            return Table("main", view.name, (), obstacle=f"{view.name} is in an older format: repair it first")
        layout = laid_out(execute, view)
        table = layout.keyed() or Table("main", view.name, (), obstacle=f"the rows of {view.name} have no keys")
        if layout.groups is None:
            found.update({rows.name: rows for rows in layout.rows})
        return table

    return Defined(understand(sql, "sqlite", SqliteCatalogue(execute, kept), PURE), found)


def laid_out(execute: Execute, view: View) -> Layout:
    """What keeps a view."""
    definition, kept = defined(execute, view.name, view.sql)
    return lay_out(view.name, definition, execute, view.maintenance, kept)


def _objects(execute: Execute) -> dict[str, str]:
    """Everything that there is, with its kind."""
    return dict(
        execute("SELECT name, type FROM sqlite_master WHERE sql IS NOT NULL AND name <> 'proxydb_views'").fetchall()
    )


def kinds(execute: Execute, things: list[str]) -> dict[str, str]:
    """Those of the things that there are, with their kinds."""
    there = _objects(execute)
    return {thing: there[thing] for thing in things if thing in there}


def readers(execute: Execute, name: str) -> list[str]:
    """The materialized views that read another one."""
    storage = {thing.lower() for thing in catalog.objects(execute, name)} | {name.lower()}
    others = (catalog.get(execute, other) for other in catalog.names(execute))
    return [other.name for other in others if storage & {table.lower() for table in other.tables}]
