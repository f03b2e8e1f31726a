"""``SELECT DISTINCT ON (…) … ORDER BY …`` of one table → the row before which there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxydb.views.clauses import Span
from proxydb.views.obstacle import Obstacle
from proxydb.views.spellings.first import columns_in, nothing_before

if TYPE_CHECKING:
    from proxydb.views.spellings.query import Query

_PLAIN = frozenset({"select", "from", "where", "order"})
_WHAT = "DISTINCT ON"


def rewrite_distinct_on(query: Query) -> str | None:
    """The query without DISTINCT ON; None where it has none.

    Raises
    ------
    Obstacle
        It is not of one table, or leaves open which rows it takes.
    """
    select = query.select(0)
    if not select.distinct or query.cutter.words(select.items[0])[:2] != ("on", "("):
        return None
    if len(query.tables(0)) != 1 or set(select.clauses) - _PLAIN or len(query.cutter.arms()[0]) != 1:
        raise Obstacle("it says DISTINCT ON of more than the rows of one table")
    first, terms = query.cutter.parentheses(select.items[0].start)
    partition = columns_in(query, 0, terms, _WHAT)
    order = columns_in(query, 0, select.orders, _WHAT)
    names = {name.lower() for name in query.names(0) if name}
    if {each.column for each in order[: len(partition)]} != {each.column for each in partition}:
        raise Obstacle("its ORDER BY does not begin with what DISTINCT ON takes")
    if names & {each.column.lower() for each in order}:
        raise Obstacle("its ORDER BY names a column as an output is named")
    where, source = select.clauses.get("where"), select.clauses["from"]
    condition = nothing_before(query, 0, partition, order[len(partition) :], where, _WHAT)
    start = query.cutter.last("distinct", select.items[0].start)
    edits = [(Span(start, first.end), "")]
    if where is not None:
        edits.append((where, f"({where.of(query.sql)}\n) AND {condition}"))
    else:
        edits.append((source, f"{source.of(query.sql)} WHERE {condition}"))
    return query.text(query.whole, edits)
