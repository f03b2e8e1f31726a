"""SQLite connections and cursors: the standard library's own classes, subclassed."""

from __future__ import annotations

import sqlite3 as driver
from functools import cache, cached_property, partial, wraps
from time import perf_counter_ns as now
from typing import TYPE_CHECKING, Any

from proxydb.dbapi.mixing import with_ours
from proxydb.dbapi.served import Served, read_ahead, stop_serving
from proxydb.dbapi.sqlite_context import open_context
from proxydb.dbapi.sqlite_file import File, file_named, file_of
from proxydb.dbapi.warn import call_deprecated

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxydb.config import Config
    from proxydb.database import Database
    from proxydb.executor.context import Context

_connect = driver.connect
_cursor = driver.Connection.cursor
_commit = driver.Connection.commit
_rollback = driver.Connection.rollback
_execute = driver.Cursor.execute
_executemany = driver.Cursor.executemany
_executescript = driver.Cursor.executescript
_fetchall = driver.Cursor.fetchall
_fetchmany = driver.Cursor.fetchmany


class Cursor(driver.Cursor):
    """A `sqlite3.Cursor` whose statements go through proxydb."""

    __slots__ = ("_changes", "_kept", "_rows", "_shape", "_statement")
    _statement: Any

    def execute(self, sql: Any, parameters: Any = (), /) -> Any:
        try:
            statement = self.connection._context.statements[sql]  # type: ignore[attr-defined]
        except (KeyError, TypeError, AttributeError):
            statement = None
        if statement is None:  # not in the handler: what the driver raises would have its exception for a context
            return self._execute_first(sql, parameters)
        return statement.run(self, sql, parameters)

    def executemany(self, sql: Any, parameters: Any, /) -> Any:
        context = self._usable_context(sql)
        if context is None:
            return _executemany(self, sql, parameters)
        return context.statement(sql).run_many(self, sql, parameters, _executemany)

    def executescript(self, script: Any, /) -> Any:
        context = self._usable_context(script)
        if context is None:
            return _executescript(self, script)
        context.session.before_script(script)
        with context.script().watched(self.connection):
            return _executescript(self, script)

    def fetchall(self) -> list[Any]:
        """The way of `Statement.fetch`, without the call."""
        try:
            statement = self._statement
        except AttributeError:
            statement = None
        if statement is None:
            return _fetchall(self)
        started = now()
        rows = _fetchall(self)
        elapsed = now() - started
        tally = statement.tally
        tally.rows += len(rows)
        tally.total += elapsed
        if elapsed > statement.context.alarm:
            statement.context.noticed(statement, None, elapsed, "fetch")
        return rows

    def fetchmany(self, *args: Any, **kwargs: Any) -> list[Any]:
        statement = getattr(self, "_statement", None)
        if statement is None:
            return _fetchmany(self, *args, **kwargs)
        rows: list[Any] = statement.fetch(lambda cursor: _fetchmany(cursor, *args, **kwargs), self)
        return rows

    def _execute_first(self, sql: Any, parameters: Any) -> Any:
        """Execute a text that this connection has not seen."""
        context = self._usable_context(sql)
        if context is None:
            return _execute(self, sql, parameters)
        return context.statement(sql).run(self, sql, parameters)

    def _usable_context(self, sql: Any) -> Context | None:
        """What proxydb keeps for the connection; none when the driver is about to raise why it cannot be used."""
        if type(sql) is not str:
            return None
        try:
            return self.connection._context  # type: ignore[attr-defined, no-any-return]
        except (driver.Error, AttributeError, UnicodeError):
            return None

    def _serve(self, shape: str, rows: list[Any]) -> None:
        """Give `rows` instead of running a statement; `shape` is one without rows that has its column names."""
        _execute(self, shape)
        self._kept, self._rows, self._shape = rows, iter(rows), ""
        self.__class__ = _served(type(self))

    def _fetch(self, sql: str, parameters: Any, largest: int) -> Any:
        """Run the statement and fetch its rows, which the cursor then gives.

        Returns
        -------
        The rows in the form in which they are kept, and the nanoseconds that the driver took. None for the rows when
        they must not be kept: there are more than `largest` bytes of them, or an error came between two. The cursor
        then goes on with the driver's own rows, or raises the error, where the driver would.
        """
        factory, self.row_factory = self.row_factory, None
        try:
            started = now()
            _execute(self, sql, parameters)
            ahead = read_ahead(self, largest)
            cost = now() - started
        finally:
            self.row_factory = factory
        self._kept, self._rows, self._shape = ahead.rows, ahead.iterator(), ""
        self.__class__ = _served(type(self))
        return ahead.kept(largest), cost


