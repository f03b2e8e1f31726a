"""Which way a statement takes: the class of its `Statement`, chosen once for each text and connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proxydb.executor.effects import Controlling, Unknown, Writing
from proxydb.executor.reading import Reading, Unanalysed
from proxydb.executor.statement import Statement, Unrecorded
from proxydb.sql.classify import Kind

if TYPE_CHECKING:
    from proxydb.planner import Plan

_ROUTES = {Kind.WRITE: Writing, Kind.TRANSACTION: Controlling}


def route(plan: Plan, config: Any) -> type[Statement]:
    """The way that a statement takes on a connection with these options."""
    if plan.kind is Kind.READ or plan.harmless:
        if plan.cacheable and config.cache != "off":
            return Reading
        if plan.analysis.unknown and config.cache != "off":
            return Unanalysed
        return Unrecorded if config.record == "off" else Statement
    return _ROUTES.get(plan.kind, Unknown)
