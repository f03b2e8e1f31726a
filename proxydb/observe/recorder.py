"""What a database remembers of its statements: the tallies of all connections, and the ring of recent ones."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakSet

from proxydb.observe.profile import profiling
from proxydb.observe.record import Tally
from proxydb.observe.slowlog import SlowLog, at_once

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from proxydb.config import Config
    from proxydb.observe.slowlog import Aside


class Recent(NamedTuple):
    """A statement in the ring.

    Parameters
    ----------
    at
        When it ended: seconds since the epoch.
    fingerprint
        The text without its literals.
    duration
        Seconds that it took.
    outcome
        ``"hit"``, ``"miss"`` or empty.
    parameters
        What it was executed with; none unless parameters may be remembered.
    """

    at: float
    fingerprint: str
    duration: float
    outcome: str
    parameters: Any


class Recorder:
    """Adds up what the connections to one database count.

    Parameters
    ----------
    config
        The options of the database.
    system, namespace
        What database it is, in OpenTelemetry's terms: ``"sqlite"`` or ``"postgresql"``, and its name.
    query_plan
        Asks the database how it runs a statement: called with the text and the parameters.
    """

    def __init__(
        self, config: Config, system: str, namespace: str, query_plan: Callable[[str, Any], list[str]]
    ) -> None:
        self.system = system
        self.namespace = namespace
        self._lock = threading.RLock()  # a signal's handler may ask while its thread is counting
        self._contexts: WeakSet[Any] = WeakSet()
        self._retired: dict[str, tuple[Tally, str]] = {}
        self._bypasses: Counter[str] = Counter()
        self._keeps_parameters = config.log_parameters
        self._slow_log = SlowLog(config, system, namespace, query_plan)
        self.ring: deque[Recent] = deque(maxlen=config.ring)

    def watch(self, context: Any) -> None:
        """Count what the connection of `context` counts."""
        with self._lock:
            self._contexts.add(context)
        if profiling.current is not None:
            profiling.current.watch(self)

    @property
    def idle(self) -> bool:
        """Whether no connection counts here now."""
        return not self._contexts

    def release(self, context: Any) -> None:
        """The connection is closed: keep what it has counted."""
        with self._lock:
            self._contexts.discard(context)
            self._bypasses.update(context.bypasses)
        for statement in list(context.statements.values()):
            self.retire(statement)
        context.statements.clear()
        context.bypasses.clear()

    def retire(self, statement: Any) -> None:
        """Keep what a statement has counted that its connection forgets."""
        with self._lock:
            tally, _ = self._retired.setdefault(statement.plan.fingerprint, (Tally(), statement.plan.kind.value))
            tally.merge(statement.tally)

    def tallies(self) -> dict[str, tuple[Tally, str]]:
        """For each fingerprint, what all connections have counted, and the statement's kind."""
        merged: dict[str, tuple[Tally, str]] = {}
        for fingerprint, tally, kind in self._each():
            merged.setdefault(fingerprint, (Tally(), kind))[0].merge(tally)
        return merged

    def drain(self) -> dict[str, tuple[Tally, str]]:
        """What closed connections have counted, which is then forgotten here."""
        with self._lock:
            retired, self._retired = self._retired, {}
        return retired

    def forget(self) -> None:
        """Forget what was counted: after a fork it is the parent's."""
        self.reset_locks()
        self._retired = {}
        for context in list(self._contexts):
            for statement in list(context.statements.values()):
                statement.tally = Tally()

    def bypasses(self) -> Counter[str]:
        """How many reads went past the cache, by reason."""
        with self._lock:
            total = self._bypasses.copy()
            for context in self._contexts:
                total.update(context.bypasses)
        return total

    def remember(self, statement: Any, parameters: Any, elapsed: int, outcome: str) -> None:
        """Put an execution into the ring."""
        kept = parameters if self._keeps_parameters else None
        self.ring.append(Recent(time.time(), statement.plan.fingerprint, elapsed / 1e9, outcome, kept))

    def slow(self, statement: Any, parameters: Any, elapsed: int, outcome: str, aside: Aside = at_once) -> None:
        """Log an execution that took longer than the threshold; `aside` calls what takes a while."""
        statement.tally.slow += 1
        statement.tally.slowest = max(statement.tally.slowest, elapsed)
        self._slow_log.write(statement.plan, parameters, elapsed / 1e9, outcome, aside)

    def reset_locks(self) -> None:
        """After a fork: the locks of other threads are not here."""
        self._lock = threading.RLock()

    def _each(self) -> Iterator[tuple[str, Tally, str]]:
        with self._lock:
            contexts = list(self._contexts)
            retired = list(self._retired.items())
        for fingerprint, (tally, kind) in retired:
            yield fingerprint, tally, kind
        for context in contexts:
            for statement in list(context.statements.values()):
                yield statement.plan.fingerprint, statement.tally, statement.plan.kind.value