@cache
def _served(kind: type[Cursor]) -> type[Cursor]:
    """The class that a `kind` of cursor takes while it gives kept rows; an application's own methods come first."""
    if issubclass(kind, Served):
        return kind
    ours = next(base for base in kind.__mro__ if base in SERVED)
    if kind is ours:
        return SERVED[ours]
    names = {"__slots__": (), "_live_class": kind, "__module__": kind.__module__, "__qualname__": kind.__qualname__}
    return type(kind.__name__, (kind, SERVED[ours]), names)


class ServedCursor(Served, Cursor):
    """A `Cursor` that gives kept rows."""

    __slots__ = ()
    _live_class: type[Cursor] = Cursor


ServedCursor.__name__, ServedCursor.__qualname__ = Cursor.__name__, Cursor.__qualname__

SERVED: dict[type, type[Any]] = {Cursor: ServedCursor}
"""For each cursor class of ours, the one that gives kept rows."""


class Connection(driver.Connection):
    """A `sqlite3.Connection` whose statements go through proxydb."""

    _file: File
    _options: dict[str, Any]
    _config: Config | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.__dict__.pop("_context", None)
        before = file_named(args, kwargs)
        if len(args) > 1:
            call_deprecated(super().__init__, *args, **kwargs)
        else:
            super().__init__(*args, **kwargs)
        self._options = dict(zip(_OPTIONS, args, strict=False)) | kwargs
        self._file = file_of(self, before)

    @cached_property
    def _context(self) -> Context:
        """What proxydb keeps for this connection, from its first statement on."""
        return open_context(self)

    @property
    def proxydb(self) -> Database:
        """The `Database` that this connection shares with the process's others to the same file."""
        database: Database = self._context.database
        return database

    def cursor(self, factory: Any = Cursor) -> Any:
        if factory is Cursor:
            return _cursor(self, Cursor)
        if isinstance(factory, type) and issubclass(factory, driver.Cursor):
            return super().cursor(with_ours(factory, Cursor))
        cursor = super().cursor(factory)
        if not isinstance(cursor, Cursor):
            self._context.session.hinder("cursor", "a cursor on this connection that is not proxydb's")
        return cursor

    def execute(self, *args: Any) -> Any:
        return _cursor(self, Cursor).execute(*args)

    def executemany(self, *args: Any) -> Any:
        return _cursor(self, Cursor).executemany(*args)

    def executescript(self, *args: Any) -> Any:
        return _cursor(self, Cursor).executescript(*args)

    def commit(self) -> None:
        if self.in_transaction:
            self._end("commit", super().commit)
        else:
            _commit(self)  # sends nothing, and is called again and again by pools

    def rollback(self) -> None:
        if self.in_transaction:
            self._end("rollback", super().rollback)
        else:
            _rollback(self)

    def __exit__(self, *exception: Any) -> Any:
        return self._end("rollback" if exception[0] else "commit", partial(super().__exit__, *exception))

    def close(self) -> None:
        context = self.__dict__.get("_context")
        if context is None:
            super().close()
            return
        context.closing()
        super().close()
        stop_serving(self)
        context.leave()

    def backup(self, target: Any, **options: Any) -> None:
        try:
            super().backup(target, **options)
        finally:
            if isinstance(target, Connection):
                target._context.session.after_unknown(target)

    def blobopen(self, *args: Any, **kwargs: Any) -> Any:
        self._context.session.hinder("blobopen", "a blob was opened on this connection")
        return super().blobopen(*args, **kwargs)

    def _end(self, name: str, call: Callable[[], Any]) -> Any:
        try:
            context = self._context
        except driver.Error:
            return call()
        return context.method(name).end(self, call)


