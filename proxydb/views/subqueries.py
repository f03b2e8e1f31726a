"""The correlated sub-queries of a SELECT: which equalities tie them to the rows around them.

Such a sub-query depends only on the rows of its table that are equal in these columns, whatever else it says, so a
changed row of that table touches only the rows that are linked to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxydb.views.clauses import Span
from proxydb.views.definition import Link, Source, SubQuery
from proxydb.views.obstacle import Obstacle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from proxydb.sql.parse import ColumnRef, Syntax, TableRef
    from proxydb.views.catalogue import Column, Table
    from proxydb.views.clauses import Cutter

_LINKING = {("=",): False, ("==",): False, ("is",): True, ("is", "not", "distinct", "from"): True}
"""The words between two columns that hold them equal, and whether NULL then equals NULL."""
_NUMBERS = frozenset({"integer", "numeric", "real"})
_INTEGERS = frozenset({"smallint", "integer", "bigint"})
_ROLES = frozenset({"exists", "in", "scalar"})


def sub_queries(
    syntax: Syntax,
    number: int,
    cutter: Cutter,
    sources: Sequence[Source],
    where: Span | None,
    find: Callable[[TableRef], Table],
) -> Iterator[SubQuery]:
    """The sub-queries of the SELECT of this number.

    Raises
    ------
    Obstacle
        One of them is of another kind, or depends on more than linked rows.
    """
    for scope, each in enumerate(syntax.scopes):
        if each.parent is not None and syntax.root(scope) == number:
            if each.parent != number or each.role not in _ROLES:
                raise Obstacle(f"it has a sub-query in a place that is not taken apart ({each.role})")
            yield _sub_query(syntax, scope, cutter, sources, where, find)


def _sub_query(
    syntax: Syntax,
    scope: int,
    cutter: Cutter,
    sources: Sequence[Source],
    where: Span | None,
    find: Callable[[TableRef], Table],
) -> SubQuery:
    tables = [table for table in syntax.tables if table.scope == scope]
    if len(tables) != 1:
        raise Obstacle("it has a sub-query over several tables")
    reference = tables[0]
    arm = cutter.inside(reference.start)
    _check(arm.clauses, syntax.scopes[scope].role, [cutter.words(item) for item in arm.items])
    table = find(reference)
    everything = tuple(column.name for column in table.columns)
    source = Source(table, reference.alias, Span(reference.start, reference.end), False, everything, reference.aliased)
    columns = [column for column in syntax.columns if column.scope == scope]
    links = tuple(_links(cutter, arm.clauses["where"], columns, source, sources)) if "where" in arm.clauses else ()
    if syntax.scopes[scope].role == "in":
        for inner, outer in _membership(syntax, scope, cutter, arm.items, where):
            links += tuple(_between(inner, outer, source, sources))
    if not links:
        raise Obstacle(f"its sub-query over {table.name} is not tied to it by an equality of columns of one type")
    return SubQuery(source, links)


def _check(clauses: dict[str, Span], role: str, items: list[tuple[str, ...]]) -> None:
    if "limit" in clauses or "group" in clauses:
        raise Obstacle("it has a sub-query with GROUP BY or LIMIT")
    if role == "scalar" and (items[0][0] not in ("count", "max", "min", "sum", "total", "avg") or items[0][-1] != ")"):
        raise Obstacle("it has a sub-query as a value that is no aggregate")


def _links(
    cutter: Cutter, where: Span, columns: Sequence[ColumnRef], source: Source, sources: Sequence[Source]
) -> Iterator[Link]:
    for part in cutter.conjuncts(where):
        sides = [column for column in columns if part.holds(column.start)]
        if len(sides) != 2 or sides[0].start != part.start or sides[1].end != part.end:
            continue
        between = cutter.words(Span(sides[0].end, sides[1].start))
        if between in _LINKING:
            yield from _link(sides, source, sources, _LINKING[between])


def _membership(
    syntax: Syntax, scope: int, cutter: Cutter, items: tuple[Span, ...], where: Span | None
) -> Iterator[tuple[ColumnRef, ColumnRef]]:
    """The columns of ``outer IN (SELECT inner …)``, where that is a condition that has to be true by itself.

    Elsewhere it is no equality of rows: a NULL among those of the sub-query makes false into NULL.
    """
    query = next(span for span in cutter.selects() if span.holds(items[0].start))
    for part in cutter.conjuncts(where) if where is not None else []:
        for outer in (column for column in syntax.columns if column.start == part.start):
            between = cutter.words(Span(outer.end, query.start))
            for inner in (column for column in syntax.columns if column.scope == scope and items == (_place(column),)):
                if between == ("in", "(") and part.end == query.end + 1:
                    yield inner, outer


def _place(column: ColumnRef) -> Span:
    return Span(column.start, column.end)


def _finds(outer: Column, inner: Column) -> bool:
    """Whether `outer`, compared with a value of `inner`, finds at least what comparing the two columns finds.

    A bare value has no affinity, so where only `inner` makes SQLite compare numbers, it would find less. SQLite
    compares a rowid without a collation.
    """
    if (outer.collation or "BINARY") != (inner.collation or "BINARY"):
        return False
    if {outer.type, inner.type} <= _INTEGERS:
        return True
    return outer.type.lower() == inner.type.lower() or outer.affinity in _NUMBERS or inner.affinity in ("text", "blob")


def _link(sides: list[ColumnRef], source: Source, sources: Sequence[Source], null_safe: bool) -> Iterator[Link]:
    for inner, outer in (sides, sides[::-1]):
        column = source.table.column(inner.name)
        if column is None or inner.qualifier not in ("", source.alias):
            continue
        if outer.qualifier in ("", source.alias) and source.table.column(outer.name):
            continue
        if any(around.table.column(outer.name) and outer.qualifier in ("", around.alias) for around in sources):
            yield from _between(inner, outer, source, sources, null_safe)
            return


def _between(
    inner: ColumnRef, outer: ColumnRef, source: Source, sources: Sequence[Source], null_safe: bool = False
) -> Iterator[Link]:
    """The link of a column of the sub-query to one of the query around it, if equality of the two finds rows."""
    column = source.table.column(inner.name)
    for around in sources:
        other = around.table.column(outer.name)
        if column is not None and other is not None and outer.qualifier in ("", around.alias):
            if inner.qualifier in ("", source.alias) and _finds(other, column):
                yield Link(around.alias, other.name, column.name, null_safe)
            return
