"""Postgres connections and cursors for event loops: psycopg's own classes, subclassed."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, asynccontextmanager, suppress
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Any

import psycopg as driver
from psycopg.errors import _NO_TRACEBACK
from psycopg.rows import Row

from proxydb.dbapi.postgres import Connection
from proxydb.dbapi.postgres_context import open_context
from proxydb.dbapi.postgres_linked import LinkedConnection, LinkedCursor
from proxydb.dbapi.postgres_served import AwaitedServed
from proxydb.drivers.postgres.steps import take_async
from proxydb.executor.reading import WAIT
from proxydb.executor.routes import AWAITED

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from proxydb.cache.results import Flight
    from proxydb.executor.context import Context


class Proxied(LinkedCursor):
    """What every proxied asynchronous cursor does differently from psycopg's."""

    __slots__ = ()

    async def execute(self, query: Any, params: Any = None, *, prepare: Any = None, binary: Any = None) -> Any:
        if type(query) is not str:
            self._announce(query)
            return await super().execute(query, params, prepare=prepare, binary=binary)  # type: ignore[misc]
        context = self._conn._context
        statement = context.statements.get(query) or context.statement(query)
        try:
            await statement.run(self, query, (params, prepare, binary))
        except _NO_TRACEBACK as error:
            raise error.with_traceback(None)  # noqa: B904 - as the driver does
        if (result := self.pgresult) is not None:
            statement.tally.rows += result.ntuples
        return self

    async def executemany(self, query: Any, params_seq: Any, *, returning: bool = False) -> None:
        with self._watched(query):
            await super().executemany(query, params_seq, returning=returning)  # type: ignore[misc]

    async def stream(self, query: Any, params: Any = None, *, binary: Any = None, size: int = 1) -> AsyncIterator[Any]:
        rows = super().stream(query, params, binary=binary, size=size)  # type: ignore[misc]
        with self._watched(query):
            async with aclosing(rows):
                async for row in rows:
                    yield row

    @asynccontextmanager
    async def copy(self, statement: Any, params: Any = None, *, writer: Any = None) -> AsyncIterator[Any]:
        with self._watched(statement):
            async with super().copy(statement, params, writer=writer) as copy:  # type: ignore[misc]
                yield copy


async def _execute(cursor: Any, query: str, arguments: Any) -> Any:
    """Do what the driver's own `execute` does."""
    connection = cursor._conn
    async with connection.lock:
        await connection.wait(connection._context.session.execution(cursor, query, arguments))
    return cursor


async def _walk(statement: Any, cursor: Any, query: str, arguments: Any) -> Any:
    """Take the steps of a statement."""
    connection = cursor._conn
    if flight := await take_async(connection, statement.steps(cursor, query, arguments)):
        await _landing(flight)
        await take_async(connection, statement.steps(cursor, query, arguments, alone=True))
    return cursor


async def _landing(flight: Flight) -> None:
    """Wait a while for a flight of whatever thread to land."""
    landed, loop = asyncio.Event(), asyncio.get_running_loop()

    def tell() -> None:
        with suppress(RuntimeError):  # the loop has been closed meanwhile
            loop.call_soon_threadsafe(landed.set)

    flight.when_landed(tell)
    try:
        async with asyncio.timeout(WAIT):
            await landed.wait()
    except TimeoutError:
        flight.give_up()


class AsyncCursor(Proxied, driver.AsyncCursor[Row]):
    """A `psycopg.AsyncCursor` whose statements go through proxydb."""

    __module__ = "psycopg"
    __slots__ = ("_rows", "_statement")
    _served_methods = AwaitedServed


class AsyncClientCursor(Proxied, driver.AsyncClientCursor[Row]):
    """A `psycopg.AsyncClientCursor` whose statements go through proxydb."""

    __module__ = "psycopg"
    __slots__ = ("_rows", "_statement")
    _served_methods = AwaitedServed


class AsyncRawCursor(Proxied, driver.AsyncRawCursor[Row]):
    """A `psycopg.AsyncRawCursor` whose statements go through proxydb."""

    __module__ = "psycopg"
    __slots__ = ("_rows", "_statement")
    _served_methods = AwaitedServed


class _Counted(LinkedCursor):
    """What proxied server-side cursors do: nothing but counting."""

    __slots__ = ()

    async def execute(self, query: Any, params: Any = None, *, binary: Any = None, **kwargs: Any) -> Any:
        with self._watched(query):
            return await super().execute(query, params, binary=binary, **kwargs)  # type: ignore[misc]


class AsyncServerCursor(_Counted, driver.AsyncServerCursor[Row]):
    """A `psycopg.AsyncServerCursor` whose statements are counted by proxydb."""

    __module__ = "psycopg"


class AsyncRawServerCursor(_Counted, driver.AsyncRawServerCursor[Row]):
    """A `psycopg.AsyncRawServerCursor` whose statements are counted by proxydb."""

    __module__ = "psycopg"


class AsyncConnection(LinkedConnection, driver.AsyncConnection[Row]):
    """A `psycopg.AsyncConnection` whose statements go through proxydb."""

    __module__ = "psycopg"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.cursor_factory = AsyncCursor
        self.server_cursor_factory = AsyncServerCursor

    def _opened_context(self) -> Context:
        context = open_context(self, Connection, _execute, AWAITED)
        context.walk = _walk
        context.blocking = False
        context.aside = _in_another_thread
        return context

    async def close(self) -> None:
        await super().close()
        self._left()


def _in_another_thread(call: Callable[[], None]) -> None:
    """Have something done that takes a while, with the context of the task that it is for; nobody waits for it."""

    def done() -> None:
        with suppress(Exception):  # as in a thread, where it is no fault of the statement either
            call()

    asyncio.get_running_loop().run_in_executor(None, partial(copy_context().run, done))
