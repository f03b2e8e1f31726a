"""Postgres connections and cursors: psycopg's own classes, subclassed."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cache, cached_property
from time import perf_counter_ns as now
from typing import TYPE_CHECKING, Any

import psycopg as driver
from psycopg.rows import Row

from proxydb.dbapi.postgres_context import open_context
from proxydb.dbapi.postgres_served import Served

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxydb.config import Config
    from proxydb.database import Database
    from proxydb.executor.context import Context


class Proxied:
    """What every proxied cursor does differently from psycopg's."""

    __slots__ = ()

    _conn: Any

    def execute(self, query: Any, params: Any = None, *, prepare: Any = None, binary: Any = None) -> Any:
        try:
            statement = self._conn._context.statements[query]
        except (KeyError, TypeError, AttributeError):
            if type(query) is not str:
                return super().execute(query, params, prepare=prepare, binary=binary)  # type: ignore[misc]
            statement = self._conn._context.statement(query)
        return statement.run(self, query, (params, prepare, binary))

    def executemany(self, query: Any, params_seq: Any, *, returning: bool = False) -> None:
        context = self._conn._context if type(query) is str else None
        if context is None:
            super().executemany(query, params_seq, returning=returning)  # type: ignore[misc]
        else:
            context.statement(query).run_many(self, query, (params_seq, returning), _executemany)

    def stream(self, query: Any, params: Any = None, **options: Any) -> Iterator[Any]:
        with _counted(self._conn._context, query):
            yield from super().stream(query, params, **options)  # type: ignore[misc]

    @contextmanager
    def copy(self, statement: Any, params: Any = None, **options: Any) -> Iterator[Any]:
        with _counted(self._conn._context, statement), super().copy(statement, params, **options) as copy:  # type: ignore[misc]
            yield copy

    def _serve(self, rows: Any) -> None:
        """Give kept rows instead of running a statement: the driver's cursor gets the server's own result."""
        cursor: Any = self
        cursor._reset()
        cursor._last_query = None
        cursor._query = rows.query
        if rows.suit(cursor):
            cursor._results.append(rows.result)
            cursor._take(rows)
            return
        cursor._tx = driver.adapt.Transformer(cursor)
        cursor._set_results([rows.result])
        if rows.is_fresh:
            rows.decode(cursor)

    @classmethod
    def _loaders_changed(cls, wself: Any, oid: int, loader: Any) -> None:
        """The application wants the values of a result that the cursor has made in another way."""
        if isinstance(cursor := wself(), Served):
            cursor._decode_again()
        super()._loaders_changed(wself, oid, loader)  # type: ignore[misc]

    def _take(self, rows: Any) -> None:
        """Become a cursor that gives decoded rows."""
        cursor: Any = self
        result = rows.result
        cursor.pgresult = result
        cursor._pos = cursor._iresult = 0
        cursor._rowcount = result.ntuples
        cursor._statusmessage = result.command_status
        cursor._make_row = cursor._make_row_maker()
        cursor._rows = rows.get()
        kind: Any = type(cursor)
        cursor.__class__ = _served(kind)


def _execute(cursor: Any, query: str, arguments: Any) -> Any:
    """The driver's own `execute`."""
    params, prepare, binary = arguments
    return super(Proxied, cursor).execute(query, params, prepare=prepare, binary=binary)


def _executemany(cursor: Any, query: Any, arguments: Any) -> None:
    params_seq, returning = arguments
    super(Proxied, cursor).executemany(query, params_seq, returning=returning)


@contextmanager
def _counted(context: Context, query: Any) -> Iterator[None]:
    """Count what happens inside as an execution of `query`, whose effects are not known."""
    statement = context.statement(query) if type(query) is str else context.script()
    started = now()
    try:
        yield
    finally:
        statement.finished(now() - started, None, "")


class Cursor(Proxied, driver.Cursor[Row]):
    """A `psycopg.Cursor` whose statements go through proxydb."""

    __slots__ = ("_rows", "_statement")


class ClientCursor(Proxied, driver.ClientCursor[Row]):
    """A `psycopg.ClientCursor` whose statements go through proxydb."""

    __slots__ = ("_rows", "_statement")


class RawCursor(Proxied, driver.RawCursor[Row]):
    """A `psycopg.RawCursor` whose statements go through proxydb."""

    __slots__ = ("_rows", "_statement")


class _Counted:
    """What proxied server-side cursors do: nothing but counting."""

    __slots__ = ()

    _conn: Any

    def execute(self, query: Any, params: Any = None, *, binary: Any = None, **kwargs: Any) -> Any:
        with _counted(self._conn._context, query):
            return super().execute(query, params, binary=binary, **kwargs)  # type: ignore[misc]


class ServerCursor(_Counted, driver.ServerCursor[Row]):
    """A `psycopg.ServerCursor` whose statements are counted by proxydb."""


class RawServerCursor(_Counted, driver.RawServerCursor[Row]):
    """A `psycopg.RawServerCursor` whose statements are counted by proxydb."""


@cache
def _served(kind: Any) -> Any:
    """The class that a `kind` of cursor takes while it gives kept rows; an application's own methods come first."""
    names = {"__slots__": (), "_live_class": kind, "__module__": kind.__module__, "__qualname__": kind.__qualname__}
    base = next(ours for ours in kind.__mro__ if ours in _OURS)
    bases = (Served, kind) if kind is base else (kind, _served(base))
    return type(kind.__name__, bases, names)


_OURS = (Cursor, ClientCursor, RawCursor)


class Connection(driver.Connection[Row]):
    """A `psycopg.Connection` whose statements go through proxydb."""

    __module__ = "psycopg"

    _config: Config | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.cursor_factory = Cursor
        self.server_cursor_factory = ServerCursor

    @cached_property
    def _context(self) -> Context:
        """What proxydb keeps for this connection, from its first statement on."""
        return open_context(self, _execute)

    @property
    def proxydb(self) -> Database:
        """The `Database` that this connection shares with the process's others to it."""
        database: Database = self._context.database
        return database

    def close(self) -> None:
        super().close()
        context = self.__dict__.get("_context")
        if self.closed and context is not None:
            context.leave()

    def _start_query(self) -> Any:
        """Every cursor's statement passes here before it is sent."""
        if (context := self.__dict__.get("_context")) is not None:
            context.session.touched()
        return super()._start_query()

    def _exec_command(self, command: Any, *args: Any, **kwargs: Any) -> Any:
        """Every BEGIN, COMMIT, ROLLBACK and SAVEPOINT of the driver's own passes here."""
        context = self.__dict__.get("_context")
        if context is None:
            return (yield from super()._exec_command(command, *args, **kwargs))
        word = _spoken(command)
        context.session.ended()
        if word == "deallocate":
            context.session.forgot_prepared()
        started = now()
        try:
            return (yield from super()._exec_command(command, *args, **kwargs))
        finally:
            context.method(word).finished(now() - started, None, "")


def _spoken(command: Any) -> str:
    """The first word of a command, by which it is counted."""
    text = command.decode(errors="replace") if isinstance(command, bytes) else str(command)
    return text.split(maxsplit=1)[0].lower() if isinstance(command, (bytes, str)) and text else "command"
