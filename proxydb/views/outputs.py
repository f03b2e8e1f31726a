"""The SELECT list of a query, with `*` and columns written out, and what GROUP BY and ORDER BY name of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxydb.sql.tokens import quoted
from proxydb.views.clauses import Span
from proxydb.views.definition import Order
from proxydb.views.obstacle import Obstacle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proxydb.sql.parse import ColumnRef
    from proxydb.views.definition import Source
    from proxydb.views.understood import Understood


def outputs_of(given: Understood, sources: Sequence[Source]) -> list[tuple[str, Span]]:
    """Each output's words without its alias, and where they stand; a star is written out."""
    scope = given.syntax.scopes[given.number]
    outputs = []
    for place, item in enumerate(given.cut.items):
        words = given.cutter.words(item)
        if words[-1] == "*" and (len(words) == 1 or words[-2] == "."):
            outputs += [(text, item) for text in _star(given, words, sources)]
        else:
            span = without_alias(given.sql, item, scope.starts[place])
            outputs.append((written_out(given, span, sources), span))
    return outputs


def written_out(given: Understood, span: Span, sources: Sequence[Source]) -> str:
    """The words of an expression; a column with its table, so that it is known to be the same wherever it is named."""
    for column in given.syntax.columns:
        if _is_column(given, span, column):
            for source in sources:
                found = source.table.column(column.name)
                if found is not None and column.qualifier in ("", source.alias):
                    return f"{quoted(source.alias)}.{quoted(found.name)}"
    return span.of(given.sql)


def _is_column(given: Understood, span: Span, column: ColumnRef) -> bool:
    """Whether an expression is a column, in parentheses or not."""
    if not span.start <= column.start <= column.end <= span.end:
        return False
    words, core = given.cutter.words(span), given.cutter.words(Span(column.start, column.end))
    around = (len(words) - len(core)) // 2
    return words == ("(",) * around + core + (")",) * around


def _star(given: Understood, words: tuple[str, ...], sources: Sequence[Source]) -> list[str]:
    if given.syntax.scopes[given.number].merged:
        raise Obstacle("it says * beside USING or NATURAL: name the columns")
    alias = words[0].strip('"`[]').lower() if len(words) > 1 else ""
    return [
        f"{quoted(source.alias)}.{quoted(column.name)}"
        for source in sources
        if alias in ("", source.alias.lower())
        for column in source.table.columns
    ]


def without_alias(sql: str, item: Span, alias: int) -> Span:
    """Where an expression of a SELECT list stands without its alias, which begins at `alias`; -1 is for none."""
    if alias < 0:
        return item
    text = sql[item.start : alias].rstrip()
    if text.lower().endswith("as") and not text[-3:-2].isalnum() and text[-3:-2] not in ("_", "$"):
        text = text[:-2].rstrip()
    return Span(item.start, item.start + len(text))


def order_of(given: Understood, outputs: list[tuple[str, Span]]) -> tuple[list[Order], list[Span]]:
    """ORDER BY as numbers of outputs, and of the expressions that have to be carried for it."""
    orders: list[Order] = []
    carried: list[Span] = []
    for term in given.cut.orders:
        span, direction = _directed(given, term)
        number = numbered(given, span, outputs)
        if number is None:
            number = len(outputs) + len(carried)
            carried.append(span)
        orders.append(Order(number, direction))
    return orders, carried


DIRECTIONS = frozenset({"asc", "desc", "nulls", "first", "last"})
"""The words that may follow an ORDER BY term."""


def _directed(given: Understood, term: Span) -> tuple[Span, str]:
    words = given.cutter.words(term)
    count = next((place for place, word in enumerate(reversed(words)) if word not in DIRECTIONS), len(words))
    if not count:
        return term, ""
    direction = " ".join(words[-count:])
    text = term.of(given.sql)
    for word in reversed(words[-count:]):
        text = text[: text.lower().rindex(word)].rstrip()
    return Span(term.start, term.start + len(text)), direction.upper()


def numbered(given: Understood, span: Span, outputs: list[tuple[str, Span]]) -> int | None:
    """Which output an expression of GROUP BY or ORDER BY names, by its place, its alias or its words."""
    words = given.cutter.words(span)
    if len(words) == 1:
        if words[0].isdigit() and 0 < int(words[0]) <= len(outputs):
            return int(words[0]) - 1
        names = given.syntax.scopes[given.number].names
        plain = words[0].strip('"`[]').lower()
        if len(names) == len(outputs) and plain in (lowered := [name.lower() for name in names]):
            return lowered.index(plain)
    same = [number for number, (_, output) in enumerate(outputs) if given.cutter.words(output) == words]
    return same[0] if same else None
