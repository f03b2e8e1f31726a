"""Writes a SELECT anew with what a derived table of it consists of in the table's place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxydb.sql.tokens import quoted
from proxydb.views.clauses import Span
from proxydb.views.obstacle import Obstacle
from proxydb.views.outputs import DIRECTIONS, without_alias
from proxydb.views.spellings.derived import aliases_around, columns_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from proxydb.views.spellings.derived import Derived
    from proxydb.views.spellings.query import Output, Query

_OUTER = frozenset({"left", "right", "full", "natural", "using"})
_KEPT = {"group": "GROUP BY", "having": "HAVING", "order": "ORDER BY", "limit": "LIMIT", "offset": "OFFSET"}

Edits = list[tuple[Span, str]]


def put_in(
    query: Query, derived: Derived, outputs: Sequence[Output], without: Span | None = None, more: str = ""
) -> str:
    """The query with the derived table's FROM clause in the place of the table, and its condition beside the query's.

    Parameters
    ----------
    query, derived
        The query, and the table.
    outputs
        What stands for the table's columns.
    without
        A condition of the query that is left out.
    more
        One that comes in addition.

    Raises
    ------
    Obstacle
        A name would come to mean something else.
    """
    if not all(output.name for output in outputs):
        raise Obstacle(f"its derived table {derived.alias} has a column without a name: give it an alias with AS")
    _check_aliases(query, derived)
    select = query.select(derived.outer)
    if {"window", "fetch"} & set(select.clauses):
        raise Obstacle("it has a WINDOW or FETCH clause")
    edits: Edits = [
        (Span(column.start, column.end), _value(output))
        for column, output in columns_of(query, derived, outputs).items()
    ]
    words = "SELECT DISTINCT " if select.distinct else "SELECT "
    parts = [words + ", ".join(_items(query, derived, outputs, edits))]
    parts.append("FROM " + query.text(select.clauses["from"], [*edits, (derived.place, _from(query, derived))]))
    if conditions := list(_conditions(query, derived, edits, without, more)):
        parts.append("WHERE " + " AND ".join(f"({each}\n)" for each in conditions))
    for clause, name in _KEPT.items():
        if clause in select.clauses:
            own = _unnamed(query, derived, edits) if clause == "order" else edits
            parts.append(f"{name} {query.text(select.clauses[clause], own)}")
    return query.text(query.whole, [(_place(query, derived.outer), " ".join(parts))])


def _place(query: Query, scope: int) -> Span:
    """Where a SELECT stands, from its first word on."""
    select = query.select(scope)
    start = query.cutter.last("select", select.items[0].start)
    return Span(start, max(span.end for span in select.clauses.values()))


def _check_aliases(query: Query, derived: Derived) -> None:
    both = {query.alias(table) for table in query.tables(derived.scope)} & aliases_around(query, derived)
    if both:
        raise Obstacle(f"its derived table {derived.alias} reads {min(both)}, as the query around it does")


def _from(query: Query, derived: Derived) -> str:
    """The table's own FROM clause; beside other tables in parentheses, and only in inner joins."""
    inner, outer = (query.select(scope).clauses["from"] for scope in (derived.scope, derived.outer))
    text = inner.of(query.sql)
    if derived.scope in query.renamed:
        [table] = query.tables(derived.scope)
        text = f"{query.sql[table.start : table.end]} AS {quoted(derived.alias)}"
    if derived.alone:
        return text
    beside = query.cutter.words(Span(outer.start, derived.place.start))
    beside += query.cutter.words(Span(derived.place.end, outer.end))
    if _OUTER & set(beside) or any(scope.parent == derived.scope for scope in query.syntax.scopes):
        raise Obstacle(f"its derived table {derived.alias} stands in an outer join, or has a sub-query beside a join")
    if len(query.tables(derived.scope)) == 1:
        return text
    if "," in query.cutter.words(inner):
        raise Obstacle(f"its derived table {derived.alias} joins by commas: write JOIN")
    return f"({text})"


def _conditions(query: Query, derived: Derived, edits: Edits, without: Span | None, more: str) -> Iterator[str]:
    inner, outer = query.select(derived.scope).clauses, query.select(derived.outer).clauses
    if "where" in inner:
        yield query.qualified(inner["where"], derived.scope)
    if without is not None:
        for part in query.cutter.conjuncts(outer["where"]):
            if part != without:
                yield query.text(part, edits)
    elif "where" in outer:
        yield query.text(outer["where"], edits)
    if more:
        yield more


def _items(query: Query, derived: Derived, outputs: Sequence[Output], edits: Edits) -> Iterator[str]:
    """The SELECT list, in which columns of the derived table keep their names."""
    scope = query.syntax.scopes[derived.outer]
    for item, name, start in zip(
        query.select(derived.outer).items, query.names(derived.outer), scope.starts, strict=True
    ):
        words = query.cutter.words(item)
        if words[-1] == "*" and (len(words) == 1 or words[-2] == "."):
            yield from _star(query, derived, outputs, item, words)
            continue
        span = without_alias(query.sql, item, start)
        found = next((o for c, o in columns_of(query, derived, outputs).items() if (c.start, c.end) == span), None)
        named = name or (found.name if found else "")
        if not named and query.system == "sqlite" and not _is_column(query, span):
            raise Obstacle("an expression over a derived table has no name: give it an alias with AS")
        yield query.text(span, edits) + (f" AS {quoted(named)}" if named else "")


def _star(
    query: Query, derived: Derived, outputs: Sequence[Output], item: Span, words: tuple[str, ...]
) -> Iterator[str]:
    qualifier = words[0].strip('"`[]').lower() if len(words) > 1 else ""
    if not qualifier and not derived.alone:
        raise Obstacle("it says * beside a derived table and others: name the columns")
    if qualifier not in ("", derived.alias.lower()):
        yield item.of(query.sql)
    else:
        yield from (f"{output.text} AS {quoted(output.name)}" for output in outputs)


def _is_column(query: Query, span: Span) -> bool:
    return any((column.start, column.end) == span for column in query.syntax.columns)


def _unnamed(query: Query, derived: Derived, edits: Edits) -> Edits:
    """Without ORDER BY terms that are names of outputs: these stay what they are."""
    terms = {term.start: term.end for term in query.select(derived.outer).orders}
    names = {name.lower() for name in query.names(derived.outer) if name}

    def is_name(place: Span) -> bool:
        rest = query.cutter.words(Span(place.end, terms.get(place.start, place.end)))
        bare = place.of(query.sql).strip('"`[]').lower()
        return place.start in terms and bare in names and not set(rest) - DIRECTIONS

    return [(place, text) for place, text in edits if not is_name(place)]


def _value(output: Output) -> str:
    """What stands for a column: another column, or an expression in parentheses."""
    return output.text if output.is_column else f"({output.text}\n)"
