"""The first row of each partition of a table, as the row before which there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from proxydb.sql.tokens import quoted
from proxydb.views.clauses import Span
from proxydb.views.obstacle import Obstacle
from proxydb.views.outputs import DIRECTIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from proxydb.views.spellings.query import Query

_OTHER = "proxydb_n"
_NULL_SAFE = {"sqlite": "IS", "postgresql": "IS NOT DISTINCT FROM"}
_NULL_IS_LARGEST = {"sqlite": False, "postgresql": True}


class Term(NamedTuple):
    """A column that rows are ordered by.

    Parameters
    ----------
    column
        Its name.
    descending
        Whether the largest comes first.
    nulls_first
        Whether NULL comes first.
    equals
        The operator that holds two values of it equal, NULL among them.
    """

    column: str
    descending: bool
    nulls_first: bool
    equals: str

    @property
    def nullable(self) -> bool:
        """Whether it may be NULL."""
        return self.equals != "="


def columns_in(query: Query, scope: int, spans: Iterable[Span], what: str) -> list[Term]:
    """The columns that some terms consist of, with their directions.

    Raises
    ------
    Obstacle
        One is no column.
    """
    return [_term(query, scope, span, what) for span in spans]


def _term(query: Query, scope: int, span: Span, what: str) -> Term:
    for column in query.syntax.columns:
        rest = query.cutter.words(Span(column.end, span.end)) if column.start == span.start else ("no",)
        owned = query.owner(column, scope) if not set(rest) - DIRECTIONS else None
        if owned is not None and column.scope == scope:
            table = query.table(query.tables(scope)[0])
            found = table.column(owned[1])
            sure = found is not None and (found.not_null or (table.key == (owned[1],) and table.unique_key))
            descending = "desc" in rest
            nulls_first = "first" in rest if "nulls" in rest else descending == _NULL_IS_LARGEST[query.system]
            return Term(owned[1], descending, nulls_first, "=" if sure else _NULL_SAFE[query.system])
    raise Obstacle(f"{what} takes an expression: only columns are compared")


def nothing_before(
    query: Query, scope: int, partition: Sequence[Term], order: Sequence[Term], where: Span | None, what: str
) -> str:
    """The condition that a row of a SELECT of one table is the first of its partition.

    Parameters
    ----------
    query, scope
        The query, and the number of the SELECT.
    partition, order
        What makes a partition, and what orders it.
    where
        Which rows count.
    what
        What is rewritten, for errors.

    Raises
    ------
    Obstacle
        The order leaves open which row that is, or the condition has a sub-query.
    """
    [reference] = query.tables(scope)
    table = query.table(reference)
    if table.obstacle:
        raise Obstacle(table.obstacle)
    if not partition or not order:
        raise Obstacle(f"{what} has no partition or no order")
    if not table.key or not table.unique_key or not set(table.key) <= {each.column for each in (*partition, *order)}:
        raise Obstacle(
            f"rows of equal order make {what} ambiguous: append the primary key of {table.name} to its order"
        )
    alias = query.alias(reference)
    conditions = [f"{_OTHER}.{quoted(each.column)} {each.equals} {_own(alias, each)}" for each in partition]
    if where is not None:
        if any(each.parent == scope for each in query.syntax.scopes):
            raise Obstacle(f"{what} stands beside a sub-query")
        conditions.append(f"({_of_other(query, scope, where)}\n)")
    conditions.append(f"({_before(alias, list(order))})")
    name = query.sql[reference.start : reference.end]
    return f"NOT EXISTS (SELECT 1 FROM {name} AS {_OTHER} WHERE {' AND '.join(conditions)})"


def _before(alias: str, order: list[Term]) -> str:
    first, *rest = order
    other, own = f"{_OTHER}.{quoted(first.column)}", _own(alias, first)
    comes = f"{other} {'>' if first.descending else '<'} {own}"
    if first.nullable:
        null, value = (other, own) if first.nulls_first else (own, other)
        comes += f" OR ({null} IS NULL AND {value} IS NOT NULL)"
    return f"{comes} OR ({other} {first.equals} {own} AND ({_before(alias, rest)}))" if rest else comes


def _own(alias: str, term: Term) -> str:
    return f"{quoted(alias)}.{quoted(term.column)}"


def _of_other(query: Query, scope: int, where: Span) -> str:
    edits = [
        (Span(column.start, column.end), f"{_OTHER}.{quoted(owned[1])}")
        for column in query.syntax.columns
        if where.holds(column.start) and (owned := query.owner(column, scope)) is not None
    ]
    return query.text(where, edits)
