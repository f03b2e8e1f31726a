"""The window functions of a SELECT: what they partition by, and whether their results are defined at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxydb.views.limits import has_key, plain
from proxydb.views.obstacle import Obstacle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proxydb.views.clauses import Call, Cutter, Span, Window
    from proxydb.views.definition import Source

PEERS = frozenset("avg count cume_dist dense_rank max min percent_rank rank sum total".split())
"""Window functions that give rows of equal order the same result, as long as the frame is the default."""

ORDERED = frozenset("first_value lag last_value lead nth_value ntile row_number".split())
"""Those whose result depends on the order of such rows."""


def partition_of(cutter: Cutter, spans: Sequence[Span], sources: Sequence[Source]) -> tuple[Span, ...]:
    """The expressions that all window functions in `spans` partition by.

    Raises
    ------
    Obstacle
        There are none, they differ, or a result depends on an order that is not defined.
    """
    calls = [call for span in spans for call in cutter.calls(span) if call.after == "over"]
    partitions = {}
    for call in calls:
        window = cutter.window(call)
        if window is None or call.name not in PEERS | ORDERED:
            raise Obstacle(f"its window function {call.name} is not taken apart")
        _check_order(cutter, call, window, sources)
        partitions[tuple(cutter.words(span) for span in window.partition)] = window.partition
    if len(partitions) != 1 or not next(iter(partitions)):
        raise Obstacle("its windows have no PARTITION BY in common")
    return next(iter(partitions.values()))


def _check_order(cutter: Cutter, call: Call, window: Window, sources: Sequence[Source]) -> None:
    if call.name in PEERS and window.frame != "rows":
        return
    ordered = {plain("".join(cutter.words(span))) for span in window.partition}
    ordered |= {_term(cutter.words(span)) for span in window.order}
    for source in sources:
        if not has_key(ordered, source, sources):
            raise Obstacle(
                f"rows of equal order make {call.name} ambiguous: "
                f"append the primary key of {source.table.name} to its ORDER BY"
            )


def _term(words: tuple[str, ...]) -> str:
    """An ORDER BY term without its direction."""
    return plain("".join(word for word in words if word not in ("asc", "desc", "nulls", "first", "last")))
