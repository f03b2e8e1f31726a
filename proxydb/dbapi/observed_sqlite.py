"""SQLite connections of an application that does not know of proxydb: we do not show, and call sites are noted.

They are those of `proxydb.dbapi.sqlite`, under the driver's own names, without frames in tracebacks.
"""

from __future__ import annotations

import sqlite3 as driver
from sys import _getframe
from typing import Any

from proxydb.dbapi import sqlite
from proxydb.dbapi.frameless import Failure, bound_like_a_function, hide_frames
from proxydb.dbapi.mixing import with_ours
from proxydb.dbapi.served import Served
from proxydb.observe.profile import profiling

_ABSENT: Any = object()
_cursor = driver.Connection.cursor
_execute = driver.Cursor.execute
_fetchall = driver.Cursor.fetchall


class _Execute(Failure):
    """`Cursor.execute`."""

    __slots__ = ()

    def __new__(cls, cursor: Any, sql: Any = _ABSENT, parameters: Any = (), /, *more: Any, **named: Any) -> Any:
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
            return cls.of(error)


def _execute_first(cursor: Any, sql: Any, parameters: tuple[Any, ...], named: dict[str, Any], frame: Any) -> Any:
    """Execute a text that this connection has not seen; arguments that are not right are the driver's to refuse."""
    context = cursor._usable_context(sql)
    if context is None or len(parameters) > 1 or named:
        return _execute(cursor, *([] if sql is _ABSENT else [sql, *parameters]), **named)
    statement = context.statement(sql)
    if profiling.note is not None:
        profiling.note(statement, frame)
    return statement.run(cursor, sql, *parameters)


class _ExecuteAtOnce(Failure):
    """`Connection.execute`."""

    __slots__ = ()

    def __new__(cls, connection: Any, sql: Any = _ABSENT, parameters: Any = (), /, *more: Any, **named: Any) -> Any:
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
            return cls.of(error)


class _Fetchall(Failure):
    """`Cursor.fetchall`."""

    __slots__ = ()

    def __new__(cls, cursor: Any) -> Any:
        try:
            statement = getattr(cursor, "_statement", None)
            return _fetchall(cursor) if statement is None else statement.fetch(_fetchall, cursor)
        except BaseException as error:
            return cls.of(error)


class _Ending(Failure):
    """A method of a connection that ends a transaction if one is open."""

    __slots__ = ()

    name: str
    plain: Any

    def __new__(cls, connection: Any) -> Any:
        try:
            if connection.in_transaction and profiling.ended is not None:
                profiling.ended(_getframe(1))
            context = connection._context
            statement = context.statements.get(cls.name) or context.method(cls.name)
            return statement.end(connection, cls.plain, connection)
        except BaseException as error:
            return cls.of(error)


def _ending(name: str) -> Any:
    """The method `name` of a connection."""
    names = {"__slots__": (), "name": name, "plain": getattr(driver.Connection, name)}
    return bound_like_a_function(type("_Ending", (_Ending,), names), getattr(sqlite.Connection, name))


class _Exit(Failure):
    """`Connection.__exit__`."""

    __slots__ = ()

    def __new__(cls, connection: Any, *exception: Any) -> Any:
        try:
            if connection.in_transaction and profiling.ended is not None:
                profiling.ended(_getframe(1))
            return sqlite.Connection.__exit__(connection, *exception)
        except BaseException as error:
            return cls.of(error)


class Cursor(sqlite.Cursor):
    """A `sqlite3.Cursor` whose statements are recorded."""

    __slots__ = ()
    __module__ = "sqlite3"

    execute = bound_like_a_function(_Execute, sqlite.Cursor.execute)
    fetchall = bound_like_a_function(_Fetchall, sqlite.Cursor.fetchall)


class ServedCursor(Served, Cursor):
    """A `Cursor` that gives kept rows."""

    __slots__ = ()
    __module__ = "sqlite3"
    _live_class: type[Cursor] = Cursor


class Connection(sqlite.Connection):
    """A `sqlite3.Connection` whose statements are recorded."""

    __module__ = "sqlite3"

    execute = bound_like_a_function(_ExecuteAtOnce, sqlite.Connection.execute)
    commit, rollback = _ending("commit"), _ending("rollback")
    __exit__ = bound_like_a_function(_Exit, sqlite.Connection.__exit__)

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
