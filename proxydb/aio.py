"""Proxied connections for event loops.

>>> import asyncio
>>> from proxydb import aio
>>> async def main():
...     async with aio.connect(":memory:") as connection:
...         return await connection.execute_fetchall("SELECT 1")
>>> asyncio.run(main())
[(1,)]
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proxydb.dbapi.connect import parse_target
from proxydb.errors import MissingExtra

if TYPE_CHECKING:
    import os
    from collections.abc import Coroutine, Generator

    from proxydb.config import Config
    from proxydb.dbapi.connect import Target

__all__ = ["Connecting", "connect"]


class Connecting:
    """A connection that is being opened: awaited, it gives the connection; entered, it closes it in the end.

    Parameters
    ----------
    opening
        Opens it.
    """

    def __init__(self, opening: Coroutine[Any, Any, Any]) -> None:
        self._opening = opening
        self._connection: Any = None

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._opening.__await__()

    async def __aenter__(self) -> Any:
        self._connection = await self._opening
        return await self._connection.__aenter__()

    async def __aexit__(self, *exception: object) -> Any:
        return await self._connection.__aexit__(*exception)


def connect(target: str | os.PathLike[str] | bytes, *, config: Config | None = None, **driver_kwargs: Any) -> Any:
    """Open a proxied connection to a SQLite file or a Postgres server, from an event loop.

    Parameters
    ----------
    target, config
        As for `proxydb.connect`.
    driver_kwargs
        Passed to `aiosqlite.connect` or `psycopg.AsyncConnection.connect` as they are.

    Returns
    -------
    proxydb.aiosqlite.Connection or Connecting
        What is awaited, or entered by ``async with``, to have the connection: a `proxydb.aiosqlite.Connection` or a
        `proxydb.psycopg.AsyncConnection`.

    Raises
    ------
    proxydb.errors.TargetError
        The target names neither kind of database.
    proxydb.errors.MissingExtra
        The driver is not installed: aiosqlite for SQLite, psycopg for Postgres.
    """
    where = parse_target(target)
    if where.system == "sqlite":
        return _connect_sqlite(where, config, driver_kwargs)
    try:
        from proxydb.dbapi.postgres_async import AsyncConnection
    except MissingExtra:  # there is one, but too old
        raise
    except ImportError as error:
        raise MissingExtra.named("postgres", "a Postgres target") from error
    return Connecting(_opened(AsyncConnection.connect(where.address, **driver_kwargs), config))


def _connect_sqlite(where: Target, config: Config | None, driver_kwargs: dict[str, Any]) -> Any:
    try:
        from proxydb.dbapi.sqlite_async import connect as connect_sqlite
    except ImportError as error:
        raise MissingExtra.named("aio", "a SQLite target in an event loop") from error
    if where.uri:
        driver_kwargs.setdefault("uri", True)
    return connect_sqlite(where.address, config=config, **driver_kwargs)


async def _opened(opening: Coroutine[Any, Any, Any], config: Config | None) -> Any:
    connection = await opening
    connection._config = config
    return connection
