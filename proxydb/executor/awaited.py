"""Statements of a driver whose calls are awaited, sent and counted as those of one whose calls return when done.

A connection has a `lock`, which whoever uses it holds, and `wait`, which is awaited to have an operation done. Sending
uses them without another coroutine in between: each costs a little at every turn of the event loop.
"""

from __future__ import annotations

from time import perf_counter_ns as now
from typing import Any

from proxydb.errors import DatabaseError, NotSupportedError
from proxydb.executor import reading
from proxydb.executor.statement import Statement
from proxydb.executor.viewing import of_the_driver


class Sent(Statement):
    """A statement that is sent to the driver as it is, and counted."""

    __slots__ = ()

    async def send(self, cursor: Any, sql: str, arguments: Any) -> Any:
        self.left -= 1
        if not self.left:
            self.try_again()
        connection, context = cursor._conn, self.context
        parameters, prepare, binary = arguments
        started = now()
        try:
            async with connection.lock:
                await connection.wait(cursor._execute_gen(sql, parameters, prepare=prepare, binary=binary))
        except BaseException:
            self.failed(now() - started)
            raise
        elapsed = now() - started
        self.tally.add(elapsed)
        if elapsed > context.alarm:
            context.noticed(self, arguments, elapsed, "")
        return cursor

    run = send


class Rejected(reading.Rejected, Sent):
    """A read that is cheaper than keeping its rows, until it is tried again."""

    __slots__ = ()


class Unknown(Sent):
    """A statement whose effects are not known."""

    __slots__ = ()

    async def run(self, cursor: Any, sql: str, arguments: Any) -> Any:
        with self.watched(cursor.connection, arguments):
            return await self.execute(cursor, sql, arguments)


class Viewing(Sent):
    """A statement about materialized views, carried out in a thread, on another connection to the database."""

    __slots__ = ()

    async def run(self, cursor: Any, sql: str, arguments: Any) -> Any:
        import asyncio  # others than event loops do without

        connection = cursor.connection
        with self.watched(connection, arguments):
            try:
                _check_apart(connection)
                await asyncio.to_thread(self.context.database.views.carry_out, sql)
            except DatabaseError as error:
                raise of_the_driver(connection, error) from None
            return await self.execute(cursor, "", arguments)


def _check_apart(connection: Any) -> None:
    """Refuse what would have to become part of the connection's transaction."""
    if not connection.autocommit or connection.info.transaction_status:
        raise NotSupportedError(
            "an asynchronous connection makes views in a transaction of their own: set autocommit, or await "
            "asyncio.to_thread(connection.proxydb.views.create, …)"
        )
