"""Labels for a database that one connection has to itself: `:memory:` and temporary databases have no other writers."""

from __future__ import annotations

import sqlite3 as driver
from typing import TYPE_CHECKING, Any, Final
from weakref import ref

from proxydb.drivers.base import Analysis
from proxydb.drivers.sqlite.analysis import Authorizer, schema_version
from proxydb.drivers.sqlite.history import History

if TYPE_CHECKING:
    from collections.abc import Callable

_CHECK_COST: Final = 8000
"""Nanoseconds that serving from memory costs."""

_SCHEMA = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY rowid"


class PrivateObserver:
    """Counts the states of a private database, and analyses statements on a copy of its schema."""

    def __init__(self, connection: driver.Connection) -> None:
        self._application = ref(connection)
        self.history = History(self.schema_version)
        self.check_cost = _CHECK_COST
        self._state: tuple[Any, ...] = ()
        self._label = 0
        self._copied: int | None = None
        self._copy: driver.Connection | None = None
        self._authorizer: Authorizer
        self._refusal = ""

    def label(self, connection: driver.Connection) -> int:
        """The label of the database's state now: rows changed, schema changed, or a backup copied over it."""
        execute: Callable[[str], driver.Cursor] = driver.Cursor(connection).execute
        state = (
            connection.total_changes,
            execute("PRAGMA schema_version").fetchone()[0],
            execute("PRAGMA data_version").fetchone()[0],
        )
        if state != self._state:
            self._state = state
            self._label += 1
        return self._label

    def schema_version(self) -> int:
        """The schema's version number when the label was last told."""
        return int(self._state[1]) if self._state else 0

    def analyse(self, sql: str) -> Analysis:
        """What `sql` reads, writes and calls."""
        connection = self._application()
        if connection is None or connection.text_factory is not str:
            return Analysis(refusal="a text_factory of the application's own")
        version = schema_version(connection)
        if version != self._copied:
            self._copy_schema(connection)
            self._copied = version
        return Analysis(refusal=self._refusal) if self._refusal else self._authorizer.analyse(sql)

    def query_plan(self, _sql: str, _parameters: Any) -> list[str]:
        """None: a plan on an empty copy would say nothing about the real one."""
        return []

    def release(self) -> None:
        """Close the copy."""
        if self._copy is not None:
            self._copy.close()
            self._copy = self._copied = None

    def abandon(self) -> None:
        """A private database is the child's own after a fork."""

    def _copy_schema(self, connection: driver.Connection) -> None:
        self.release()
        copy = self._copy = driver.connect(":memory:", isolation_level=None, check_same_thread=False)
        self._refusal = ""
        try:
            for (statement,) in driver.Cursor(connection).execute(_SCHEMA).fetchall():
                copy.execute(statement)
        except driver.Error as error:
            self._refusal = f"its schema cannot be copied: {error}"
        self._authorizer = Authorizer(copy)
