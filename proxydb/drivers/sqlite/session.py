"""What the executor asks a SQLite connection: may a read be answered from memory, and may its rows be kept.

The rules are those of `docs/explanation/freshness.md`; each method names the one that it keeps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proxydb.drivers.base import Filled
from proxydb.drivers.sqlite.commits import Commits
from proxydb.drivers.sqlite.sentinel import NO_LABEL

if TYPE_CHECKING:
    import sqlite3 as driver
    from collections.abc import Sequence

    from proxydb.drivers.sqlite.private import PrivateObserver
    from proxydb.drivers.sqlite.sentinel import Sentinel


def shape_of(description: Sequence[Sequence[Any]]) -> str:
    """A statement without rows, and without tables, whose columns have the names of `description`.

    Run in the place of a statement that is answered from memory, it gives the cursor the driver's own description, and
    raises what the driver raises for a closed connection or in a foreign thread.
    """
    columns = (f'NULL AS "{name}"' for name in (column[0].replace('"', '""') for column in description))
    return f"SELECT {', '.join(columns)} WHERE 0"


class SqliteSession(Commits):
    """The state of one connection that decides what it may be served, and what its writes leave standing.

    Parameters
    ----------
    connection
        The connection, which owns the session.
    observer
        Labels the states of the database.
    entries
        The results that are kept.
    detect_types
        The connection's own option of that name.
    private
        Why nothing may be served on this connection; empty when it may.
    """

    __slots__ = ()

    def __init__(
        self,
        connection: driver.Connection,
        observer: Sentinel | PrivateObserver,
        entries: Any,
        detect_types: int = 0,
        private: str = "",
    ) -> None:
        super().__init__(connection, observer, entries, detect_types, private)

    def confirms(self, entry: Any, label: int, _cursor: driver.Cursor) -> bool:
        """Whether what was read at the entry's label is what a read at `label` would give."""
        if entry.label == label:
            return label >= self.history.floor
        return self.history.holds(entry.label, entry.reads, label)

    def explain(self, plan: Any, cursor: driver.Cursor, parameters: Any) -> tuple[frozenset[str], str]:
        """What a read reads, and why it would not be kept on this connection; empty when it would."""
        ready = self.open(cursor) and self.key(plan, cursor, parameters)
        return plan.analysis.reads, "" if ready else self.reason

    def serve(self, cursor: Any, plan: Any, rows: Any) -> bool:
        """Let `cursor` give the kept rows; false when this text's own column names have not been seen yet."""
        shape = plan.shapes.get(self._settings)
        if shape is None:
            return False
        cursor._serve(shape, rows.get())
        return True

    def fill(self, cursor: Any, plan: Any, sql: str, parameters: Any, label: int, largest: int) -> Filled:
        """Run the statement and fetch its rows.

        The label was read before the rows; only if it still stands after them is it theirs.
        """
        connection = cursor.connection
        changes, settings = connection.total_changes, self._settings
        self.unchecked = True  # before: an interruption leaves the cursor unfinished
        rows, cost = cursor._fetch(sql, parameters, largest)
        if rows is None:
            return Filled(None, NO_LABEL, cost)
        plan.shapes[settings] = shape_of(cursor.description)
        undisturbed = changes == connection.total_changes and connection.in_transaction == bool(self._pin)
        same = self._pin == label or self._observer.label(connection) == label
        return Filled(rows, label if same and undisturbed else NO_LABEL, cost)
