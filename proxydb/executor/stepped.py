"""Statements of a driver whose operations are waited for; for reads, one way for threads and for event loops.

A connection has a `lock`, which whoever uses it holds, and `wait`, which waits for an operation. A read's way is taken
in steps (`drivers.base.Steps`). Whoever takes them holds the connection meanwhile, waits as its kind of connection
does, and is given nothing, or the flight that has to land before the way is taken again, `alone`.
"""

from __future__ import annotations

from time import perf_counter_ns as now
from typing import TYPE_CHECKING, Any

from proxydb.executor import reading
from proxydb.executor.reading import Keeping
from proxydb.executor.statement import Statement
from proxydb.observe.record import PENDING

if TYPE_CHECKING:
    from collections.abc import Hashable

    from proxydb.cache.results import Entry, Flight
    from proxydb.drivers.base import Steps


class Reading(Keeping):
    """A read that is answered from the cache where its label still holds."""

    __slots__ = ()

    def run(self, cursor: Any, sql: str, arguments: Any) -> Any:
        return self.context.walk(self, cursor, sql, arguments)

    def steps(self, cursor: Any, sql: str, arguments: Any, alone: bool = False) -> Steps[Flight | None]:
        """The way of the statement; `alone`, it waits for nobody else's flight."""
        started = now()
        context = self.context
        session, cache = context.session, context.cache
        is_open = session.open(cursor) and (session.settled or (yield from session.settle(cursor)))
        key = session.key(self.plan, cursor, arguments) if is_open else None
        if key is None:
            return (yield from self._bypass(cursor, sql, arguments))
        entry = cache.find(key)
        if entry is not None and (yield from session.confirms(entry, cursor)):
            cursor._serve(entry.rows)
            self.hit(key, started, arguments)
            return None
        if alone or not session.will_keep(self.plan):
            return (yield from self._fill(cursor, sql, arguments, key))
        flight = cache.join(key, blocking=context.blocking)
        return flight or (yield from self._fly(cursor, sql, arguments, key, entry))

    def _fly(self, cursor: Any, sql: str, arguments: Any, key: Hashable, seen: Entry | None) -> Steps[Flight | None]:
        """Run the statement while whoever else misses the key waits."""
        started = now()
        cache = self.context.cache
        try:
            entry = cache.find(key)
            if entry is seen or entry is None or not (yield from self.context.session.confirms(entry, cursor)):
                return (yield from self._fill(cursor, sql, arguments, key))
            cursor._serve(entry.rows)  # somebody else has landed since this one looked
            self.hit(key, started, arguments)
            return None
        finally:
            cache.land(key)

    def _fill(self, cursor: Any, sql: str, arguments: Any, key: Hashable) -> Steps[Flight | None]:
        """Run the statement between two equal labels and keep what it gave, if that was worth the while."""
        session = self.context.session
        if not session.may_fill():
            return (yield from self._bypass(cursor, sql, arguments))
        started = now()
        try:
            filled = yield from session.fill(cursor, self.plan, sql, arguments, self.context.largest)
        except BaseException:
            self.failed(now() - started)
            raise
        self.filled(key, arguments, filled)
        return None

    def _bypass(self, cursor: Any, sql: str, arguments: Any) -> Steps[Flight | None]:
        """Send the statement to the driver as it is, and count it."""
        context = self.context
        context.bypasses[context.session.reason] += 1
        started = now()
        try:
            yield context.session.execution(cursor, sql, arguments)
        except BaseException:
            self.failed(now() - started)
            raise
        self.finished(now() - started, arguments, "")
        return None


class Sent(Statement):
    """A statement that is sent to the driver as it is, and counted: in few frames, since the server is not far away."""

    __slots__ = ()

    def send(self, cursor: Any, sql: str, arguments: Any) -> Any:
        self.left -= 1
        if not self.left:
            self.try_again()
        connection, context = cursor._conn, self.context
        parameters, prepare, binary = arguments
        started = now()
        try:
            with connection.lock:
                connection.wait(cursor._execute_gen(sql, parameters, prepare=prepare, binary=binary))
        except BaseException:
            self.failed(now() - started)
            raise
        elapsed = now() - started
        pending = self.tally.pending
        pending.append(elapsed)
        if len(pending) > PENDING:
            self.tally.settle()
        if elapsed > context.alarm:
            context.noticed(self, arguments, elapsed, "")
        return cursor

    run = send


class Rejected(Sent):
    """A read that is cheaper than keeping its rows, until it is tried again."""

    __slots__ = ()
    try_again = reading.Rejected.try_again
