"""A statement text on one connection, sent to the driver as it is, and counted."""

from __future__ import annotations

from contextlib import contextmanager
from time import perf_counter_ns as now
from typing import TYPE_CHECKING, Any

from proxydb.cache.admission import RETRIAL
from proxydb.observe.record import PENDING, Tally
from proxydb.sql.classify import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxydb.drivers.base import Steps
    from proxydb.planner import Plan


class Statement:
    """One statement text on one connection.

    Parameters
    ----------
    plan
        What is known of the text.
    context
        The connection's side of it: the session, the cache, the recorder.
    """

    __slots__ = (
        "context",
        "execute",
        "fingerprint",
        "hits_seen",
        "latest",
        "left",
        "noted",
        "plan",
        "tally",
        "unnoted",
    )

    def __init__(self, plan: Plan, context: Any) -> None:
        self.plan = plan
        self.fingerprint = plan.fingerprint
        self.latest: Any = None
        self.noted = self.unnoted = 0
        self.context = context
        self.execute = context.execute_named if plan.named else context.execute
        self.tally = Tally()
        self.left = RETRIAL
        self.hits_seen = 0

    def send(self, cursor: Any, sql: str, arguments: Any) -> Any:
        """Send the statement to the driver as it is, and count it."""
        self.left -= 1
        if not self.left:
            self.try_again()
        context = self.context
        session = context.session
        if session.late and self.plan.kind is Kind.READ:
            session.open(cursor)
        session.unchecked = True
        started = now()
        try:
            result = self.execute(cursor, sql, arguments)
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
        cursor._statement = self
        return result

    run = send
    """The way of the statement; here, straight to the driver."""

    def try_again(self) -> None:
        """Do at times what is not done each time; here, nothing."""
        self.left = RETRIAL

    def finished(self, elapsed: int, arguments: Any, outcome: str) -> None:
        """Count an execution that took `elapsed` nanoseconds."""
        context = self.context
        if not context.counts:
            return
        pending = self.tally.pending
        pending.append(elapsed)
        if len(pending) > PENDING:
            self.tally.settle()
        if elapsed > context.alarm:
            context.noticed(self, arguments, elapsed, outcome)

    def timed(self, steps: Steps[Any]) -> Steps[Any]:
        """Take the steps of an operation, and count it."""
        started = now()
        try:
            return (yield from steps)
        finally:
            self.finished(now() - started, None, "")

    def failed(self, elapsed: int) -> None:
        """Count an execution that raised."""
        if self.context.counts:
            self.tally.add(elapsed)
            self.tally.errors += 1

    def fetch(self, call: Any, cursor: Any) -> Any:
        """Fetch rows by `call` of the cursor, and count them and the time that they took."""
        started = now()
        rows = call(cursor)
        elapsed = now() - started
        tally = self.tally
        tally.rows += len(rows)
        tally.total += elapsed
        if elapsed > self.context.alarm:
            self.context.noticed(self, None, elapsed, "fetch")
        return rows

    def run_many(self, cursor: Any, sql: str, arguments: Any, execute: Any) -> Any:
        """Send the statement for many sets of parameters through `execute`."""
        with self.watched(cursor.connection):
            return execute(cursor, sql, arguments)

    @contextmanager
    def watched(self, connection: Any, arguments: Any = None, cursor: Any = None) -> Iterator[None]:
        """Count what happens inside as an execution, after which anything may be different."""
        session = self.context.session
        session.before_unknown(self.plan, connection, cursor)
        started = now()
        try:
            yield
        except GeneratorExit:  # rows that are read one by one, and not all of them
            self.finished(now() - started, arguments, "")
            raise
        except BaseException:
            self.failed(now() - started)
            raise
        else:
            self.finished(now() - started, arguments, "")
        finally:
            session.after_unknown(connection)


class Recorded(Statement):
    """A statement that is sent as it is and counted, on a connection that is served nothing."""

    __slots__ = ()

    def run(self, cursor: Any, sql: str, arguments: Any) -> Any:
        started = now()
        try:
            result = self.execute(cursor, sql, arguments)
        except BaseException:
            self.failed(now() - started)
            raise
        elapsed = now() - started
        pending = self.tally.pending
        pending.append(elapsed)
        if len(pending) > PENDING:
            self.tally.settle()
        if elapsed > self.context.alarm:
            self.context.noticed(self, arguments, elapsed, "")
        cursor._statement = self
        return result


class Unrecorded(Statement):
    """A statement that is sent as it is and not counted."""

    __slots__ = ()

    def send(self, cursor: Any, sql: str, arguments: Any) -> Any:
        self.context.session.unchecked = True
        return self.execute(cursor, sql, arguments)

    run = send
