"""Which `Database` a SQLite connection belongs to, and what it has there."""

from __future__ import annotations

import sqlite3 as driver
import weakref
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from proxydb.database import Database, join, leaving, options_of_environment, take
from proxydb.dbapi.warn import DEPRECATES, call_deprecated
from proxydb.drivers.sqlite.private import PrivateObserver
from proxydb.drivers.sqlite.sentinel import Sentinel
from proxydb.drivers.sqlite.session import SqliteSession

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

    from proxydb.config import Config
    from proxydb.executor.context import Context

execute = driver.Cursor.execute


def open_context(connection: Any) -> Context:
    """What proxydb keeps for a connection."""
    path, identity, hindrance = connection._file
    config = connection._config or options_of_environment()
    if identity is None:
        observer: Any = PrivateObserver(connection)
        shared = _take(object(), ":memory:", config, observer, _borrow_itself(connection))
    else:
        shared = _take(identity, path, config, None, _borrow_another(path, connection))
        observer = shared.driver
    detect_types = connection._options.get("detect_types", 0)
    session = SqliteSession(connection, observer, shared.cache, detect_types, hindrance)
    context = join(shared, session, execute, _execute_named if DEPRECATES else execute, config)
    context.leave = leaving(connection, context)
    return context


def _execute_named(cursor: driver.Cursor, sql: str, parameters: Any) -> Any:
    """The driver's `execute` for named placeholders, which are deprecated with a sequence."""
    if isinstance(parameters, dict):
        return execute(cursor, sql, parameters)
    return call_deprecated(execute, cursor, sql, parameters)


def _take(identity: Hashable, path: str, config: Config, observer: Any, borrow: Callable[[], Any]) -> Any:
    """The database of this identity, made when this is its first connection."""

    def make() -> Database:
        found = observer or Sentinel(path, identity)  # type: ignore[arg-type]
        return Database("sqlite", path, config, found, borrow)

    return take(identity, make)


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
