"""Runs plans: the way of every statement from the cursor to the driver or to the cache, and back.

A connection keeps a `Statement` for each text that it has seen. Its class is the route that the text takes, chosen once
when the text is first seen; `run` is called with the cursor, the text and the driver's own arguments.
"""

from __future__ import annotations

import sys
from collections import Counter
from contextlib import suppress
from itertools import islice
from time import perf_counter_ns as now
from typing import TYPE_CHECKING, Any

from proxydb.cache.admission import RETRIAL
from proxydb.cache.results import Entry
from proxydb.observe.record import Tally
from proxydb.sql.classify import Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxydb.cache.results import ResultCache
    from proxydb.config import Config
    from proxydb.planner import Plan

PATIENCE = 20
"""After how many executions the database is asked again what it could not say of a statement."""

_PATIENCE = 1.0
"""Seconds that a thread waits for another to fill the same key: bounded, since that one may wait for a lock of ours."""


class Context:
    """What a connection's statements share.

    Parameters
    ----------
    database
        What the process's connections to the same database share.
    session
        What the connection has going on; the driver part's.
    execute, execute_named
        The driver's own `execute`, unbound; and what stands for it where placeholders have names.
    config
        The connection's options.
    """

    __slots__ = (
        "__weakref__",
        "alarm",
        "bypasses",
        "cache",
        "config",
        "counts",
        "database",
        "execute",
        "execute_named",
        "largest",
        "leave",
        "parameters_in",
        "recorder",
        "rejected",
        "session",
        "slow",
        "statements",
    )

    def __init__(
        self,
        database: Any,
        session: Any,
        execute: Callable[..., Any],
        execute_named: Callable[..., Any],
        config: Config,
    ) -> None:
        self.database = database
        self.config = config
        self.session = session
        self.execute = execute
        self.execute_named = execute_named
        self.cache: ResultCache = database.cache
        self.recorder = database.recorder
        self.statements: dict[str, Statement] = {}
        self.bypasses: Counter[str] = Counter()
        self.parameters_in: Callable[[Any], Any] = _itself
        self.leave: Callable[[], Any] = _nothing
        self.largest = config.cache_entry_bytes
        self.counts = config.record != "off"
        self.slow = int(min(config.slow_ms * 1e6, sys.maxsize)) or sys.maxsize
        self.alarm = -1 if config.record == "sampled" else self.slow
        self.rejected = RejectedUnrecorded if config.record == "off" else Rejected

    def closing(self) -> None:
        """The connection is about to be closed: were it the last one, nothing else may hold the database open."""
        if self.database.is_last():
            self.database.driver.release()

    def noticed(self, statement: Statement, arguments: Any, elapsed: int, outcome: str) -> None:
        """An execution that the ring or the slow log is for; a fault of theirs must not come out of the statement."""
        with suppress(Exception):
            self._note(statement, arguments, elapsed, outcome)

    def _note(self, statement: Statement, arguments: Any, elapsed: int, outcome: str) -> None:
        parameters = self.parameters_in(arguments)
        if self.alarm < 0:
            self.recorder.remember(statement, parameters, elapsed, outcome)
        if elapsed > self.slow:
            self.recorder.slow(statement, parameters, elapsed, outcome)

    def statement(self, sql: str) -> Statement:
        """The connection's side of the statement `sql`, planned when nobody has planned it yet."""
        found = self.statements.get(sql)
        if found is None:
            found = self.statements[sql] = self._routed(self.database.plan(sql, self.session, self.config))
            self._make_room()
        return found

    def replan(self, old: Statement) -> Statement:
        """The statement with a plan for the schema of now."""
        new = self._routed(self.database.plan(old.plan.sql, self.session, self.config))
        new.tally = old.tally
        self.statements[old.plan.sql] = new
        return new

    def method(self, name: str) -> Controlling:
        """What counts the calls of a method that may end a transaction, such as `commit`."""
        return self._named(name, Controlling)  # type: ignore[return-value]

    def script(self) -> Unknown:
        """What counts the calls of `executescript`."""
        return self._named("executescript", Unknown)  # type: ignore[return-value]

    def _named(self, name: str, route: type[Statement]) -> Statement:
        found = self.statements.get(name)
        if found is None:
            found = self.statements[name] = route(self.database.method_plan(name), self)
        return found

    def _routed(self, plan: Plan) -> Statement:
        route = _route(plan, self.config)
        return route(plan, self)

    def _make_room(self) -> None:
        """Let the oldest texts go when there are more than the plan table holds; what they counted is kept."""
        if len(self.statements) > self.config.plans:
            for sql in list(islice(self.statements, len(self.statements) // 4)):
                self.recorder.retire(self.statements.pop(sql))


class Statement:
    """One statement text on one connection.

    Parameters
    ----------
    plan
        What is known of the text.
    context
        The connection's side of it: the session, the cache, the recorder.
    """

    __slots__ = ("context", "execute", "left", "plan", "tally")

    def __init__(self, plan: Plan, context: Any) -> None:
        self.plan = plan
        self.context = context
        self.execute = context.execute_named if plan.named else context.execute
        self.tally = Tally()
        self.left = RETRIAL

    def send(self, cursor: Any, sql: str, arguments: Any) -> Any:
        """Send the statement to the driver as it is, and count it."""
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
        exponent = elapsed.bit_length()
        bucket = (exponent << 2) | (elapsed >> (exponent - 3) & 3) if exponent > 2 else elapsed
        tally = self.tally
        buckets = tally.buckets
        buckets[bucket] = buckets.get(bucket, 0) + 1
        tally.total += elapsed
        if elapsed > context.alarm:
            context.noticed(self, arguments, elapsed, "")
        cursor._statement = self
        return result

    run = send
    """The way of the statement; here, straight to the driver."""

    def finished(self, elapsed: int, arguments: Any, outcome: str) -> None:
        """Count an execution that took `elapsed` nanoseconds."""
        if not self.context.counts:
            return
        self.tally.add(elapsed)
        if elapsed > self.context.alarm:
            self.context.noticed(self, arguments, elapsed, outcome)

    def failed(self, elapsed: int) -> None:
        """Count an execution that raised."""
        if self.context.counts:
            self.tally.add(elapsed)
            self.tally.errors += 1

    def fetch(self, call: Any) -> Any:
        """Fetch rows by `call`, and count them and the time that they took."""
        started = now()
        rows = call()
        elapsed = now() - started
        self.tally.rows += len(rows)
        self.tally.total += elapsed
        if elapsed > self.context.alarm:
            self.context.noticed(self, None, elapsed, "fetch")
        return rows

    def run_many(self, cursor: Any, sql: str, arguments: Any, execute: Any) -> Any:
        """Send the statement for many sets of parameters through `execute`."""
        return Unknown.act(self, cursor.connection, lambda: execute(cursor, sql, arguments))  # type: ignore[arg-type]


class Unanalysed(Statement):
    """A read of which the database could not say what it does, until it is asked again."""

    __slots__ = ()

    def run(self, cursor: Any, sql: str, arguments: Any) -> Any:
        self.left -= 1
        if self.left % PATIENCE == 0 or self.plan.generation != self.context.session.generation:
            return self.context.replan(self).send(cursor, sql, arguments)
        return self.send(cursor, sql, arguments)


class Unrecorded(Statement):
    """A statement that is sent as it is and not counted."""

    __slots__ = ()

    def send(self, cursor: Any, sql: str, arguments: Any) -> Any:
        self.context.session.unchecked = True
        return self.execute(cursor, sql, arguments)

    run = send


class Rejected(Statement):
    """A read that is cheaper than keeping its rows, until it is tried again."""

    __slots__ = ()

    def run(self, cursor: Any, sql: str, arguments: Any) -> Any:
        self.left -= 1
        if not self.left:
            self.plan.admission.retry()
            self.__class__ = Reading  # type: ignore[assignment]
        return self.send(cursor, sql, arguments)


class RejectedUnrecorded(Rejected):
    """A read that is cheaper than keeping its rows, and not counted."""

    __slots__ = ()

    def run(self, cursor: Any, sql: str, arguments: Any) -> Any:
        self.left -= 1
        if not self.left:
            self.plan.admission.retry()
            self.__class__ = Reading  # type: ignore[assignment]
        self.context.session.unchecked = True
        return self.execute(cursor, sql, arguments)


class Reading(Statement):
    """A read whose rows may be kept: answered from the cache where its label still holds."""

    __slots__ = ()

    def run(self, cursor: Any, sql: str, arguments: Any) -> Any:
        started = now()
        context = self.context
        session = context.session
        if (ticket := session.open(cursor)) and (key := session.key(self.plan, cursor, arguments)):
            entry = context.cache.find(key)
            if (
                entry is not None
                and session.confirms(entry, ticket, cursor)
                and session.serve(cursor, self.plan, entry.rows)
            ):
                return self._hit(cursor, key, started, arguments)
            return self._miss(cursor, sql, arguments, key, ticket, entry)
        return self._bypass(cursor, sql, arguments)

    def _hit(self, cursor: Any, key: Any, started: int, arguments: Any) -> Any:
        tally, context = self.tally, self.context
        self.left -= 1
        if not self.left:
            self.left = RETRIAL
            context.cache.drop(key)  # the next execution is run and measured again
        tally.hits += 1
        cursor._statement = self
        if context.counts:
            elapsed = now() - started
            exponent = elapsed.bit_length()
            bucket = (exponent << 2) | (elapsed >> (exponent - 3) & 3) if exponent > 2 else elapsed
            tally.buckets[bucket] = tally.buckets.get(bucket, 0) + 1
            tally.total += elapsed
            if elapsed > context.alarm:
                context.noticed(self, arguments, elapsed, "hit")
        return cursor

    def _bypass(self, cursor: Any, sql: str, arguments: Any) -> Any:
        context = self.context
        context.bypasses[context.session.reason] += 1
        return self.send(cursor, sql, arguments)

    def _miss(self, cursor: Any, sql: str, arguments: Any, key: Any, ticket: Any, seen: Entry | None) -> Any:
        """Run the statement, unless another thread is doing just that: then what it brings may do."""
        context = self.context
        if self.plan.generation != context.session.generation:
            return context.replan(self).run(cursor, sql, arguments)
        if flight := context.cache.join(key):
            flight.landed.wait(_PATIENCE)
            return self._after_flight(cursor, sql, arguments, key)
        try:
            if context.cache.find(key) is not seen:  # another thread has landed since this one looked
                return self._after_flight(cursor, sql, arguments, key)
            return self._fill(cursor, sql, arguments, key, ticket)
        finally:
            context.cache.land(key)

    def _after_flight(self, cursor: Any, sql: str, arguments: Any, key: Any) -> Any:
        started = now()
        session = self.context.session
        if not (ticket := session.open(cursor)):
            return self._bypass(cursor, sql, arguments)
        entry = self.context.cache.find(key)
        if (
            entry is not None
            and session.confirms(entry, ticket, cursor)
            and session.serve(cursor, self.plan, entry.rows)
        ):
            return self._hit(cursor, key, started, arguments)
        return self._fill(cursor, sql, arguments, key, ticket)

    def _fill(self, cursor: Any, sql: str, arguments: Any, key: Any, ticket: Any) -> Any:
        """Run the statement between two equal labels and keep what it gave, if that was worth the while."""
        context, admission = self.context, self.plan.admission
        if not context.session.may_fill(cursor, ticket):
            return self._bypass(cursor, sql, arguments)
        started = now()
        try:
            filled = context.session.fill(cursor, self.plan, sql, arguments, ticket, context.largest)
        except BaseException:
            self.failed(now() - started)
            raise
        self.tally.misses += 1
        cursor._statement = self
        self.finished(filled.cost, arguments, "miss")
        rows = filled.rows
        if not admission.measure(filled.cost if rows is not None else 0, context.session.check_cost):
            self._reject()
        elif filled.label and self.plan.generation == context.session.generation:
            context.cache.store(key, Entry(rows, filled.label, self.plan.analysis.reads, rows.size))
        return cursor

    def _reject(self) -> None:
        if self.plan.admission.refused:
            self.left = RETRIAL
            self.__class__ = self.context.rejected


class Writing(Statement):
    """A statement that changes rows."""

    __slots__ = ()

    def run(self, cursor: Any, sql: str, arguments: Any) -> Any:
        return self.change(cursor, sql, arguments, self.execute)

    def run_many(self, cursor: Any, sql: str, arguments: Any, execute: Any) -> Any:
        return self.change(cursor, sql, arguments, execute)

    def change(self, cursor: Any, sql: str, arguments: Any, execute: Any) -> Any:
        """Send the statement through `execute`, and let the session know that it writes what the plan says."""
        session, plan = self.context.session, self.plan
        if plan.generation != session.generation:
            return self.context.replan(self).change(cursor, sql, arguments, execute)
        before = session.before_write(cursor.connection)
        started = now()
        try:
            result = execute(cursor, sql, arguments)
        except BaseException:
            session.write_failed(cursor.connection, plan.analysis, plan.generation)
            self.failed(now() - started)
            raise
        elapsed = now() - started
        session.after_write(cursor, before, plan.analysis, plan.generation)
        self.finished(elapsed, arguments, "")
        cursor._statement = self
        return result


class Controlling(Statement):
    """A statement that begins or ends a transaction."""

    __slots__ = ()

    def run(self, cursor: Any, sql: str, arguments: Any) -> Any:
        cursor._statement = self
        after = self.context.session.after_control
        return self._watched(cursor.connection, after, self.execute, cursor, sql, arguments)

    def control(self, connection: Any, execute: Any) -> Any:
        """Run `execute`, which may begin or end a transaction, and let the session know."""
        return self._watched(connection, self.context.session.after_control, execute)

    def end(self, connection: Any, method: Any) -> Any:
        """Call a method of the connection that ends a transaction if one is open, and let the session know."""
        return self._watched(connection, self.context.session.after_method, method)

    def _watched(self, connection: Any, after: Any, call: Any, *arguments: Any) -> Any:
        session = self.context.session
        before = session.before_control(connection)
        started = now()
        try:
            result = call(*arguments)
        except BaseException:
            self.failed(now() - started)
            session.after_control(connection, before)
            raise
        elapsed = now() - started
        after(connection, before)
        self.finished(elapsed, None, "")
        return result


class Unknown(Statement):
    """A statement whose effects are not known: after it nothing is, until it is asked again."""

    __slots__ = ()

    def run(self, cursor: Any, sql: str, arguments: Any) -> Any:
        cursor._statement = self
        return self.act(cursor.connection, lambda: self.execute(cursor, sql, arguments), arguments)

    def act(self, connection: Any, execute: Any, arguments: Any = None) -> Any:
        """Run `execute`, and let the session know that anything may be different now."""
        session = self.context.session
        session.before_unknown(self.plan)
        started = now()
        try:
            result = execute()
        except BaseException:
            self.failed(now() - started)
            raise
        else:
            self.finished(now() - started, arguments, "")
        finally:
            session.after_unknown(connection)
        return result


def _itself(arguments: Any) -> Any:
    """A driver whose arguments are the parameters and nothing else."""
    return arguments


def _nothing() -> None:
    """Nothing is to be done when the connection closes."""


def _route(plan: Plan, config: Any) -> type[Statement]:
    """The way that a statement takes on a connection with these options."""
    if plan.kind is Kind.READ or plan.harmless:
        if plan.cacheable and config.cache != "off":
            return Reading
        if plan.analysis.unknown and config.cache != "off":
            return Unanalysed
        return Unrecorded if config.record == "off" else Statement
    return _ROUTES.get(plan.kind, Unknown)


_ROUTES = {Kind.WRITE: Writing, Kind.TRANSACTION: Controlling}
