"""SQLite for event loops: aiosqlite's own classes, whose worker thread holds a proxied connection."""

from __future__ import annotations

import os
from contextlib import suppress
from sqlite3 import Error
from typing import TYPE_CHECKING, Any

import aiosqlite as driver

from proxydb.dbapi import sqlite

if TYPE_CHECKING:
    import asyncio

    from proxydb.config import Config
    from proxydb.database import Database


class Connection(driver.Connection):
    """An `aiosqlite.Connection` whose statements go through proxydb."""

    _unclaimed: list[Any] = []
    """What the thread has opened, until whoever waits for it has it."""

    async def _connect(self) -> Any:
        connected = await super()._connect()
        self._unclaimed.clear()
        return connected

    def stop(self) -> Any:
        """End the thread as aiosqlite does; what it has opened for a task that was cancelled meanwhile is closed."""
        if self._connection is None:
            self._tx.put_nowait((None, self._close_unclaimed))
        return super().stop()

    def _close_unclaimed(self) -> None:
        while self._unclaimed:
            self._unclaimed.pop().close()

    @property
    def proxydb(self) -> Database:
        """The `Database` that this connection shares with the process's others to the same file."""
        connection: Any = self._conn
        database: Database = connection.proxydb
        return database


def connect(
    database: Any,
    *,
    iter_chunk_size: int = 64,
    loop: asyncio.AbstractEventLoop | None = None,
    config: Config | None = None,
    **kwargs: Any,
) -> Connection:
    """Make a connection as `aiosqlite.connect` does: it is opened when it is awaited or entered.

    Parameters
    ----------
    database
        A path or a URI: `str`, `bytes`, or anything whose `str` is one.
    iter_chunk_size
        How many rows an `async for` fetches at once.
    loop
        Without effect, as in aiosqlite.
    config
        proxydb's options; by default those of the PROXYDB_* variables.
    kwargs
        As for `sqlite3.connect`.
    """

    def connector() -> Any:
        location = os.fsdecode(database) if isinstance(database, bytes) else str(database)
        connection = sqlite.connect(location, **kwargs)
        connection._config = config
        with suppress(Error):
            connection._context  # noqa: B018 - made by the thread that the connection belongs to
        unclaimed.append(connection)
        return connection

    unclaimed: list[Any] = []
    made = Connection(connector, iter_chunk_size, loop)
    made._unclaimed = unclaimed
    return made
