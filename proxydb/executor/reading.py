"""Reads: answered from the cache where their label still holds, else run, and kept where that is worth the while."""

from __future__ import annotations

from time import perf_counter_ns as now
from typing import TYPE_CHECKING, Any

from proxydb.cache.admission import REST, RETRIAL
from proxydb.cache.results import Entry
from proxydb.executor.statement import Statement
from proxydb.observe.record import PENDING

if TYPE_CHECKING:
    from proxydb.drivers.base import Filled

PATIENCE = 20
"""After how many executions the database is asked again what it could not say of a statement."""

WAIT = 1.0
"""Seconds to wait for somebody else to fill the same key: bounded, since that one may wait for a lock of ours."""


class Keeping(Statement):
    """A read whose rows may be kept: what is noted of its hits and of its runs."""

    __slots__ = ()

    def hit(self, key: Any, started: int, arguments: Any) -> None:
        """Count an answer from memory."""
        tally, context = self.tally, self.context
        self.left -= 1
        if not self.left:
            self.left = self.plan.admission.retrial
            context.cache.drop(key)  # the next execution is run and measured again
        tally.hits += 1
        if context.counts:
            elapsed = now() - started
            tally.pending.append(elapsed)
            if len(tally.pending) > PENDING:
                tally.settle()
            if elapsed > context.alarm:
                context.noticed(self, arguments, elapsed, "hit")

    def filled(self, key: Any, arguments: Any, filled: Filled) -> None:
        """Count a run, and keep what it gave if that was worth the while."""
        context, admission = self.context, self.plan.admission
        self.tally.misses += 1
        self.finished(filled.cost, arguments, "miss")
        rows = filled.rows
        if not admission.measure(filled.cost if rows is not None else 0, context.session.check_cost):
            self._reject()
        elif rows is not None and filled.label and self.plan.generation == context.session.generation:
            context.cache.store(key, Entry(rows, filled.label, self.plan.analysis.reads, rows.size))
            self.left = min(self.left, admission.retrial)
            self._rest_if_in_vain()

    def _rest_if_in_vain(self) -> None:
        """When nobody asks for what is kept, for a while nothing is looked up and kept: both take time."""
        admission, hits = self.plan.admission, self.tally.hits
        admission.kept(used=hits != self.hits_seen)
        self.hits_seen = hits
        if admission.in_vain:
            self.left = REST
            self.__class__ = self.context.routes.rejected

    def _reject(self) -> None:
        if self.plan.admission.refused:
            self.left = RETRIAL
            self.__class__ = self.context.routes.rejected


class Reading(Keeping):
    """A read that is answered from the cache where its label still holds."""

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
                cursor._statement = self
                self.hit(key, started, arguments)
                return cursor
            return self._miss(cursor, sql, arguments, key, ticket, entry)
        return self._bypass(cursor, sql, arguments)

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
            flight.wait(WAIT)
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
            cursor._statement = self
            self.hit(key, started, arguments)
            return cursor
        return self._fill(cursor, sql, arguments, key, ticket)

    def _fill(self, cursor: Any, sql: str, arguments: Any, key: Any, ticket: Any) -> Any:
        """Run the statement between two equal labels and keep what it gave, if that was worth the while."""
        context = self.context
        if not context.session.may_fill(cursor, ticket):
            return self._bypass(cursor, sql, arguments)
        started = now()
        try:
            filled = context.session.fill(cursor, self.plan, sql, arguments, ticket, context.largest)
        except BaseException:
            self.failed(now() - started)
            raise
        cursor._statement = self
        self.filled(key, arguments, filled)
        return cursor


class Rejected(Statement):
    """A read that is cheaper than keeping its rows, or whose kept rows nobody asks for, until it is tried again."""

    __slots__ = ()

    def try_again(self) -> None:
        self.left = RETRIAL
        self.plan.admission.retry()
        self.__class__ = self.context.routes.reading


class RejectedUnrecorded(Rejected):
    """The same, and not counted."""

    __slots__ = ()

    def run(self, cursor: Any, sql: str, arguments: Any) -> Any:
        self.left -= 1
        if not self.left:
            self.try_again()
        self.context.session.unchecked = True
        return self.execute(cursor, sql, arguments)


class Unanalysed(Statement):
    """A read of which the database could not say what it does, until it is asked again."""

    __slots__ = ()

    def run(self, cursor: Any, sql: str, arguments: Any) -> Any:
        if (self.left - 1) % PATIENCE == 0 or self.plan.generation != self.context.session.generation:
            return self.context.replan(self).send(cursor, sql, arguments)
        return self.send(cursor, sql, arguments)
