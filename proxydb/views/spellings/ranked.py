"""``row_number() OVER (PARTITION BY … ORDER BY …) = 1`` around a derived table → the row before which there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxydb.views.clauses import Span
from proxydb.views.outputs import without_alias
from proxydb.views.spellings.derived import columns_of, innermost
from proxydb.views.spellings.first import columns_in, nothing_before
from proxydb.views.spellings.putting_in import put_in
from proxydb.views.spellings.query import Output

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proxydb.views.clauses import Call
    from proxydb.views.spellings.derived import Derived
    from proxydb.views.spellings.query import Query

_PLAIN = frozenset({"select", "from", "where", "order"})
_WHAT = "row_number"
_ONE = {"sqlite": "1", "postgresql": "CAST(1 AS bigint)"}


def rewrite_first_of_partition(query: Query) -> str | None:
    """The query without its innermost derived table, where that numbers rows of which the query takes the first."""
    derived = innermost(query)
    call = _numbering(query, derived) if derived is not None else None
    if derived is None or call is None:
        return None
    window, select = query.cutter.window(call), query.select(derived.scope)
    number = _outputs(query, derived, call)
    taken = _taken(query, derived, number)
    if window is None or window.frame or taken is None or select.distinct or set(select.clauses) - _PLAIN:
        return None
    partition = columns_in(query, derived.scope, window.partition, _WHAT)
    order = columns_in(query, derived.scope, window.order, _WHAT)
    condition = nothing_before(query, derived.scope, partition, order, select.clauses.get("where"), _WHAT)
    return put_in(query, derived, number, taken, condition)


def _numbering(query: Query, derived: Derived) -> Call | None:
    """The only window function of a SELECT of one table: a row_number that is a column by itself."""
    calls = [
        call for item in query.select(derived.scope).items for call in query.cutter.calls(item) if call.after == "over"
    ]
    one = len(calls) == 1 and calls[0].name == "row_number" and len(query.tables(derived.scope)) == 1
    return calls[0] if one and _is_whole(query, derived, calls[0]) else None


def _is_whole(query: Query, derived: Derived, call: Call) -> bool:
    scope = query.syntax.scopes[derived.scope]
    for item, start in zip(query.select(derived.scope).items, scope.starts, strict=True):
        span = without_alias(query.sql, item, start)
        if span.start == call.whole.start and start >= 0:
            return _closes(query.cutter.words(Span(call.whole.end, span.end)))
    return False


def _closes(words: Sequence[str]) -> bool:
    """Whether what follows a call is OVER and one pair of parentheses."""
    depth, places = 0, []
    for place, word in enumerate(words):
        depth += (word == "(") - (word == ")")
        if word == ")" and not depth:
            places.append(place)
    return words[:2] == ("over", "(") and places[:1] == [len(words) - 1]


def _outputs(query: Query, derived: Derived, call: Call) -> list[Output]:
    """What the derived table gives, with 1 for the number."""
    text = query.qualified(call.whole, derived.scope)
    one = _ONE[query.system]
    return [
        Output(each.name, one, False) if each.text.startswith(text) and not each.is_column else each
        for each in query.outputs(derived.scope)
    ]


def _taken(query: Query, derived: Derived, outputs: list[Output]) -> Span | None:
    """The condition of the query that the number is 1; None where there is none."""
    where = query.select(derived.outer).clauses.get("where")
    one = _ONE[query.system]
    numbers = [column for column, output in columns_of(query, derived, outputs).items() if output.text == one]
    for part in query.cutter.conjuncts(where) if where is not None else []:
        for column in numbers:
            if part.start == column.start and query.cutter.words(Span(column.end, part.end)) == ("=", "1"):
                return part
    return None
