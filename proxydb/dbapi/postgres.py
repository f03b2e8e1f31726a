"""Postgres connections and cursors: psycopg's own classes, subclassed."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg as driver
from psycopg.errors import _NO_TRACEBACK
from psycopg.rows import Row

from proxydb.dbapi.postgres_context import open_context
from proxydb.dbapi.postgres_linked import LinkedConnection, LinkedCursor
from proxydb.dbapi.postgres_served import ServedInCalls
from proxydb.drivers.postgres.steps import take
from proxydb.executor.reading import WAIT
from proxydb.executor.routes import IN_STEPS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxydb.executor.context import Context


class Proxied(LinkedCursor):
    """What every proxied cursor does differently from psycopg's."""

    __slots__ = ()

    def execute(self, query: Any, params: Any = None, *, prepare: Any = None, binary: Any = None) -> Any:
        try:
            statement = self._conn._context.statements[query]
        except (KeyError, TypeError, AttributeError):
            statement = None
        if statement is None:  # not in the handler: what the driver raises would have its exception for a context
            if type(query) is not str:
                self._announce(query)
                return super().execute(query, params, prepare=prepare, binary=binary)  # type: ignore[misc]
            statement = self._conn._context.statement(query)
        try:
            statement.run(self, query, (params, prepare, binary))
        except _NO_TRACEBACK as error:
            raise error.with_traceback(None)  # noqa: B904 - as the driver does
        if (result := self.pgresult) is not None:  # the driver has all rows, whether or not they will be fetched
            statement.tally.rows += result.ntuples
        return self

    def executemany(self, query: Any, params_seq: Any, *, returning: bool = False) -> None:
        with self._watched(query):
            super().executemany(query, params_seq, returning=returning)  # type: ignore[misc]

    def stream(self, query: Any, params: Any = None, *, binary: Any = None, size: int = 1) -> Iterator[Any]:
        with self._watched(query):
            yield from super().stream(query, params, binary=binary, size=size)  # type: ignore[misc]

    @contextmanager
    def copy(self, statement: Any, params: Any = None, *, writer: Any = None) -> Iterator[Any]:
        with self._watched(statement), super().copy(statement, params, writer=writer) as copy:  # type: ignore[misc]
            yield copy


def _execute(cursor: Any, query: str, arguments: Any) -> Any:
    """Do what the driver's own `execute` does."""
    connection = cursor._conn
    with connection.lock:
        connection.wait(connection._context.session.execution(cursor, query, arguments))
    return cursor


def _walk(statement: Any, cursor: Any, query: str, arguments: Any) -> Any:
    """Take the steps of a statement."""
    connection = cursor._conn
    if flight := take(connection, statement.steps(cursor, query, arguments)):
        flight.wait(WAIT)
        take(connection, statement.steps(cursor, query, arguments, alone=True))
    return cursor


class Cursor(Proxied, driver.Cursor[Row]):
    """A `psycopg.Cursor` whose statements go through proxydb."""

    __module__ = "psycopg"
    __slots__ = ("_rows", "_statement")
    _served_methods = ServedInCalls


class ClientCursor(Proxied, driver.ClientCursor[Row]):
    """A `psycopg.ClientCursor` whose statements go through proxydb."""

    __module__ = "psycopg"
    __slots__ = ("_rows", "_statement")
    _served_methods = ServedInCalls


class RawCursor(Proxied, driver.RawCursor[Row]):
    """A `psycopg.RawCursor` whose statements go through proxydb."""

    __module__ = "psycopg"
    __slots__ = ("_rows", "_statement")
    _served_methods = ServedInCalls


class _Counted(LinkedCursor):
    """What proxied server-side cursors do: nothing but counting."""

    __slots__ = ()

    def execute(self, query: Any, params: Any = None, *, binary: Any = None, **kwargs: Any) -> Any:
        with self._watched(query):
            return super().execute(query, params, binary=binary, **kwargs)  # type: ignore[misc]


class ServerCursor(_Counted, driver.ServerCursor[Row]):
    """A `psycopg.ServerCursor` whose statements are counted by proxydb."""

    __module__ = "psycopg"


class RawServerCursor(_Counted, driver.RawServerCursor[Row]):
    """A `psycopg.RawServerCursor` whose statements are counted by proxydb."""

    __module__ = "psycopg"


class Connection(LinkedConnection, driver.Connection[Row]):
    """A `psycopg.Connection` whose statements go through proxydb."""

    __module__ = "psycopg"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.cursor_factory = Cursor
        self.server_cursor_factory = ServerCursor

    def _opened_context(self) -> Context:
        context = open_context(self, type(self), _execute, IN_STEPS)
        context.walk = _walk
        return context

    def close(self) -> None:
        super().close()
        self._left()
