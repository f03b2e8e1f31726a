"""The aggregate functions that a view may call, and whether what they give depends on an order that is not defined."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxydb.views.limits import has_key, plain
from proxydb.views.obstacle import Obstacle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proxydb.views.clauses import Call, Cutter, Span
    from proxydb.views.definition import Source

KEPT = frozenset("count sum total avg min max".split())
"""Those of both databases, whatever the order."""

_MORE = frozenset(
    "bool_and bool_or every bit_and bit_or bit_xor stddev stddev_pop stddev_samp variance var_pop var_samp corr "
    "covar_pop covar_samp regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy "
    "regr_syy".split()
)
_ORDERED = frozenset({"string_agg", "array_agg"})
_UNORDERED = frozenset("group_concat string_agg json_group_array json_group_object jsonb_group_array".split())

BY_SYSTEM = {"sqlite": KEPT, "postgresql": KEPT | _MORE | _ORDERED}
"""The names of all of them."""

_ALIKE = ("smallint", "integer", "bigint", "text", "character varying", "uuid", "date", "boolean", "timestamp")
"""Types in which equal values look the same."""


def is_aggregate(call: Call, system: str) -> bool:
    """Whether a call is an aggregate: min and max of several arguments are not."""
    return call.name in BY_SYSTEM[system] and (len(call.arguments) <= 1 or call.name not in ("min", "max"))


def check_calls(names: frozenset[str], system: str) -> None:
    """Refuse functions that take values in an order that nothing defines."""
    if system == "sqlite" and (ordered := sorted(names & (_UNORDERED | _ORDERED))):
        raise Obstacle(f"{ordered[0]} depends on an order that is not defined")


def check_order(cutter: Cutter, call: Call, sources: Sequence[Source]) -> None:
    """See to it that an aggregate that depends on an order says one that decides between all that differs.

    Raises
    ------
    Obstacle
        It does not.
    """
    if call.name not in _ORDERED:
        return
    ordered = {_term(cutter.words(span)) for span in cutter.order_inside(call)}
    if all(has_key(ordered, source, sources) for source in sources):
        return
    if not ordered or not all(_decides(cutter, span, ordered, sources) for span in cutter.arguments(call)):
        raise Obstacle(
            f"{call.name} depends on an order that is not defined: append the primary key of "
            f"{' and '.join(source.table.name for source in sources)} to an ORDER BY within its parentheses"
        )


def _decides(cutter: Cutter, span: Span, ordered: set[str], sources: Sequence[Source]) -> bool:
    """Whether an argument is the same for rows of equal order: a literal, or a column that is ordered by."""
    words = cutter.words(span)
    if len(words) == 1 and words[0][:1] in "'0123456789":
        return True
    column = words[-1].strip('"')
    types = [found.type for source in sources if (found := source.table.column(column)) is not None]
    return plain("".join(words)) in ordered and bool(types) and all(each.startswith(_ALIKE) for each in types)


def _term(words: tuple[str, ...]) -> str:
    """An ORDER BY term without its direction."""
    return plain("".join(word for word in words if word not in ("asc", "desc", "nulls", "first", "last")))
