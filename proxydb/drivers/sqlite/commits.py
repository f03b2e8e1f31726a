"""What the writes of a SQLite connection leave standing: each commit of its own is explained by what it wrote.

The rules are those of `docs/explanation/freshness.md`; each method names the one that it keeps.
"""

from __future__ import annotations

import sqlite3 as driver
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from proxydb.drivers.base import EVERYTHING
from proxydb.drivers.sqlite.activity import has_unfinished_cursor, standing_in
from proxydb.drivers.sqlite.snapshots import Snapshots

if TYPE_CHECKING:
    from proxydb.drivers.base import Analysis
    from proxydb.drivers.sqlite.private import PrivateObserver
    from proxydb.drivers.sqlite.sentinel import Sentinel

_EXCLUSIVE_PRAGMAS: Final = ("journal_mode", "locking_mode")


class Step(NamedTuple):
    """What was seen before a commit: the own version, the label, the plans' generation, and the rows changed so far."""

    version: int
    label: int
    generation: int
    changes: int


class Commits(Snapshots):
    """The commits of one connection.

    Parameters
    ----------
    entries
        The results that are kept: while there are none, no commit needs to be explained.
    connection, observer, detect_types, private
        As for `Snapshots`.
    """

    __slots__ = ("_entries", "_last", "_standing", "_unfinished_write", "_version")

    def __init__(
        self,
        connection: driver.Connection,
        observer: Sentinel | PrivateObserver,
        entries: Any,
        detect_types: int,
        private: str,
    ) -> None:
        super().__init__(connection, observer, detect_types, private)
        self._entries = entries
        self._unfinished_write = False
        self._version: int | None = None
        self._last: Step | None = None
        self._standing: driver.Cursor | None = None

    def before_write(self, connection: driver.Connection) -> Step | None:
        """Look at the database before a statement that writes, if it commits by itself."""
        if connection.in_transaction:
            return None
        self._forget_transaction()
        self._get_ready(connection)
        return self._step(connection) if self._commits_each(connection) else None

    def after_write(self, cursor: driver.Cursor, before: Step | None, analysis: Analysis, generation: int) -> None:
        """Take note of what a statement wrote: it commits with its transaction, or has committed by itself.

        One that returns rows commits when the last of them is fetched.
        """
        writes = self._known_writes(analysis, generation)
        if cursor.connection.in_transaction:
            self._add_writes(writes, generation)
        elif before is not None:
            self._explain(cursor.connection, before, writes)
        if cursor.description is not None:
            self._unfinished_write = self.unchecked = True
            self._last = None

    def write_failed(self, connection: driver.Connection, analysis: Analysis, generation: int) -> None:
        """A writing statement raised: a part of its writes may stand, or its transaction may be over."""
        if connection.in_transaction:
            self._add_writes(self._known_writes(analysis, generation), generation)
        else:
            self._forget_transaction()
            self._last = None

    def before_control(self, connection: driver.Connection) -> tuple[bool, Step | None]:
        """Look at the database before a statement that may end a transaction."""
        if not connection.in_transaction:
            self._get_ready(connection)
            return False, None
        return True, self._step(connection) if self._writes is not None else None

    def after_control(self, connection: driver.Connection, before: tuple[bool, Step | None]) -> None:
        """Take note of a transaction that began, or that ended and committed at most what it had written."""
        was_open, step = before
        is_open = connection.in_transaction
        if was_open and not is_open:
            if step is not None and self._writes is not None and step.generation == self._write_generation:
                self._explain(connection, step, self._writes)
            else:
                self._last = None
            self._forget_transaction()
        elif is_open and not was_open:
            self._begin(connection)

    def after_method(self, connection: driver.Connection, before: tuple[bool, Step | None]) -> None:
        """Take note of a method that ended the transaction, whereafter the driver may have opened the next at once."""
        self.after_control(connection, before)
        if connection.in_transaction:
            self._last = None  # what the method committed is not explained
            self._begin(connection)

    def before_unknown(self, plan: Any, connection: driver.Connection, cursor: driver.Cursor | None) -> None:
        """Let go of the file before a statement that needs it for itself, and for as long as it does.

        A statement that cursors would keep from running is kept from it by those whose rows are in memory as well.
        """
        self._standing = standing_in(connection, cursor)
        if plan.first == "pragma" and any(word in plan.form for word in _EXCLUSIVE_PRAGMAS):
            self._observer.release()
        if plan.first == "pragma" and "locking_mode" in plan.form and "=" in plan.form:
            self.hinder("locking_mode", "" if "normal" in plan.form else "the connection has the file to itself")

    def before_script(self, script: str) -> None:
        """The same, before statements one of which may be such a one."""
        said = script.lower()
        if any(word in said for word in _EXCLUSIVE_PRAGMAS):
            self._observer.release()
        if "locking_mode" in said:
            self.hinder("locking_mode", "the connection may have the file to itself")

    def after_unknown(self, connection: driver.Connection) -> None:
        """Take note of a statement that may have done anything."""
        if self._standing is not None:
            self._standing.close()
            self._standing = None
        self.unsettled = self.unchecked = self._unfinished_write = True
        self._last = None
        self._forget_transaction()
        if connection.in_transaction:
            self._writes = EVERYTHING

    def _add_writes(self, writes: frozenset[str], generation: int) -> None:
        """They commit together, and are explained only if the schema stood from the first of them to the commit."""
        if self._writes is None:
            self._writes, self._write_generation = writes, generation
        elif writes is EVERYTHING or self._writes is EVERYTHING:
            self._writes = EVERYTHING
        else:
            self._writes |= writes

    def _commits_each(self, connection: driver.Connection) -> bool:
        """Whether a writing statement commits by itself: no transaction is opened for it by the driver."""
        return connection.isolation_level is None or getattr(connection, "autocommit", None) is True

    def _known_writes(self, analysis: Analysis, generation: int) -> frozenset[str]:
        if self.unsettled or self.obstacle or generation != self.history.generation:
            return EVERYTHING
        if not self.functions.isdisjoint(analysis.functions):
            return EVERYTHING
        return analysis.writes

    def _step(self, connection: driver.Connection) -> Step | None:
        """What the database looks like before a commit; none when the commit need not, or cannot, be explained.

        An unfinished writing cursor commits at any time, so nothing can be explained while there is one. The own
        version need not be read anew: an older one can only show more commits of others. Nor need the label, if this
        connection's commits were explained up to `_last`: should others have committed since, the own version will
        show it after the commit.
        """
        if not self._entries.fills or self.private or self.unsettled or self.obstacle:
            self._last = None
            return None
        if self._unfinished_write:
            if has_unfinished_cursor(connection):
                return None
            self._unfinished_write = False
        if self._version is None:
            return None
        if self._last is not None and self._last.generation == self.history.generation:
            return self._last
        label = self.current_label(connection)
        return Step(self._version, label, self.history.generation, 0) if label else None

    def _get_ready(self, connection: driver.Connection) -> None:
        """Ask what a commit's explanation needs, while no transaction is open: in one, to ask could take a lock."""
        if self._last is not None and self._last.changes != connection.total_changes:
            self._last = None  # rows were changed in a way that was not seen
        if self.private or not self._entries.fills or connection.text_factory is not str:
            return
        if self.unsettled:
            self._settle(connection)
        if self._version is None:
            self._version = self._own_version(connection)

    def _explain(self, connection: driver.Connection, before: Step, writes: frozenset[str]) -> None:
        """Explain the way from the label before to the label now by `writes`, if nobody else committed in between.

        To the connection's own `data_version` its own commits do not show, those of others do: but not while an
        unfinished cursor keeps the connection's snapshot.
        """
        busy = self._is_busy(connection)
        label = self._observer.label(connection)
        self._version = self._own_version(connection)
        self._last = None
        if busy or label <= before.label or self._version != before.version:
            return
        if before.generation == self.history.generation:
            self.history.record(before.label, label, writes)
            self._last = Step(before.version, label, before.generation, connection.total_changes)

    @staticmethod
    def _own_version(connection: driver.Connection) -> int | None:
        try:
            return int(driver.Cursor(connection).execute("PRAGMA data_version").fetchone()[0])
        except driver.Error:
            return None
