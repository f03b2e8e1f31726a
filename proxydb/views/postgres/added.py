"""Groups whose counts and sums of integers are added to: at once, or by a log that is added up when the view is read.

The log is only appended to, so no writer waits for another, and whatever a transaction sees of the table it sees of
the log. At once, a writer waits for another one of the same group, and outside READ COMMITTED fails when it is late.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxydb.views.postgres.expressions import may_raise
from proxydb.views.postgres.groups import Groups, not_addable
from proxydb.views.postgres.part import MINUS, NEW, OLD, PLUS, Change, Part, emptied, own_condition, place

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from proxydb.views.definition import Arm, Definition


def refusal(definition: Definition, arm: Arm, types: Callable[[Sequence[str]], list[int]], *, asked: bool) -> str:
    """Why a SELECT cannot be kept in this way; empty if it can.

    Parameters
    ----------
    definition, arm
        The view, and the SELECT of it.
    types
        Gives for expressions over it the numbers of their types in pg_type.
    asked
        Whether it is asked for: then what may raise may do so for the writer.
    """
    if not arm.grouped or arm.subqueries or len(arm.sources) > 1:
        return "it is no grouping of one table"
    if reason := not_addable(arm, types):
        return reason
    arguments = [aggregate.argument for aggregate in arm.aggregates if aggregate.argument != "*"]
    if not asked and may_raise([*arm.groups, *arguments, *own_condition(definition, arm)]):
        return "it computes what may raise, and would raise for the writer"
    return ""


def logged(prefix: str, definition: Definition, arm: Arm, types: Callable[[Sequence[str]], list[int]]) -> Part:
    """How the SELECT is kept with a log."""
    kept = Groups(prefix, definition, arm, types)
    log = f"INSERT INTO {kept.log} "
    both = f"SELECT * FROM {kept.state} UNION ALL SELECT * FROM {kept.log}"
    change = Change(
        kept.source.table,
        (log + kept.of_rows(NEW),),
        (log + kept.difference(),),
        (log + kept.of_rows(OLD, MINUS),),
        emptied(kept.state, kept.log),
        kept.texts,
    )
    return Part(
        create=(*_table(kept, kept.state), *kept.index(), *_table(kept, kept.log)),
        fill=(_fill(kept),),
        changes=(change,),
        shown=kept.shown(both),
        table=kept.state,
        held=kept.held,
        fold=_fold(kept),
        logs=(kept.log,),
    )


def added(prefix: str, definition: Definition, arm: Arm, types: Callable[[Sequence[str]], list[int]]) -> Part:
    """How the SELECT is kept at once."""
    kept = Groups(prefix, definition, arm, types)
    change = Change(
        kept.source.table,
        (_add(kept, kept.of_rows(NEW)),),
        (_add(kept, kept.difference()),),
        (_add(kept, kept.of_rows(OLD, MINUS)),),
        emptied(kept.state),
        kept.texts,
    )
    return Part(
        create=(*_table(kept, kept.state), _unique(kept)),
        fill=(_fill(kept),),
        changes=(change,),
        shown=kept.shown(f"SELECT {', '.join(kept.names)} FROM {kept.state}"),
        table=kept.state,
        held=kept.held,
        fold=f"DELETE FROM {kept.state} WHERE n = 0",
    )


def _table(kept: Groups, name: str) -> tuple[str, ...]:
    return (f"CREATE TABLE {name} AS {kept.total(kept.of_rows(place(kept.source.table)))} WITH NO DATA",)


def _unique(kept: Groups) -> str:
    if not kept.keys:
        return f"ALTER TABLE {kept.state} ADD COLUMN one boolean NOT NULL DEFAULT true UNIQUE"
    return f"ALTER TABLE {kept.state} ADD UNIQUE NULLS NOT DISTINCT ({', '.join(kept.keys)})"


def _fill(kept: Groups) -> str:
    return f"INSERT INTO {kept.state} ({', '.join(kept.names)}) {kept.of_rows(place(kept.source.table))}"


def _add(kept: Groups, change: str) -> str:
    """Add to groups; in their order, so that two writers seldom wait for each other crosswise."""
    ordered = f" ORDER BY {', '.join(kept.keys)}" if kept.keys else ""
    grown = ", ".join(f"{each.name} = proxydb_s.{each.name} {PLUS} excluded.{each.name}" for each in kept.sums)
    conflict = ", ".join(kept.keys) or "one"
    return (
        f"INSERT INTO {kept.state} AS proxydb_s ({', '.join(kept.names)}) "
        f"SELECT * FROM ({change}) AS proxydb_c{ordered} ON CONFLICT ({conflict}) DO UPDATE SET {grown}"
    )


def _fold(kept: Groups) -> str:
    """One statement, so that all of it sees one state of the log."""
    return f"WITH taken AS (DELETE FROM {kept.log} RETURNING *), {kept.taken_in('taken')}"
