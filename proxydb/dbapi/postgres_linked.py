"""What every proxied Postgres connection and cursor does differently from psycopg's, whether it waits or is awaited."""

from __future__ import annotations

from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from psycopg import __version__
from psycopg.adapt import Transformer

from proxydb.dbapi.postgres_served import Served
from proxydb.errors import MissingExtra

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from proxydb.config import Config
    from proxydb.database import Database
    from proxydb.executor.context import Context

if tuple(map(int, __version__.split(".")[:3])) < (3, 3, 4):  # older cursors keep what they give in other attributes
    raise MissingExtra(f"psycopg 3.3.4 or newer is needed, not {__version__}: pip install -U 'proxydb[postgres]'")


class LinkedCursor:
    """A cursor that can give kept rows."""

    __slots__ = ()

    _conn: Any
    pgresult: Any
    _served_methods: type[Served]

    def _announce(self, query: Any) -> None:
        """A statement comes that the driver sends without our executor."""
        context = self._conn.__dict__.get("_context")
        if context is not None:
            context.session.announced(self._conn, query)

    def _watched(self, query: Any) -> AbstractContextManager[None]:
        """Count what happens inside as an execution of `query` that may do anything."""
        context = self._conn._context
        context.session.announced(self._conn, query)
        statement = context.statement(query) if type(query) is str else context.script()
        watched: AbstractContextManager[None] = statement.watched(self._conn)
        return watched

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
        cursor._tx = Transformer(cursor)
        cursor._set_results([rows.result])
        if rows.is_fresh:
            rows.decode(cursor)

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

    @classmethod
    def _loaders_changed(cls, wself: Any, oid: int, loader: Any) -> None:
        """The application wants the values of a result that the cursor has made in another way."""
        if isinstance(cursor := wself(), Served):
            cursor._decode_again()
        super()._loaders_changed(wself, oid, loader)  # type: ignore[misc]


@cache
def _served(kind: Any) -> Any:
    """The class that a `kind` of cursor takes while it gives kept rows; an application's own methods come first."""
    names = {"__slots__": (), "_live_class": kind, "__module__": kind.__module__, "__qualname__": kind.__qualname__}
    base = next(ours for ours in kind.__mro__ if "_served_methods" in vars(ours))
    bases = (kind._served_methods, kind) if kind is base else (kind, _served(base))
    return type(kind.__name__, bases, names)


class LinkedConnection:
    """A connection that belongs to a `Database`."""

    _config: Config | None = None

    @cached_property
    def _context(self) -> Context:
        """What proxydb keeps for this connection, from its first statement on."""
        return self._opened_context()

    def _opened_context(self) -> Context:
        raise NotImplementedError

    @property
    def proxydb(self) -> Database:
        """The `Database` that this connection shares with the process's others to it."""
        database: Database = self._context.database
        return database

    def _left(self) -> None:
        """The connection has been closed, or given back to a pool that keeps it open."""
        context = self.__dict__.get("_context")
        if context is not None and self.closed:  # type: ignore[attr-defined]
            context.leave()

    def _exec_command(self, command: Any, *args: Any, **kwargs: Any) -> Any:
        """Every BEGIN, COMMIT, ROLLBACK and SAVEPOINT of the driver's own passes here."""
        steps = super()._exec_command(command, *args, **kwargs)  # type: ignore[misc]
        context = self.__dict__.get("_context")
        if context is None:
            return steps
        statement = context.statements.get(command) if type(command) is bytes else None
        if statement is None:
            statement = self._method(command, context)
        context.session.ended()
        return statement.timed(steps)

    @staticmethod
    def _method(command: Any, context: Context) -> Any:
        """What counts a command; the common ones are found by their bytes from then on."""
        word = spoken(command)
        if word == "deallocate":
            context.session.forgot_prepared()
        return context.method(word, command if command in (b"BEGIN", b"COMMIT", b"ROLLBACK") else word)


def spoken(command: Any) -> str:
    """The first word of a command, by which it is counted."""
    text = command.decode(errors="replace") if isinstance(command, bytes) else str(command)
    return text.split(maxsplit=1)[0].lower() if isinstance(command, (bytes, str)) and text else "command"
