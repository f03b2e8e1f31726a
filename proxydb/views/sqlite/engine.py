"""Creates, refreshes, checks and drops views in a SQLite database; each is one transaction."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from proxydb.drivers.sqlite.analysis import DETERMINISTIC
from proxydb.errors import NotSupportedError, ProgrammingError
from proxydb.sql.tokens import quoted
from proxydb.views.catalogue import Table
from proxydb.views.obstacle import Obstacle
from proxydb.views.records import DIRTY, DISABLED, FRESH, View, ViewCheck, ViewExplanation, compared
from proxydb.views.sqlite import catalog
from proxydb.views.sqlite.deferred import SUFFIX, take_in
from proxydb.views.sqlite.facts import SqliteCatalogue, query_columns
from proxydb.views.sqlite.layout import Layout, lay_out
from proxydb.views.sqlite.scans import scans
from proxydb.views.understand import plain, understand

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxydb.views.catalogue import Column
    from proxydb.views.definition import Definition
    from proxydb.views.sqlite.facts import Execute
    from proxydb.views.sqlite.rows import RowsTable

PURE = DETERMINISTIC - {"soundex"}
"""The functions that a view may call."""

MODES = ("immediate", "deferred", "full")


def create(
    connection: Any,
    name: str,
    sql: str,
    maintenance: str | None,
    max_staleness: float | None,
    *,
    indexes: tuple[tuple[str, ...], ...] = (),
    exists_ok: bool = False,
) -> View:
    """Make a view and fill it."""
    _check_name(name)
    with writing(connection) as execute:
        if exists_ok and (found := catalog.find(execute, name)):
            return found
        _check_free(execute, name)
        return _make(execute, name, sql, maintenance or "immediate", max_staleness, indexes)


def _make(
    execute: Execute,
    name: str,
    sql: str,
    maintenance: str,
    max_staleness: float | None,
    indexes: tuple[tuple[str, ...], ...],
) -> View:
    view, layout = _planned(execute, name, sql, maintenance, max_staleness)
    before = _objects(execute)
    for statement in (*layout.create(), *layout.fill(), *layout.index(indexes), *layout.triggers()):
        execute(statement)
    view = replace(view, indexes=indexes)
    catalog.add(execute, view, [thing for thing in _objects(execute) if thing not in before])
    return view


def drop(connection: Any, name: str, *, missing_ok: bool = False) -> None:
    """Remove a view and everything that was made for it."""
    with writing(connection) as execute:
        if missing_ok and catalog.find(execute, name) is None:
            return
        view = catalog.get(execute, name)
        if readers := _readers(execute, view.name):
            raise ProgrammingError(f"{name!r} is read by the materialized view {readers[0]!r}: drop that one first")
        _remove(execute, view)


def refresh(connection: Any, name: str) -> View:
    """Take in what was logged for a view; if that is much, or nothing is logged, compute it as a whole."""
    with writing(connection) as execute:
        view = catalog.get(execute, name)
        if view.maintenance == "deferred" and not catalog.changed(execute, view.name) and not _is_much(execute, view):
            layout = _laid_out(execute, view)
            take_in(execute, layout.logs, layout.rows)
            catalog.refreshed(execute, view.name)
        else:
            _rebuild(execute, view.name)
        return _healthy(execute, view.name)


def repair(connection: Any, name: str | None) -> list[View]:
    """Make those views again that are broken."""
    with writing(connection) as execute:
        chosen = catalog.names(execute) if name is None else _with_what_it_reads(execute, name)
        broken = [each for each in chosen if _healthy(execute, each).state == DISABLED]
        for each in broken:
            if _healthy(execute, each).state == DISABLED:  # what reads another one was made again with that
                _rebuild(execute, each)
        return [catalog.get(execute, each) for each in broken]


def views(connection: Any) -> list[View]:
    """All views, in the states that they are really in."""
    with reading(connection) as execute:
        return [_healthy(execute, name) for name in catalog.names(execute)]


def check(connection: Any, name: str) -> ViewCheck:
    """Compare a view with its query, both read in one snapshot."""
    with reading(connection) as execute:
        view = catalog.get(execute, name)
        expected = execute(view.sql).fetchall()
        return compared(view.name, expected, execute(f"SELECT * FROM main.{quoted(view.name)}").fetchall())


def explain(connection: Any, name: str) -> ViewExplanation:
    """How a view is kept."""
    with writing(connection) as execute:  # asking about columns makes a temporary view
        view = _healthy(execute, catalog.get(execute, name).name)
        definition = _defined(execute, view.name, view.sql).definition
        things = _kinds(execute, catalog.objects(execute, view.name))
        incremental = view.maintenance != "full" and view.state != DISABLED
        return ViewExplanation(
            view,
            _method(definition, view.maintenance),
            definition.obstacle,
            tuple(thing for thing, kind in things.items() if kind == "table"),
            tuple(thing for thing, kind in things.items() if kind == "trigger"),
            scans(_laid_out(execute, view), execute) if incremental else (),
        )


@contextmanager
def writing(connection: Any) -> Iterator[Execute]:
    """One transaction that keeps other writers out from its beginning; a savepoint where one is open already."""
    execute = _executor(connection)
    nested = connection.in_transaction
    execute("SAVEPOINT proxydb_views" if nested else "BEGIN IMMEDIATE")
    try:
        yield execute
    except BaseException:
        if nested and connection.in_transaction:
            execute("ROLLBACK TO proxydb_views")
            execute("RELEASE proxydb_views")
        elif connection.in_transaction:
            execute("ROLLBACK")
        raise
    execute("RELEASE proxydb_views" if nested else "COMMIT")


@contextmanager
def reading(connection: Any) -> Iterator[Execute]:
    """One snapshot."""
    execute = _executor(connection)
    nested = connection.in_transaction
    if not nested:
        execute("BEGIN")
    try:
        yield execute
    finally:
        if not nested and connection.in_transaction:
            execute("COMMIT")


def _executor(connection: Any) -> Execute:
    """Runs statements on a connection, whatever form of rows the application wants."""

    def execute(sql: str, parameters: Any = ()) -> Any:
        cursor = connection.cursor()
        cursor.row_factory = None
        return cursor.execute(sql, parameters)

    return execute


def _check_name(name: str) -> None:
    if not name or "\0" in name or name.lower().startswith(("sqlite_", "proxydb_")):
        raise ProgrammingError(f"{name!r} cannot be the name of a view: choose another")


def _check_free(execute: Execute, name: str) -> None:
    if catalog.find(execute, name) is not None:
        raise ProgrammingError(f"there is a materialized view {name!r} already: drop it first, or choose another name")
    taken = execute("SELECT type FROM sqlite_master WHERE lower(name) = lower(?)", (name,)).fetchone()
    if taken is not None:
        raise ProgrammingError(f"there is a {taken[0]} {name!r} already: choose another name")


def _planned(
    execute: Execute, name: str, sql: str, maintenance: str, max_staleness: float | None
) -> tuple[View, Layout]:
    """The view as it will be written down, and what keeps it."""
    if maintenance not in MODES:
        raise NotSupportedError(f"maintenance={maintenance!r} is not one of SQLite's: choose {' or '.join(MODES)}")
    execute(f"SELECT * FROM ({plain(sql, 'sqlite')}) LIMIT 0")  # the database's own errors come first
    definition, kept = _defined(execute, name, sql)
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


def _defined(execute: Execute, name: str, sql: str) -> Defined:
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
        layout = _laid_out(execute, view)
        table = layout.keyed() or Table("main", view.name, (), obstacle=f"the rows of {view.name} have no keys")
        if layout.groups is None:
            found.update({rows.name: rows for rows in layout.rows})
        return table

    return Defined(understand(sql, "sqlite", SqliteCatalogue(execute, kept), PURE), found)


def _laid_out(execute: Execute, view: View) -> Layout:
    """What keeps a view."""
    definition, kept = _defined(execute, view.name, view.sql)
    return lay_out(view.name, definition, execute, view.maintenance, kept)


def _objects(execute: Execute) -> dict[str, str]:
    """Everything that there is, with its kind."""
    return dict(
        execute("SELECT name, type FROM sqlite_master WHERE sql IS NOT NULL AND name <> 'proxydb_views'").fetchall()
    )


def _kinds(execute: Execute, things: list[str]) -> dict[str, str]:
    there = _objects(execute)
    return {thing: there[thing] for thing in things if thing in there}


def _readers(execute: Execute, name: str) -> list[str]:
    """The materialized views that read another one."""
    storage = {thing.lower() for thing in catalog.objects(execute, name)} | {name.lower()}
    others = (catalog.get(execute, other) for other in catalog.names(execute))
    return [other.name for other in others if storage & {table.lower() for table in other.tables}]


def _with_what_it_reads(execute: Execute, name: str) -> list[str]:
    """A view after those that it reads, directly or not."""
    view = catalog.get(execute, name)
    tables = {table.lower() for table in view.tables}
    read = [
        other
        for other in catalog.names(execute)
        if other != view.name and tables & {thing.lower() for thing in catalog.objects(execute, other)}
    ]
    return [*dict.fromkeys(below for other in read for below in _with_what_it_reads(execute, other)), view.name]


_DROPPED_FIRST = ("trigger", "view", "index", "table")


def _remove(execute: Execute, view: View) -> None:
    things = _kinds(execute, catalog.objects(execute, view.name))
    for kind in _DROPPED_FIRST:
        for thing in [thing for thing, its in things.items() if its == kind]:
            execute(f"DROP {kind.upper()} IF EXISTS main.{quoted(thing)}")
    catalog.remove(execute, view.name)


def _rebuild(execute: Execute, name: str) -> None:
    """Make a view again, and those that read it."""
    chain = [name]
    for other in catalog.names(execute):
        if other not in chain and any(other in _readers(execute, each) for each in chain):
            chain.append(other)
    kept = [catalog.get(execute, each) for each in chain]
    for view in reversed(kept):
        _remove(execute, view)
    for view in kept:
        _make(execute, view.name, view.sql, view.maintenance, view.max_staleness, view.indexes)


def _healthy(execute: Execute, name: str) -> View:
    """The view in the state that it is really in."""
    view = catalog.get(execute, name)
    if broken := catalog.changed(execute, name):
        return replace(view, state=DISABLED, reason=f"{', '.join(broken)} is no longer what it was: repair it")
    for other in _with_what_it_reads(execute, name)[:-1]:
        if catalog.changed(execute, other):
            return replace(view, state=DISABLED, reason=f"the view {other}, which it reads, is disabled: repair that")
    if view.maintenance == "deferred" and (waiting := _waiting(execute, view.name)):
        return replace(view, state=DIRTY, reason=f"{waiting} changed rows wait for a refresh")
    return view


def _waiting(execute: Execute, name: str) -> int:
    """How many changed rows are logged for a view."""
    tables = [thing for thing, kind in _kinds(execute, catalog.objects(execute, name)).items() if kind == "table"]
    logs = [table for table in tables if table.endswith(SUFFIX)]
    return sum(execute(f"SELECT count(*) FROM {quoted(log)}").fetchone()[0] for log in logs)


_FEW = 1000
"""So many changed rows are put in anew whatever the share."""

_MUCH = 1 / 16
"""The share of a view's tables from which on it takes longer to put changed rows in anew than to compute all."""


def _is_much(execute: Execute, view: View) -> bool:
    """Whether so many rows wait for a refresh that computing the view as a whole is faster."""
    waiting = _waiting(execute, view.name)
    rows = (execute(f"SELECT count(*) FROM main.{quoted(table)}").fetchone()[0] for table in view.tables)
    return waiting > _FEW and waiting > _MUCH * sum(rows)


def _method(definition: Definition, maintenance: str) -> str:
    if maintenance == "full":
        return "computed as a whole by refresh"
    logged = "changed rows are logged, and at a refresh " if maintenance == "deferred" else ""
    return logged + _METHODS[definition.kind]


_METHODS = {
    "rows": "each changed row is put in anew by its key",
    "join": "the rows of a changed key are put in anew",
    "left join": "the rows of a changed key are put in anew",
    "distinct": "rows are kept with keys, and equal ones are counted",
    "groups": "rows are kept with keys; groups are added to and subtracted from, or computed again from their rows",
    "join with groups": "joined rows are kept with keys; groups are added to and subtracted from, or computed again",
    "exists": "the rows that a changed row is tied to by equal columns are put in anew",
    "windows": "the partitions of a changed row are put in anew",
    "union": "each SELECT's rows are kept with keys",
}
