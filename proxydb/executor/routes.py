"""Which way a statement takes: the class of its `Statement`, chosen once for each text and connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from proxydb.executor import awaited, stepped
from proxydb.executor.effects import Controlling, Ending, Unknown, Writing
from proxydb.executor.reading import Reading, Rejected, RejectedUnrecorded, Unanalysed
from proxydb.executor.statement import Recorded, Statement, Unrecorded
from proxydb.executor.viewing import Viewing, ViewingUnknown
from proxydb.sql.classify import Kind

if TYPE_CHECKING:
    from proxydb.planner import Plan


class Routes(NamedTuple):
    """The classes of the statements of one connection.

    Parameters
    ----------
    reading, rejected, unanalysed
        Reads whose rows may be kept; those that have shown to be too cheap for it; those that are not understood yet.
    plain
        What changes nothing and is not kept.
    writing, controlling, viewing, unknown
        What changes rows; what begins or ends transactions; what is about proxydb's materialized views; what may do
        anything.
    """

    reading: type[Statement]
    rejected: type[Statement]
    unanalysed: type[Statement]
    plain: type[Statement]
    writing: type[Statement]
    controlling: type[Statement]
    viewing: type[Statement]
    unknown: type[Statement]


IN_CALLS = Routes(Reading, Rejected, Unanalysed, Statement, Writing, Controlling, Viewing, Unknown)
"""For a driver whose calls return when they are done."""

IN_STEPS = IN_CALLS._replace(
    reading=stepped.Reading,
    rejected=stepped.Rejected,
    unanalysed=stepped.Sent,
    plain=stepped.Sent,
    writing=stepped.Sent,
    controlling=Unknown,
    viewing=ViewingUnknown,
)
"""For a driver that has steps, and whose database tells everything that was written by its label."""

AWAITED = IN_STEPS._replace(
    rejected=awaited.Rejected,
    unanalysed=awaited.Sent,
    plain=awaited.Sent,
    writing=awaited.Sent,
    controlling=awaited.Unknown,
    viewing=awaited.Viewing,
    unknown=awaited.Unknown,
)
"""For the same driver when it is awaited."""


UNSERVED = IN_CALLS._replace(plain=Recorded, writing=Recorded, controlling=Ending)
"""In the place of `IN_CALLS`, on a connection that is served nothing: no session needs to know what it does."""


def routes_for(routes: Routes, config: Any) -> Routes:
    """The classes for a connection with these options, of a driver whose own are `routes`."""
    if routes is IN_CALLS and config.cache == "off":
        routes = UNSERVED if config.record != "off" else UNSERVED._replace(writing=Unrecorded)
    return routes if config.record != "off" else routes._replace(rejected=RejectedUnrecorded, plain=Unrecorded)


def route(plan: Plan, routes: Routes, config: Any) -> type[Statement]:
    """The way that a statement takes on a connection with these options."""
    if plan.analysis.exposes:
        return routes.unknown
    if plan.kind is Kind.READ or plan.harmless:
        if plan.cacheable and config.cache != "off":
            return routes.reading
        if plan.analysis.unknown and config.cache != "off":
            return routes.unanalysed
        return routes.plain
    return {
        Kind.WRITE: routes.writing,
        Kind.TRANSACTION: routes.controlling,
        Kind.VIEW: routes.viewing,
    }.get(plan.kind, routes.unknown)
