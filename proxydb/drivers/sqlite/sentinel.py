"""The sentinel: a connection of proxydb's own whose `PRAGMA data_version` labels the states of a database file.

The pragma's number changes when anybody else commits (https://sqlite.org/pragma.html#pragma_data_version). The sentinel
never writes, so to it everybody is somebody else: the application in this process too.
"""

from __future__ import annotations

import os
import sqlite3 as driver
import threading
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any, Final

from proxydb.drivers.sqlite.analysis import Authorizer, query_plan, schema_version
from proxydb.drivers.sqlite.history import History

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxydb.drivers.base import Analysis

NO_LABEL: Final = 0

_VERSIONS: Final = 1 << 32
"""How many values `PRAGMA data_version` can have."""

_SERVING_COST: Final = 6000
"""Nanoseconds that it takes to find rows and to hand them over, beside the version check."""


def identity_of(path: str) -> tuple[str, int, int] | None:
    """Which file a path names, by real path, device and inode; none when there is no such file.

    SQLite's locks and proxydb's labels belong to the file, not to its name.
    """
    try:
        status = os.stat(path)
    except OSError:
        return None
    return os.path.realpath(path), status.st_dev, status.st_ino


class Sentinel:
    """Labels one database file; opened at first need, and again after `release`.

    Parameters
    ----------
    path
        The file.
    identity
        What `identity_of` said of it when the application's connection was opened; a file that took its place
        since is never looked at.
    """

    def __init__(self, path: str, identity: tuple[str, int, int]) -> None:
        self._path = path
        self._identity = identity
        self.history = History(self.schema_version)
        self.check_cost = 0
        self._lock = threading.Lock()
        self._connection: driver.Connection | None = None
        self._probe: Callable[[str], driver.Cursor] = self._first_probe
        self._authorizer: Authorizer
        self._base = 0

    def label(self, _connection: object = None) -> int:
        """The label of the file's state now; `NO_LABEL` when it cannot be told, as while another holds the file.

        Labels grow, also from one opening of the sentinel to the next.
        """
        with self._lock:
            try:
                return self._base + self._probe("PRAGMA data_version").fetchone()[0]  # type: ignore[no-any-return]
            except (driver.Error, OSError):
                return NO_LABEL

    def schema_version(self) -> int:
        """The schema's version number now.

        Raises
        ------
        sqlite3.Error
            It cannot be told now.
        """
        with self._lock:
            if self._connection is None:
                self._open()
            return schema_version(self._connection)

    def analyse(self, sql: str, _connection: object = None) -> Analysis:
        """What `sql` reads, writes and calls.

        Raises
        ------
        sqlite3.Error
            It cannot be told now, as while another holds the file.
        """
        with self._lock:
            if self._connection is None:
                self._open()
            return self._authorizer.analyse(sql)

    def query_plan(self, sql: str, parameters: Any) -> list[str]:
        """The lines of EXPLAIN QUERY PLAN, as the sentinel's connection sees them; none when there is no telling."""
        with self._lock:
            try:
                if self._connection is None:
                    self._open()
                return query_plan(self._connection, sql, parameters)
            except (driver.Error, OSError):
                return []

    def release(self) -> None:
        """Close the connection: some statements need a file that nobody else has open."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._forget()

    def abandon(self) -> None:
        """Forget the connection without closing it: after a fork it is the parent's (https://sqlite.org/howtocorrupt.html)."""
        self._lock = threading.Lock()
        self.history.reset_lock()
        if self._connection is not None:
            _ABANDONED.append(self._connection)
            self._forget()

    def _forget(self) -> None:
        """Be closed; the labels of the next opening come after all of this one's."""
        self._connection = None
        self._probe = self._first_probe
        self._base += _VERSIONS

    def _first_probe(self, question: str) -> driver.Cursor:
        """Open the connection, which takes the place of this method, and ask it."""
        self._open()
        return self._probe(question)

    def _open(self) -> None:
        from urllib.parse import quote  # only now: many a process reads nothing that is worth keeping

        connection = driver.connect(
            f"file:{quote(os.fsencode(os.path.abspath(self._path)))}?mode=rw&cache=private",
            uri=True,
            timeout=0,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            if identity_of(self._path) != self._identity:
                raise driver.OperationalError("another file has taken the place of the database")
            self._authorizer = Authorizer(connection)
            self._probe = connection.cursor().execute
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        self.check_cost = _SERVING_COST + min(self._time_probe() for _ in range(5))

    def _time_probe(self) -> int:
        started = perf_counter_ns()
        self._probe("PRAGMA data_version").fetchone()
        return perf_counter_ns() - started


_ABANDONED: list[driver.Connection] = []
