"""Postgres connections of an application that does not know of proxydb: we do not show, and call sites are noted.

They are those of `proxydb.dbapi.postgres`, under the driver's own names, without frames of ours in tracebacks.
"""

from __future__ import annotations

import sys
from functools import wraps
from typing import Any

import psycopg as driver
from psycopg.rows import Row

from proxydb.dbapi import postgres, postgres_async
from proxydb.dbapi.frameless import frameless, hide, hide_frames
from proxydb.dbapi.mixing import with_ours
from proxydb.dbapi.postgres_linked import spoken
from proxydb.observe.profile import profiling


def note(cursor: Any, query: Any, frame: Any) -> None:
    """Take note that `frame` asks for an execution of `query`."""
    if profiling.note is None or type(query) is not str:
        return
    context = cursor._conn._context
    statement = context.statements.get(query) or context.statement(query)
    if statement.unnoted:
        statement.unnoted -= 1
    else:
        profiling.note(statement, frame)


class Observed:
    """What an observed cursor does differently from ours."""

    __slots__ = ()

    @wraps(driver.Cursor.execute)
    def execute(self, query: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            note(self, query, sys._getframe(1))
            return super().execute(query, *args, **kwargs)  # type: ignore[misc]
        except BaseException as error:
            hide(error)
            raise


class AwaitedObserved:
    """What an observed cursor that is awaited does differently from ours."""

    __slots__ = ()

    async def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        note(self, query, sys._getframe(1))
        return await super().execute(query, params, **options)  # type: ignore[misc]


def _observed(ours: Any) -> Any:
    """A class of cursors under the driver's name, observed."""
    names: dict[str, Any] = {"__slots__": (), "__module__": "psycopg"}
    if issubclass(ours, postgres.Proxied):
        names["executemany"] = frameless(postgres.Proxied.executemany)
    methods = AwaitedObserved if issubclass(ours, driver.AsyncCursor) else Observed
    return type(ours.__name__, (methods, ours), names)


CURSORS = tuple(
    (getattr(driver, ours.__name__), _observed(ours))
    for ours in (
        postgres.RawServerCursor,
        postgres.ServerCursor,
        postgres.RawCursor,
        postgres.ClientCursor,
        postgres.Cursor,
        postgres_async.AsyncRawServerCursor,
        postgres_async.AsyncServerCursor,
        postgres_async.AsyncRawCursor,
        postgres_async.AsyncClientCursor,
        postgres_async.AsyncCursor,
    )
)
"""The driver's classes of cursors and the observed ones that stand for them, subclasses first."""


def observed_cursor(theirs: Any) -> Any:
    """The class of cursors that stands for an application's own, or for the driver's."""
    for plain, observed in CURSORS:
        if isinstance(theirs, type) and issubclass(theirs, plain):
            return with_ours(theirs, observed)
    return theirs


def _factory(name: str) -> Any:
    """The driver's attribute `name`: whatever class of cursors it is set to is observed."""

    def give(self: Any) -> Any:
        return self.__dict__[name]

    def take(self: Any, kind: Any) -> None:
        self.__dict__[name] = observed_cursor(kind)

    return property(give, take)


class ObservedConnection:
    """What an observed connection does differently from ours."""

    cursor_factory = _factory("cursor_factory")
    server_cursor_factory = _factory("server_cursor_factory")

    def _exec_command(self, command: Any, *args: Any, **kwargs: Any) -> Any:
        if (context := self.__dict__.get("_context")) and spoken(command) in ("commit", "rollback"):
            context.ended = True
        return super()._exec_command(command, *args, **kwargs)  # type: ignore[misc]


class Connection(ObservedConnection, postgres.Connection[Row]):
    """A `psycopg.Connection` whose statements are recorded."""

    __module__ = "psycopg"


class AsyncConnection(ObservedConnection, postgres_async.AsyncConnection[Row]):
    """A `psycopg.AsyncConnection` whose statements are recorded."""

    __module__ = "psycopg"


hide_frames(Connection, postgres.Connection)
