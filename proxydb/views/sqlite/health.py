"""The states that views are really in."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from proxydb.sql.tokens import quoted
from proxydb.views.records import DIRTY, DISABLED, View
from proxydb.views.sqlite import catalog
from proxydb.views.sqlite.deferred import SUFFIX
from proxydb.views.sqlite.making import kinds

if TYPE_CHECKING:
    from proxydb.views.sqlite.facts import Execute

_FEW = 1000
"""So many changed rows are put in anew whatever the share."""

_MUCH = 1 / 16
"""The share of a view's tables from which on it takes longer to put changed rows in anew than to compute all."""


def healthy(execute: Execute, name: str) -> View:
    """The view in the state that it is really in."""
    view = catalog.get(execute, name)
    if broken := catalog.changed(execute, name):
        return replace(view, state=DISABLED, reason=f"{', '.join(broken)} is no longer what it was: repair it")
    for other in with_what_it_reads(execute, name)[:-1]:
        if catalog.changed(execute, other):
            return replace(view, state=DISABLED, reason=f"the view {other}, which it reads, is disabled: repair that")
    if view.maintenance == "deferred" and (waiting := _waiting(execute, view.name)):
        return replace(view, state=DIRTY, reason=f"{waiting} changed rows wait for a refresh")
    return view


def _waiting(execute: Execute, name: str) -> int:
    """How many changed rows are logged for a view."""
    tables = [thing for thing, kind in kinds(execute, catalog.objects(execute, name)).items() if kind == "table"]
    logs = [table for table in tables if table.endswith(SUFFIX)]
    return sum(execute(f"SELECT count(*) FROM {quoted(log)}").fetchone()[0] for log in logs)


def is_much(execute: Execute, view: View) -> bool:
    """Whether so many rows wait for a refresh that computing the view as a whole is faster."""
    waiting = _waiting(execute, view.name)
    rows = (execute(f"SELECT count(*) FROM main.{quoted(table)}").fetchone()[0] for table in view.tables)
    return waiting > _FEW and waiting > _MUCH * sum(rows)


def with_what_it_reads(execute: Execute, name: str) -> list[str]:
    """A view after those that it reads, directly or not."""
    view = catalog.get(execute, name)
    tables = {table.lower() for table in view.tables}
    read = [
        other
        for other in catalog.names(execute)
        if other != view.name and tables & {thing.lower() for thing in catalog.objects(execute, other)}
    ]
    return [*dict.fromkeys(below for other in read for below in with_what_it_reads(execute, other)), view.name]
