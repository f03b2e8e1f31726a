"""Queries over the tables of a SELECT, in which views of ours are read with their keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxydb.sql.tokens import quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proxydb.views.clauses import Span
    from proxydb.views.definition import Arm, Definition, Source


def select(
    definition: Definition,
    arm: Arm,
    texts: Sequence[str],
    condition: str = "",
    *,
    prefix: str = "",
    filtered: bool = True,
) -> str:
    """A query of `texts` over the tables of a SELECT, where its own (if `filtered`) and another condition hold."""
    renamed = renames(arm)
    where = [] if arm.where is None or not filtered else [f"({definition.text(arm.where, renamed)})"]
    if condition:
        where.append(condition)
    said = f" WHERE {' AND '.join(where)}" if where else ""
    return f"SELECT {', '.join(texts)} FROM {prefix}{definition.text(arm.from_, renamed)}{said}"


def renames(arm: Arm) -> list[tuple[Span, str]]:
    """Where the query names a view of ours, what it is read from with keys."""
    sources = [*arm.sources, *(each.source for each in arm.subqueries)]
    return [(source.place, _renamed(source)) for source in sources if source.table.rows]


def column_of(source: Source, column: str) -> str:
    """A column of a source, as the query may name it."""
    return f"{quoted(source.alias)}.{quoted(column)}"


def _renamed(source: Source) -> str:
    name = quoted(source.table.rows)
    return name if source.aliased else f"{name} AS {quoted(source.alias)}"
