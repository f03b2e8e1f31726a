"""One database connection, spoken to in the way of its own driver: the only file that knows the two apart."""

from __future__ import annotations

import os
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import proxydb
from proxydb.errors import TargetError
from proxydb.lake.statement import bind, render
from proxydb.lake.write_lock import WriteLock

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

    from proxydb.config import Config
    from proxydb.lake.schema import TableDefinition

_CONNECTION_CLASSES = {"sqlite3.Connection": "sqlite", "psycopg.Connection": "postgresql"}
# Each system's way to begin no transaction unasked.
_ENCODING = {"sqlite": "PRAGMA encoding", "postgresql": "SHOW server_encoding"}
_AUTOCOMMIT: dict[str, tuple[str, Any]] = {"sqlite": ("isolation_level", None), "postgresql": ("autocommit", True)}


def open_session(target: Any, config: Config | None) -> Session:
    """The session of a connection target, or of a connection that is open already and stays its owner's.

    Raises
    ------
    proxydb.errors.TargetError
        `target` is neither something `proxydb.connect` takes nor a connection of one of the two drivers.
    """
    if isinstance(target, (str, bytes, os.PathLike)):
        connection = proxydb.connect(target, config=config)
        setattr(connection, *_AUTOCOMMIT[system_of(connection)])
        return Session(connection, system_of(connection), owned=True)
    return Session(target, system_of(target), owned=False)


def system_of(connection: Any) -> str:
    """``"sqlite"`` or ``"postgresql"``, by the name of the class that the connection descends from.

    Classes are not compared: `sqlite3` may be bound to a drop-in whose `Connection` is a subclass.
    """
    for kind in type(connection).__mro__:
        if system := _CONNECTION_CLASSES.get(f"{kind.__module__}.{kind.__name__}"):
            return system
    raise TargetError(
        "a lake is opened on what proxydb.connect takes or on an open sqlite3 or psycopg connection, "
        f"not on {type(connection).__name__}"
    )


class Session:
    """A connection with a system.

    Parameters
    ----------
    connection
        A `sqlite3.Connection` or a `psycopg.Connection`, proxied or not.
    system
        ``"sqlite"`` or ``"postgresql"``.
    owned
        Whether `close` closes the connection.
    """

    def __init__(self, connection: Any, system: str, *, owned: bool) -> None:
        self.connection = connection
        self.system = system
        self._owned = owned
        self._compares_utf8: bool | None = None
        self._write_lock: WriteLock | None = None

    def close(self) -> None:
        """Close the connection if it is ours."""
        if self._owned:
            self.connection.close()

    def rows(self, text: str, **values: Any) -> list[tuple[Any, ...]]:
        """Every row of a statement with `:name` markers; leaves no transaction open that was not open before."""
        with self._reading():
            cursor = self._cursor()
            cursor.execute(render(text, self.system), bind(text, values))
            return list(cursor.fetchall())

    def insert(self, text: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run an INSERT once for each of `rows`, in one call of the driver."""
        self._cursor().executemany(render(text, self.system), rows)

    def load(self, table: TableDefinition, rows: Sequence[Sequence[Any]]) -> None:
        """Add many whole rows to a table of the lake in the system's fastest way."""
        if self.system == "sqlite":
            self.insert(table.insert(), rows)
            return
        with self._cursor().copy(f"COPY {table.name} ({', '.join(table.columns)}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)

    def execute(self, text: str, **values: Any) -> int:
        """Run a statement that returns no rows; how many it changed."""
        cursor = self._cursor()
        cursor.execute(render(text, self.system), bind(text, values))
        return int(cursor.rowcount)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """A write transaction that leaves nothing behind when the block raises; a savepoint inside the caller's own."""
        if self.system == "postgresql":
            with self.connection.transaction():
                yield
        elif self.connection.in_transaction:
            with _sqlite_transaction(self.connection, *_NESTED):
                yield
        else:
            self._write_lock = self._write_lock or WriteLock(self.connection)
            with self._write_lock.held(), _sqlite_transaction(self.connection, *_OUTERMOST):
                yield

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        if self.system == "sqlite":
            return bool(self.connection.in_transaction)
        return bool(self.connection.info.transaction_status)

    @property
    def compares_utf8(self) -> bool:
        """Whether text that is compared byte by byte is compared as UTF-8; asked once."""
        if self._compares_utf8 is None:
            encoding = self.rows(_ENCODING[self.system])[0][0]
            self._compares_utf8 = encoding.replace("-", "").upper() == "UTF8"
        return self._compares_utf8

    @property
    def integrity_error(self) -> type[Exception]:
        """What the driver raises when a key is violated (PEP 249, optional extension `Connection.IntegrityError`)."""
        return self.connection.IntegrityError  # type: ignore[no-any-return]

    def _cursor(self) -> Any:
        """A cursor that returns tuples, whatever the connection's own row factory makes."""
        cursor = self.connection.cursor()
        cursor.row_factory = None if self.system == "sqlite" else _tuple_row()
        return cursor

    def _reading(self) -> AbstractContextManager[Any]:
        """psycopg opens a transaction even for a read; it is closed again if nobody was in one."""
        if self.system == "sqlite" or self.connection.autocommit or self.connection.info.transaction_status:
            return nullcontext()
        return self.connection.transaction()  # type: ignore[no-any-return]


def _tuple_row() -> Any:
    from psycopg.rows import tuple_row

    return tuple_row


@contextmanager
def _sqlite_transaction(
    connection: sqlite3.Connection, begin: str, commit: tuple[str, ...], rollback: tuple[str, ...]
) -> Iterator[None]:
    connection.execute(begin)
    try:
        yield
    except BaseException:
        if connection.in_transaction:  # a full disk has rolled everything back already
            for statement in rollback:
                connection.execute(statement)
        raise
    for statement in commit:
        connection.execute(statement)


# The database's lock is taken at once, so that what is checked inside is still true when it is written.
_OUTERMOST = ("BEGIN IMMEDIATE", ("COMMIT",), ("ROLLBACK",))
_NESTED = ("SAVEPOINT proxydb_lake", ("RELEASE proxydb_lake",), ("ROLLBACK TO proxydb_lake", "RELEASE proxydb_lake"))