_OPTIONS = (
    "database",
    "timeout",
    "detect_types",
    "isolation_level",
    "check_same_thread",
    "factory",
    "cached_statements",
    "uri",
)


def connect(*args: Any, **kwargs: Any) -> Any:
    """Open a SQLite database as `sqlite3.connect` does; a caller's own `factory` class is mixed with ours.

    Parameters, results and errors are those of `sqlite3.connect` in the Python standard library's manual.
    """
    return connect_as(Connection, args, kwargs)


def connect_as(ours: type[Connection], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Open a connection of our class `ours`, mixed with the caller's own, with the arguments of `sqlite3.connect`."""
    place = _OPTIONS.index("factory")
    factory: Any = kwargs.get("factory", args[place] if len(args) > place else ours)
    if isinstance(factory, type) and issubclass(factory, driver.Connection):
        factory = with_ours(factory, ours)
    if len(args) > place:
        args = (*args[:place], factory, *args[place + 1 :])
    else:
        kwargs = {**kwargs, "factory": factory}
    return _connect(*args, **kwargs) if len(args) <= 1 else call_deprecated(_connect, *args, **kwargs)


def _hindering(name: str, reason: str) -> Any:
    """The driver's method `name`, which makes that nothing may be served; given None, that it may be again."""
    method = getattr(driver.Connection, name)

    @wraps(method)
    def call(self: Connection, *args: Any, **kwargs: Any) -> Any:
        session = self._context.session
        result = call_deprecated(method, self, *args, **kwargs) if kwargs else method(self, *args, **kwargs)
        is_set = next(iter((*args, *kwargs.values())), True) is not None
        session.hinder(name, reason if is_set else "")
        return result

    return call


def _unsettling(name: str) -> Any:
    """The driver's method `name`, after which the session's settings are read again."""
    method = getattr(driver.Connection, name)

    @wraps(method)
    def call(self: Connection, *args: Any, **kwargs: Any) -> Any:
        session = self._context.session
        try:
            return call_deprecated(method, self, *args, **kwargs) if kwargs else method(self, *args, **kwargs)
        finally:
            session.after_unknown(self)

    return call


def _ending(name: str) -> property:
    """The driver's attribute `name`, whose assignment may end a transaction."""
    attribute = getattr(driver.Connection, name)

    def assign(self: Connection, value: Any) -> None:
        try:
            context = self._context
        except driver.Error:
            attribute.__set__(self, value)
        else:
            context.method(name).control(self, lambda: attribute.__set__(self, value))

    return property(attribute.__get__, assign, doc=attribute.__doc__)


_HINDERING = {
    "set_authorizer": "an authorizer of the application's own",
    "set_progress_handler": "a progress handler of the application's own",
    "set_trace_callback": "a trace callback of the application's own",
    "setlimit": "a limit of the application's own",
    "setconfig": "a configuration of the application's own",
    "enable_load_extension": "extensions may be loaded",
    "load_extension": "an extension was loaded",
    "create_collation": "a collation of the application's own",
    "deserialize": "the database was replaced by a deserialized one",
}
_UNSETTLING = ("create_function", "create_aggregate", "create_window_function")
_ENDING = ("isolation_level", "autocommit")

for _name, _reason in _HINDERING.items():
    if hasattr(driver.Connection, _name):
        setattr(Connection, _name, _hindering(_name, _reason))
for _name in _UNSETTLING:
    setattr(Connection, _name, _unsettling(_name))
for _name in _ENDING:
    if hasattr(driver.Connection, _name):
        setattr(Connection, _name, _ending(_name))
