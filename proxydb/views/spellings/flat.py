"""Puts a derived table that only selects, projects and joins into the query around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxydb.views.aggregates import is_aggregate
from proxydb.views.obstacle import Obstacle
from proxydb.views.spellings.derived import innermost
from proxydb.views.spellings.putting_in import put_in

if TYPE_CHECKING:
    from proxydb.views.spellings.derived import Derived
    from proxydb.views.spellings.query import Query

_PLAIN = frozenset({"select", "from", "where", "order"})
_COMPOUND = frozenset({"union", "except", "intersect"})


def flatten_derived(query: Query) -> str | None:
    """The query without its innermost derived table; None where it has none.

    Raises
    ------
    Obstacle
        The table does more than select, project and join, or stands where that makes a difference.
    """
    derived = innermost(query)
    if derived is None:
        return None
    check_plain(query, derived)
    return put_in(query, derived, query.outputs(derived.scope))


def check_plain(query: Query, derived: Derived) -> None:
    """See to it that a derived table has no more than a SELECT list, FROM, WHERE and an ORDER BY that nobody sees."""
    select, inside = query.select(derived.scope), query.around(derived.scope)
    if select.distinct or set(select.clauses) - _PLAIN or _COMPOUND & set(query.cutter.words(inside)):
        raise Obstacle(f"its derived table {derived.alias} does more than select, project and join")
    for item in select.items:
        calls = query.cutter.calls(item)
        if any(is_aggregate(call, query.system) or call.after == "over" for call in calls):
            raise Obstacle(f"its derived table {derived.alias} has aggregates or window functions")
        if "select" in query.cutter.words(item):
            raise Obstacle(f"its derived table {derived.alias} has a sub-query in its SELECT list")
