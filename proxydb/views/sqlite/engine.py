"""Creates, refreshes, checks and drops views in a SQLite database; each is one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proxydb.errors import ProgrammingError
from proxydb.sql.tokens import quoted
from proxydb.views.records import DISABLED, View, ViewCheck, ViewExplanation, compared
from proxydb.views.sqlite import catalog
from proxydb.views.sqlite.deferred import take_in
from proxydb.views.sqlite.health import healthy, is_much, with_what_it_reads
from proxydb.views.sqlite.making import defined, kinds, laid_out, make, readers, rebuild, remove
from proxydb.views.sqlite.scans import scans
from proxydb.views.sqlite.transactions import reading, writing

if TYPE_CHECKING:
    from proxydb.views.definition import Definition
    from proxydb.views.sqlite.facts import Execute


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
        return make(execute, name, sql, maintenance or "immediate", max_staleness, indexes)


def drop(connection: Any, name: str, *, missing_ok: bool = False) -> None:
    """Remove a view and everything that was made for it."""
    with writing(connection) as execute:
        if missing_ok and catalog.find(execute, name) is None:
            return
        view = catalog.get(execute, name)
        if others := readers(execute, view.name):
            raise ProgrammingError(f"{name!r} is read by the materialized view {others[0]!r}: drop that one first")
        remove(execute, view)


def refresh(connection: Any, name: str) -> View:
    """Take in what was logged for a view; if that is much, or nothing is logged, compute it as a whole."""
    with writing(connection) as execute:
        view = catalog.get(execute, name)
        if view.maintenance == "deferred" and not catalog.changed(execute, view.name) and not is_much(execute, view):
            layout = laid_out(execute, view)
            take_in(execute, layout.logs, layout.rows)
            catalog.refreshed(execute, view.name)
        else:
            rebuild(execute, view.name)
        return healthy(execute, view.name)


def repair(connection: Any, name: str | None) -> list[View]:
    """Make those views again that are broken."""
    with writing(connection) as execute:
        chosen = catalog.names(execute) if name is None else with_what_it_reads(execute, name)
        broken = [each for each in chosen if healthy(execute, each).state == DISABLED]
        for each in broken:
            if healthy(execute, each).state == DISABLED:  # what reads another one was made again with that
                rebuild(execute, each)
        return [catalog.get(execute, each) for each in broken]


def views(connection: Any) -> list[View]:
    """All views, in the states that they are really in."""
    with reading(connection) as execute:
        return [healthy(execute, name) for name in catalog.names(execute)]


def check(connection: Any, name: str) -> ViewCheck:
    """Compare a view with its query, both read in one snapshot."""
    with reading(connection) as execute:
        view = catalog.get(execute, name)
        expected = execute(view.sql).fetchall()
        return compared(view.name, expected, execute(f"SELECT * FROM main.{quoted(view.name)}").fetchall())


def explain(connection: Any, name: str) -> ViewExplanation:
    """How a view is kept."""
    with writing(connection) as execute:  # asking about columns makes a temporary view
        view = healthy(execute, catalog.get(execute, name).name)
        definition = defined(execute, view.name, view.sql).definition
        things = kinds(execute, catalog.objects(execute, view.name))
        incremental = view.maintenance != "full" and view.state != DISABLED
        layout = laid_out(execute, view) if incremental else None
        return ViewExplanation(
            view,
            _method(definition, view.maintenance, copied=layout is None or bool(layout.rows)),
            definition.obstacle,
            tuple(thing for thing, kind in things.items() if kind == "table"),
            tuple(thing for thing, kind in things.items() if kind == "trigger"),
            () if layout is None else scans(layout, execute),
        )


def _check_name(name: str) -> None:
    if not name or "\0" in name or name.lower().startswith(("sqlite_", "proxydb_")):
        raise ProgrammingError(f"{name!r} cannot be the name of a view: choose another")


def _check_free(execute: Execute, name: str) -> None:
    if catalog.find(execute, name) is not None:
        raise ProgrammingError(f"there is a materialized view {name!r} already: drop it first, or choose another name")
    taken = execute("SELECT type FROM sqlite_master WHERE lower(name) = lower(?)", (name,)).fetchone()
    if taken is not None:
        raise ProgrammingError(f"there is a {taken[0]} {name!r} already: choose another name")


def _method(definition: Definition, maintenance: str, *, copied: bool) -> str:
    if maintenance == "full":
        return "computed as a whole by refresh"
    if not copied:
        return "made of the rows that another view keeps; groups are added to and subtracted from, or computed again"
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
