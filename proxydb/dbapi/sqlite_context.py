"""Which `Database` a SQLite connection belongs to, and what it has there."""

from __future__ import annotations

import os
import sqlite3 as driver
import weakref
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from proxydb import database
from proxydb.config import Config
from proxydb.dbapi.warn import DEPRECATES, call_deprecated
from proxydb.drivers.sqlite.private import PrivateObserver
from proxydb.drivers.sqlite.sentinel import Sentinel, identity_of
from proxydb.drivers.sqlite.session import SqliteSession

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

    from proxydb.executor import Context

execute = driver.Cursor.execute

_HINDERING_OPTIONS = {
    "cache": ("shared", "the connection shares its page cache with others"),
    "nolock": ("1", "the file is opened without locks"),
    "immutable": ("1", "the file is opened as immutable"),
    "vfs": (None, "the file is opened through a VFS of the application's own"),
}


def open_context(connection: Any) -> Context:
    """What proxydb keeps for a connection."""
    path = _main_file(connection)
    hindrance = _hindrance(connection._options)
    identity = identity_of(path) if path else None
    if path and identity is None:
        hindrance = hindrance or "its file is gone"
    config = connection._config or Config.from_environment()
    if identity is None:
        observer: Any = PrivateObserver(connection)
        shared = _take(object(), ":memory:", config, observer, _borrow_itself(connection))
    else:
        shared = _take(identity, path, config, None, _borrow_another(path, connection))
        observer = shared.driver
    detect_types = connection._options.get("detect_types", 0)
    session = SqliteSession(connection, observer, shared.cache, detect_types, hindrance)
    context = database.join(shared, session, execute, _execute_named if DEPRECATES else execute, config)
    collected = weakref.finalize(connection, database.collected, context)
    collected.atexit = False
    context.leave = lambda: collected.detach() and database.leave(context)
    return context


def _execute_named(cursor: driver.Cursor, sql: str, parameters: Any) -> Any:
    """The driver's `execute` for named placeholders, which are deprecated with a sequence."""
    if isinstance(parameters, dict):
        return execute(cursor, sql, parameters)
    return call_deprecated(execute, cursor, sql, parameters)


def _take(identity: Hashable, path: str, config: Config, observer: Any, borrow: Callable[[], Any]) -> Any:
    """The database of this identity, made when this is its first connection."""

    def make() -> database.Database:
        found = observer or Sentinel(path, identity)  # type: ignore[arg-type]
        return database.Database("sqlite", path, config, found, borrow)

    return database.take(identity, make)


def _main_file(connection: driver.Connection) -> str:
    """The absolute path of the main database; empty for one in memory or in a temporary file."""
    text_factory, connection.text_factory = connection.text_factory, os.fsdecode
    try:
        rows = driver.Cursor(connection).execute("PRAGMA database_list").fetchall()
    finally:
        connection.text_factory = text_factory
    return next(str(path or "") for _, name, path in rows if name == "main")


def _hindrance(options: dict[str, Any]) -> str:
    """Why nothing may be served on a connection that was opened with these options; empty when it may."""
    if not options.get("uri"):
        return ""
    given = parse_qs(urlsplit(str(options.get("database"))).query)
    for name, (value, reason) in _HINDERING_OPTIONS.items():
        if name in given and value in (None, given[name][-1]):
            return reason
    return ""


def _borrow_itself(connection: Any) -> Callable[[], Any]:
    """A private database has no other connection than its own."""
    reference = weakref.ref(connection)

    @contextmanager
    def borrow() -> Iterator[Any]:
        yield reference()

    return borrow


def _borrow_another(path: str, connection: Any) -> Callable[[], Any]:
    kind, config = type(connection), connection._config

    @contextmanager
    def borrow() -> Iterator[Any]:
        other = kind(path, isolation_level=None)
        other._config = config
        try:
            yield other
        finally:
            other.close()

    return borrow
