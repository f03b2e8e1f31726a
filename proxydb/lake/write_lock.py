"""Threads of one process that write to the same SQLite file wait for each other in Python.

SQLite itself waits in sleeps that grow to 100 ms, and who has just come may be served first; so threads that write much
make others wait for long, up to "database is locked". A lock that wakes who waits leaves that to other processes.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from threading import RLock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

_LOCKS: dict[str, RLock] = {}
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_LOCKS.clear)  # who holds one is not here


class WriteLock:
    """The lock of a connection's main database.

    Parameters
    ----------
    connection
        The connection. It waits here no longer than SQLite would (``PRAGMA busy_timeout``), and then asks SQLite.

    References
    ----------
    SQLite documentation: Result Codes (SQLITE_BUSY), C interface `sqlite3_busy_timeout`.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        [path] = [row[2] for row in _rows(connection, "PRAGMA database_list") if row[1] == "main"]
        [(milliseconds,)] = _rows(connection, "PRAGMA busy_timeout")
        self._path = os.path.realpath(path) if path else None
        self._seconds = milliseconds / 1000

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lock; a database in memory has nobody else to wait for."""
        lock = RLock() if self._path is None else _LOCKS.setdefault(self._path, RLock())
        held = lock.acquire(timeout=self._seconds)
        try:
            yield
        finally:
            if held:
                lock.release()


def _rows(connection: sqlite3.Connection, pragma: str) -> list[Any]:
    cursor = connection.cursor()
    cursor.row_factory = None
    return cursor.execute(pragma).fetchall()
