"""The slow log: a structlog event for a statement over the threshold, once in an interval for each fingerprint.

Literals never appear, parameters only where they may. structlog is used and never configured. The names are those of
OpenTelemetry's stable database conventions (https://opentelemetry.io/docs/specs/semconv/database/).
"""

from __future__ import annotations

import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from proxydb.observe.callsites import call_site
from proxydb.observe.logger import logger
from proxydb.observe.profile import profiling
from proxydb.sql.fingerprint import fingerprint_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxydb.config import Config

    Aside = Callable[[Callable[[], None]], object]

_LONGEST_TEXT = 2000


def at_once(call: Callable[[], None]) -> None:
    """What a thread does that has time for what takes a while."""
    call()


class SlowLog:
    """Writes `slow_query` events.

    Parameters
    ----------
    config
        The options: `slow_interval` and `log_parameters`.
    system, namespace
        ``db.system.name`` and ``db.namespace`` of the events.
    query_plan
        Asks the database how it runs a statement.
    """

    def __init__(
        self, config: Config, system: str, namespace: str, query_plan: Callable[[str, Any], list[str]]
    ) -> None:
        self._lock = threading.Lock()
        self._interval = config.slow_interval
        self._parameters = config.log_parameters
        self._facts = {"db.system.name": system, "db.namespace": namespace}
        self._query_plan = query_plan
        self._written: dict[str, float] = {}
        self._suppressed: dict[str, int] = {}

    def write(self, plan: Any, parameters: Any, duration: float, outcome: str, aside: Aside = at_once) -> None:
        """Log one execution, unless its fingerprint was logged within the interval: then it is counted.

        Parameters
        ----------
        plan
            The statement's plan.
        parameters
            What it was executed with.
        duration
            Seconds that it took.
        outcome
            ``"hit"``, ``"miss"``, ``"fetch"`` or empty.
        aside
            Calls what takes a while, since the database is asked how it runs the statement.
        """
        suppressed = self._turn(plan.fingerprint)
        if suppressed is not None:
            aside(partial(self._write, plan, parameters, duration, outcome, suppressed, call_site()))

    def _write(
        self, plan: Any, parameters: Any, duration: float, outcome: str, suppressed: int, call_site: str
    ) -> None:
        event = {
            **self._facts,
            **_described(plan),
            "db.client.operation.duration": round(duration, 6),
            "cache": outcome or "none",
            "suppressed": suppressed,
            "plan": self._query_plan(plan.sql, parameters) if plan.kind.value == "read" else [],
            "call_site": call_site,
        }
        if profiling.current is not None:
            profiling.current.slow(event)
        if profiling.current is None or not profiling.current.quiet:
            shown = {"parameters": repr(parameters)[:_LONGEST_TEXT]} if self._parameters else {}
            logger().warning("slow_query", **event, **shown)

    def _turn(self, fingerprint: str) -> int | None:
        """How many events of this fingerprint were left out since the last one; none when this one is left out too."""
        now = time.monotonic()
        with self._lock:
            if now - self._written.get(fingerprint, -self._interval) < self._interval:
                self._suppressed[fingerprint] = self._suppressed.get(fingerprint, 0) + 1
                return None
            self._written[fingerprint] = now
            return self._suppressed.pop(fingerprint, 0)


def _described(plan: Any) -> dict[str, str]:
    return {
        "fingerprint": fingerprint_id(plan.fingerprint),
        "db.query.text": plan.fingerprint[:_LONGEST_TEXT],
        "db.query.summary": " ".join([plan.first.upper(), *sorted(plan.analysis.reads - {"*"})])[:255],
        "db.operation.name": plan.first.upper(),
    }
