"""A derived table: a SELECT in parentheses in a FROM clause."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from proxydb.sql.tokens import QUOTED, WORD, locate
from proxydb.views.clauses import Span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proxydb.sql.parse import ColumnRef
    from proxydb.views.spellings.query import Output, Query

_NO_ALIAS = frozenset("where group having order limit offset on join inner left right full cross union natural".split())


class Derived(NamedTuple):
    """A derived table.

    Parameters
    ----------
    scope, outer
        The numbers of its SELECT, and of the one around it.
    place
        Where it stands, with its parentheses and its alias.
    alias
        What its columns are qualified with; empty where it has none.
    alone
        Whether it is all of the FROM clause.
    """

    scope: int
    outer: int
    place: Span
    alias: str
    alone: bool


def innermost(query: Query) -> Derived | None:
    """A derived table that holds no other one; None where there is none."""
    scopes = query.syntax.scopes
    for number, scope in reversed(list(enumerate(scopes))):
        if scope.role == "derived" and scope.parent is not None:
            derived = _derived(query, number, scope.parent)
            _rename(query, derived)
            return derived
    return None


def aliases_around(query: Query, derived: Derived) -> set[str]:
    """What the tables beside a derived table are called, and those of sub-queries beside it."""
    return {
        table.alias
        for table in query.syntax.tables
        if query.is_within(table.scope, derived.outer) and not query.is_within(table.scope, derived.scope)
    }


def _rename(query: Query, derived: Derived) -> None:
    """Let the only table of a derived table take its alias, where its own stands for another one around."""
    tables, around = query.tables(derived.scope), aliases_around(query, derived)
    alone = len(tables) == 1 and not any(scope.parent == derived.scope for scope in query.syntax.scopes)
    if alone and tables[0].alias in around and derived.alias and derived.alias not in around:
        query.renamed[derived.scope] = derived.alias


def _derived(query: Query, number: int, outer: int) -> Derived:
    inside = query.around(number)
    following = [found for found in locate(query.sql, query.system) if found[1] > inside.end]  # after the parenthesis
    named = following[1:] if following and following[0][0].text == "as" else following
    end, alias = inside.end + 1, ""
    if named and named[0][0].kind in (WORD, QUOTED) and named[0][0].text not in _NO_ALIAS:
        token, _, end = named[0]
        alias = token.text.strip('"`[]') if token.kind == QUOTED else token.text
    place = Span(query.cutter.last("(", inside.start), end)
    return Derived(number, outer, place, alias, place == query.select(outer).clauses["from"])


def columns_of(query: Query, derived: Derived, outputs: Sequence[Output]) -> dict[ColumnRef, Output]:
    """For each name around a derived table that means one of its columns, which one."""
    named = {_folded(query, output.name): output for output in outputs if output.name}
    found = {}
    for column in query.syntax.columns:
        if query.is_within(column.scope, derived.outer) and not query.is_within(column.scope, derived.scope):
            output = named.get(_folded(query, column.name))
            if output is not None and _means(query, column, derived):
                found[column] = output
    return found


def _means(query: Query, column: ColumnRef, derived: Derived) -> bool:
    """Whether a name can mean a column of the derived table: no table nearer to it, or beside it, has one like it."""
    if column.qualifier and column.qualifier != _folded(query, derived.alias):
        return False
    scope: int | None = column.scope
    while scope is not None:
        if query.owner(column, scope) is not None:
            return False
        if scope == derived.outer:
            return True
        scope = query.syntax.scopes[scope].parent
    return False


def _folded(query: Query, name: str) -> str:
    return name.lower() if query.system == "sqlite" else name
