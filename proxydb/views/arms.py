"""One SELECT of a view's query → `Arm`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from proxydb.views.aggregates import is_aggregate
from proxydb.views.definition import Arm, Order
from proxydb.views.grouping import Grouping
from proxydb.views.obstacle import Obstacle
from proxydb.views.outputs import order_of, outputs_of, written_out
from proxydb.views.sources import check_columns, check_joins, found_table, is_late, sources_of
from proxydb.views.subqueries import sub_queries
from proxydb.views.windows import partition_of

if TYPE_CHECKING:
    from proxydb.views import clauses
    from proxydb.views.clauses import Span
    from proxydb.views.understood import Understood


class ArmAndOrder(NamedTuple):
    """An arm, with the ORDER BY that stands at its end and the class of the view that consists of it."""

    arm: Arm
    order: list[Order]
    kind: str


def understand_arm(given: Understood) -> ArmAndOrder:
    """The arm, with its ORDER BY and class.

    Raises
    ------
    Obstacle
        The view can only be refreshed as a whole.
    """
    _check_shape(given)
    sources = tuple(sources_of(given))
    check_joins(given, sources)
    outputs = outputs_of(given, sources)
    order, carried = order_of(given, outputs)
    check_columns(given, sources, [span for _, span in outputs] + carried)
    spans = [span for _, span in outputs] + carried
    calls = [
        call for span in _expressions(given) for call in given.cutter.calls(span) if not _in_sub_query(given, call)
    ]
    windowed = any(call.after == "over" for call in calls)
    grouped = bool(given.cut.groups) or any(is_aggregate(call, given.system) and call.after != "over" for call in calls)
    arm = Arm(
        sources=sources,
        subqueries=tuple(
            sub_queries(
                given.syntax,
                given.number,
                given.cutter,
                sources,
                given.cut.clauses.get("where"),
                lambda table: found_table(given, table),
            )
        ),
        from_=given.cut.clauses["from"],
        where=given.cut.clauses.get("where"),
        outputs=tuple(text for text, _ in outputs),
        carried=tuple(span.of(given.sql) for span in carried),
        distinct=given.cut.distinct,
        grouped=grouped,
        late=is_late(given, sources),
    )
    if windowed:
        arm = _windowed(given, arm, spans)
    if arm.distinct and arm.carried:
        raise Obstacle("it says DISTINCT and orders by what it does not show")
    if grouped:
        arm = Grouping(given, arm, [span for _, span in outputs] + carried).grouped()
    return ArmAndOrder(arm, order, _kind(arm))


def _check_shape(given: Understood) -> None:
    if "from" not in given.cut.clauses:
        raise Obstacle("it reads no table")
    if "window" in given.cut.clauses or "fetch" in given.cut.clauses:
        raise Obstacle("it has a WINDOW or FETCH clause")


def _in_sub_query(given: Understood, call: clauses.Call) -> bool:
    """Whether a call stands in a sub-query: then it is computed there."""
    inner = given.cutter.depth(call.whole.start) > given.cutter.depth(given.cut.clauses["from"].start)
    return inner and any(
        span.start <= call.whole.start and call.whole.end <= span.end for span in given.cutter.selects()
    )


def _windowed(given: Understood, arm: Arm, spans: list[Span]) -> Arm:
    """The arm with the partition of its window functions."""
    if arm.grouped or arm.distinct:
        raise Obstacle("it has window functions beside groups or DISTINCT")
    if arm.subqueries or any(source.nullable for source in arm.sources):
        raise Obstacle("it has window functions beside a sub-query or an outer join")
    partition = partition_of(given.cutter, spans, arm.sources)
    written = tuple(written_out(given, span, arm.sources) for span in partition)
    return replace(arm, partition=written, windowed=True)


def _kind(arm: Arm) -> str:
    joined = len(arm.sources) > 1
    if arm.grouped:
        return "join with groups" if joined else "groups"
    if arm.distinct:
        return "distinct"
    if arm.windowed:
        return "windows"
    if arm.subqueries:
        return "exists"
    if joined:
        return "left join" if any(source.nullable for source in arm.sources) else "join"
    return "rows"


def _expressions(given: Understood) -> list[Span]:
    spans = [*given.cut.items, *given.cut.orders]
    return [*spans, given.cut.clauses["having"]] if "having" in given.cut.clauses else spans
