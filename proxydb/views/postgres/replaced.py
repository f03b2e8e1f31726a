"""Immediate keeping of a SELECT of one table's rows: each is replaced by its key, in the writer's own transaction.

Two writers never meet at a kept row: whoever changes it has changed the table's row with that key, so the second one
waits there, or fails there outside READ COMMITTED.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxydb.sql.tokens import quoted
from proxydb.views.postgres.expressions import may_raise
from proxydb.views.postgres.part import (
    EQUAL,
    NEW,
    OLD,
    Change,
    Part,
    columns,
    emptied,
    named,
    own_condition,
    rows_as,
    select,
    where,
)

if TYPE_CHECKING:
    from proxydb.views.definition import Arm, Definition, Source


def refusal(definition: Definition, arm: Arm, *, asked: bool) -> str:
    """Why a SELECT cannot be kept in this way; empty if it can. If it is `asked` for, it may raise for a writer."""
    if arm.grouped or arm.distinct or arm.windowed or arm.subqueries or len(arm.sources) > 1:
        return "a row of the view is not one of a table"
    if not arm.sources[0].unique_key:
        return f"{arm.sources[0].table.name} has no primary key"
    if not asked and may_raise([*arm.outputs, *arm.carried, *own_condition(definition, arm)]):
        return "it computes what may raise, and would raise for the writer"
    return ""


def replaced(prefix: str, definition: Definition, arm: Arm) -> Part:
    """How the SELECT is kept."""
    source, state = arm.sources[0], f"{prefix}_rows"
    keys = [f"{quoted(source.alias)}.{quoted(name)}" for name in source.key]
    texts = named(keys, "k") + named(arm.outputs + arm.carried, "o")
    condition = own_condition(definition, arm)
    put = f"INSERT INTO {state} SELECT {', '.join(texts)} FROM {rows_as(source, NEW)}{where(condition)}"
    known = all(_is_builtin(source, name) for name in source.key)
    same = [f"proxydb_s.k{place} {EQUAL if known else '='} {key}" for place, key in enumerate(keys)]
    texts_of_user = (*arm.outputs, *arm.carried, *condition, *(() if known else ("=",)))
    take = f"DELETE FROM {state} AS proxydb_s USING {rows_as(source, OLD)}{where(same)}"
    shown = columns("o", len(arm.outputs + arm.carried))
    return Part(
        create=(
            f"CREATE TABLE {state} AS {select(definition, arm, texts, condition)} WITH NO DATA",
            f"ALTER TABLE {state} ADD PRIMARY KEY ({', '.join(columns('k', len(keys)))})",
        ),
        fill=(f"INSERT INTO {state} {select(definition, arm, texts, condition)}",),
        changes=(Change(source.table, (put,), (take, put), (take,), emptied(state), texts_of_user),),
        shown=f"SELECT {', '.join(shown)} FROM {state}",
        table=state,
        held=tuple(shown),
    )


_BUILTIN = ("smallint", "integer", "bigint", "text", "character varying", "uuid", "date", "boolean")


def _is_builtin(source: Source, name: str) -> bool:
    """Whether a column's values are compared by an operator of Postgres' own."""
    column = source.table.column(name)
    return column is not None and column.type.startswith(_BUILTIN)
