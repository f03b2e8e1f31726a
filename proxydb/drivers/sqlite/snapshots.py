"""Which state of the database a read on a SQLite connection would see now.

The rules are those of `docs/explanation/freshness.md`; each method names the one that it keeps.
"""

from __future__ import annotations

import sqlite3 as driver
from typing import TYPE_CHECKING, Final
from weakref import ref

from proxydb.drivers.sqlite.activity import has_unfinished_cursor
from proxydb.drivers.sqlite.keys import Keys
from proxydb.drivers.sqlite.sentinel import NO_LABEL

if TYPE_CHECKING:
    from proxydb.drivers.sqlite.private import PrivateObserver
    from proxydb.drivers.sqlite.sentinel import Sentinel

_UNLABELLED: Final = -1


class Snapshots(Keys):
    """The labels of one connection: that of the last commit, or that at which its transaction is pinned.

    Parameters
    ----------
    connection
        The connection, which owns the session.
    observer
        Labels the states of the database.
    detect_types, private
        As for `Settings`.

    Attributes
    ----------
    unchecked
        Whether a statement ran since it was known that no cursor was unfinished and that the transaction, if one is
        open, had read nothing.
    late
        Whether a transaction came to a read that may be kept only after another one had fixed its snapshot: from
        then on the first read of each transaction, whatever it is, has its snapshot labelled.
    """

    __slots__ = (
        "_connection",
        "_observer",
        "_pin",
        "_pinned_changes",
        "_saw_begin",
        "_write_generation",
        "_writes",
        "history",
        "late",
        "unchecked",
    )

    def __init__(
        self, connection: driver.Connection, observer: Sentinel | PrivateObserver, detect_types: int, private: str
    ) -> None:
        super().__init__(detect_types, private)
        self._connection = ref(connection)
        self._observer = observer
        self.history = observer.history
        self.unchecked = False
        self.late = False
        self._pin = self._pinned_changes = 0
        self._saw_begin = connection.in_transaction  # with autocommit=False the driver begins the first one itself
        self._writes: frozenset[str] | None = None
        self._write_generation = -1

    @property
    def generation(self) -> int:
        """The generation of the schema that the label belongs to."""
        return self.history.generation

    def schema_generation(self) -> int:
        """The same, when a statement is about to be planned: the first look at the database has been taken then."""
        if not self.history.known and (connection := self._connection()) is not None:
            self.current_label(connection)
        return self.history.generation

    @property
    def check_cost(self) -> int:
        """Nanoseconds that serving from memory costs, the version check above all."""
        return self._observer.check_cost

    def open(self, cursor: driver.Cursor) -> int:
        """The label of what a read on this connection would see now; `NO_LABEL`, with a reason, when there is none."""
        connection = cursor.connection
        if self.private:
            return self._without_label(self.private)
        if connection.text_factory is not str:
            return self._without_label("a text_factory of the application's own")
        if connection.in_transaction:
            return self._transaction_label(connection)
        if self.unsettled:
            self._settle(connection)
        if self.obstacle:
            return self._without_label(self.obstacle)
        if self._pin or self._writes is not None:
            self._forget_transaction()
        if self.unchecked and self._is_busy(connection):
            return self._without_label("a cursor of this connection is unfinished")
        label = self._observer.label(connection)
        if label > self.history.known:
            self.history.observe(label)
        return label or self._without_label("the version check failed")

    def may_fill(self, cursor: driver.Cursor, _label: int) -> bool:
        """Whether rows read now are those of the label that `open` gave: no unfinished cursor holds an older state."""
        if self._pin or not has_unfinished_cursor(cursor.connection):
            return True
        self.reason = "a cursor of this connection is unfinished"
        return False

    def current_label(self, connection: driver.Connection) -> int:
        """The label of the last commit."""
        label = self._observer.label(connection)
        if label > self.history.known:
            self.history.observe(label)
        return label

    def _transaction_label(self, connection: driver.Connection) -> int:
        if self._writes is not None:
            return self._without_label("the transaction has written")
        if not self._pin:
            self._pin = self._take_pin(connection) if self._saw_begin else _UNLABELLED
            self._pinned_changes = connection.total_changes
        if self.unsettled:
            self._settle(connection)
        if self.obstacle:
            return self._without_label(self.obstacle)
        if self._pin == _UNLABELLED:
            return self._without_label("the transaction's snapshot has no label")
        if self._pinned_changes != connection.total_changes:
            return self._without_label("the transaction has written")
        return self._pin

    def _take_pin(self, connection: driver.Connection) -> int:
        """Fix the snapshot of a transaction that has read nothing, between two equal labels.

        A snapshot that was fixed before has no label that could still be read, so a failure is final. Reading the
        settings fixes it too, so that is done in here.
        """
        if self.unchecked:
            self.late = True
            return _UNLABELLED
        try:
            before = self.current_label(connection)
            if self.unsettled:
                self._settle(connection)
            driver.Cursor(connection).execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall()
            return before if before and before == self._observer.label(connection) else _UNLABELLED
        except driver.Error:
            return _UNLABELLED

    def _is_busy(self, connection: driver.Connection) -> bool:
        """Whether an unfinished cursor keeps an old snapshot although no transaction is open."""
        self.unchecked = self.unchecked and has_unfinished_cursor(connection)
        return self.unchecked

    def _without_label(self, reason: str) -> int:
        self.reason = reason
        return NO_LABEL

    def _begin(self, connection: driver.Connection) -> None:
        """A transaction was opened; an unfinished cursor would have fixed its snapshot already."""
        self._forget_transaction()
        self._saw_begin = True
        if self.unchecked:
            self._is_busy(connection)

    def _forget_transaction(self) -> None:
        self._pin = self._pinned_changes = 0
        self._saw_begin = False
        self._writes = None
        self._write_generation = -1
