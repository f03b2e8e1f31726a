"""Statements that change something: rows, the transaction, or what is not known."""

from __future__ import annotations

from time import perf_counter_ns as now
from typing import Any

from proxydb.executor.statement import Statement


class Writing(Statement):
    """A statement that changes rows."""

    __slots__ = ()

    def change(self, cursor: Any, sql: str, arguments: Any, execute: Any = None) -> Any:
        """Send the statement, by default through `execute` of its own, and let the session know what it writes."""
        session, plan = self.context.session, self.plan
        if plan.generation != session.history.generation:
            return self.context.replan(self).change(cursor, sql, arguments, execute)
        before = session.before_write(cursor.connection)
        started = now()
        try:
            result = (execute or self.execute)(cursor, sql, arguments)
            elapsed = now() - started
            session.after_write(cursor, before, plan.analysis, plan.generation)
        except BaseException:  # also what interrupts the taking of notes
            session.write_failed(cursor.connection, plan.analysis, plan.generation)
            self.failed(now() - started)
            raise
        self.finished(elapsed, arguments, "")
        cursor._statement = self
        return result

    run = run_many = change


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

    def end(self, connection: Any, method: Any, *arguments: Any) -> Any:
        """Call a method of the connection that ends a transaction if one is open, and let the session know."""
        return self._watched(connection, self.context.session.after_method, method, *arguments)

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


class Ending(Controlling):
    """A method that may end a transaction, on a connection that is served nothing."""

    __slots__ = ()

    def end(self, _connection: Any, method: Any, *arguments: Any) -> Any:
        started = now()
        try:
            result = method(*arguments)
        except BaseException:
            self.failed(now() - started)
            raise
        self.finished(now() - started, None, "")
        return result

    def _watched(self, connection: Any, _after: Any, call: Any, *arguments: Any) -> Any:
        return self.end(connection, call, *arguments)


class Unknown(Statement):
    """A statement whose effects are not known: after it nothing is, until it is asked again."""

    __slots__ = ()

    def run(self, cursor: Any, sql: str, arguments: Any) -> Any:
        cursor._statement = self
        with self.watched(cursor.connection, arguments, cursor):
            return self.execute(cursor, sql, arguments)
