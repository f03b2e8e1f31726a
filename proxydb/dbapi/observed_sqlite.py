"""SQLite connections of an application that does not know of proxydb: we do not show, and call sites are noted.

They are those of `proxydb.dbapi.sqlite`, under the driver's own names, without frames in tracebacks.
"""

from __future__ import annotations

import sqlite3 as driver
from functools import wraps
from sys import _getframe
from typing import Any

from proxydb.dbapi import sqlite
from proxydb.dbapi.frameless import hide, hide_frames, leaving_none
from proxydb.dbapi.mixing import with_ours
from proxydb.dbapi.served import Served
from proxydb.observe.profile import profiling

_ABSENT: Any = object()
_cursor = driver.Connection.cursor
_execute = driver.Cursor.execute
_fetchall = driver.Cursor.fetchall


@leaving_none
@wraps(sqlite.Cursor.execute)
def _execute_noted(cursor: Any, sql: Any = _ABSENT, parameters: Any = (), /, *more: Any, **named: Any) -> Any:
    """`Cursor.execute`."""
    try:
        try:
            statement = cursor.connection._context.statements[sql]
        except (KeyError, TypeError, AttributeError):
            statement = None
        if statement is None or more or named:
            return _execute_first(cursor, sql, (parameters, *more), named, _getframe(1))
        if statement.unnoted:
            statement.unnoted -= 1
        elif profiling.note is not None:
            profiling.note(statement, _getframe(1))
        return statement.run(cursor, sql, parameters)
    except BaseException as error:
        hide(error)
        raise


def _execute_first(cursor: Any, sql: Any, parameters: tuple[Any, ...], named: dict[str, Any], frame: Any) -> Any:
    """Execute a text that this connection has not seen; arguments that are not right are the driver's to refuse."""
    context = cursor._usable_context(sql)
    if context is None or len(parameters) > 1 or named:
        return _execute(cursor, *([] if sql is _ABSENT else [sql, *parameters]), **named)
    statement = context.statement(sql)
    if profiling.note is not None:
        profiling.note(statement, frame)
    return statement.run(cursor, sql, *parameters)


@leaving_none
@wraps(sqlite.Connection.execute)
def _execute_at_once(connection: Any, sql: Any = _ABSENT, parameters: Any = (), /, *more: Any, **named: Any) -> Any:
    """`Connection.execute`."""
    try:
        cursor = _cursor(connection, Cursor)
        try:
            statement = connection._context.statements[sql]
        except (KeyError, TypeError, AttributeError):
            statement = None
        if statement is None or more or named:
            return _execute_first(cursor, sql, (parameters, *more), named, _getframe(1))
        if statement.unnoted:
            statement.unnoted -= 1
        elif profiling.note is not None:
            profiling.note(statement, _getframe(1))
        return statement.run(cursor, sql, parameters)
    except BaseException as error:
        hide(error)
        raise


def _ending(name: str) -> Any:
    """The method `name` of a connection, which ends a transaction if one is open."""
    plain = getattr(driver.Connection, name)

    @leaving_none
    @wraps(getattr(sqlite.Connection, name))
    def end(connection: Any) -> Any:
        try:
            ends = connection.in_transaction
            context = connection._context
            context.ended |= ends
            statement = context.statements.get(name) or context.method(name)
            return statement.end(connection, plain, connection)
        except BaseException as error:
            hide(error)
            raise

    return end


class Cursor(sqlite.Cursor):
    """A `sqlite3.Cursor` whose statements are recorded."""

    __slots__ = ()
    __module__ = "sqlite3"

    execute = _execute_noted

    @leaving_none
    def fetchall(self) -> Any:
        try:
            statement = getattr(self, "_statement", None)
            return _fetchall(self) if statement is None else statement.fetch(_fetchall, self)
        except BaseException as error:
            hide(error)
            raise


class ServedCursor(Served, Cursor):
    """A `Cursor` that gives kept rows."""

    __slots__ = ()
    __module__ = "sqlite3"
    _live_class: type[Cursor] = Cursor


class Connection(sqlite.Connection):
    """A `sqlite3.Connection` whose statements are recorded."""

    __module__ = "sqlite3"

    execute = _execute_at_once
    commit, rollback = _ending("commit"), _ending("rollback")

    def __exit__(self, *exception: Any) -> Any:
        if self.in_transaction:
            self._context.ended = True
        return super().__exit__(*exception)

    def cursor(self, factory: Any = Cursor) -> Any:
        if factory is Cursor:
            return _cursor(self, Cursor)
        if isinstance(factory, type) and issubclass(factory, driver.Cursor):
            return _cursor(self, with_ours(factory, Cursor))
        return super().cursor(factory)

    def executemany(self, *args: Any) -> Any:
        return _cursor(self, Cursor).executemany(*args)

    def executescript(self, *args: Any) -> Any:
        return _cursor(self, Cursor).executescript(*args)


hide_frames(Cursor, sqlite.Cursor)
hide_frames(ServedCursor, Served)
hide_frames(Connection, sqlite.Connection)
ServedCursor.__name__, ServedCursor.__qualname__ = Cursor.__name__, Cursor.__qualname__
sqlite.SERVED[Cursor] = ServedCursor
