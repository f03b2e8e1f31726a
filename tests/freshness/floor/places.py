"""The database that is written and read: its tables, and how each driver opens it. Nothing here knows proxydb."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

ROWS = 1500
"""Rows of a group: enough that a sum over them is worth keeping."""

SCHEMA = (
    "CREATE TABLE item (id integer PRIMARY KEY, grp integer NOT NULL, x bigint NOT NULL)",
    "CREATE TABLE aside (id integer PRIMARY KEY, grp integer NOT NULL, x bigint NOT NULL)",
    "CREATE TABLE ledger (grp integer PRIMARY KEY, total bigint NOT NULL)",
)


@dataclass(frozen=True)
class Place:
    """A database for the floor.

    Parameters
    ----------
    system
        ``"sqlite"`` or ``"postgresql"``.
    target
        A path or a conninfo.
    foreign, own
        How many groups are written by other processes (in `item`), and how many through the proxy (in `aside`).
    isolation
        Postgres: ``"READ COMMITTED"`` or ``"REPEATABLE READ"``.
    """

    system: str
    target: str
    foreign: int = 1
    own: int = 0
    isolation: str = "READ COMMITTED"

    @property
    def is_sqlite(self) -> bool:
        return self.system == "sqlite"

    @property
    def groups(self) -> range:
        """The groups of rows; those written by other processes come first."""
        return range(self.foreign + self.own)

    @property
    def has_snapshots(self) -> bool:
        """Whether all reads of one transaction see one state."""
        return self.is_sqlite or self.isolation != "READ COMMITTED"

    def table(self, group: int) -> str:
        """Where the rows of a group are."""
        return "item" if group < self.foreign else "aside"

    def sql(self, text: str) -> str:
        """`text`, whose placeholders are question marks, with those of the driver."""
        return text if self.is_sqlite else text.replace("?", "%s")

    def connect(self) -> Any:
        """A connection of the raw driver."""
        if self.is_sqlite:
            import sqlite3

            return sqlite3.connect(self.target, timeout=60, isolation_level=None)
        import psycopg

        return psycopg.connect(self.target)

    def make(self) -> None:
        """Make the tables, with equal numbers of rows for each group."""
        connection = self.connect()
        for statement in SCHEMA:
            connection.execute(statement)
        self.begin(connection)
        self._fill(connection.cursor())
        connection.commit()
        connection.close()

    def _fill(self, cursor: Any) -> None:
        for group in self.groups:
            rows = [(group * ROWS + row, group) for row in range(ROWS)]
            cursor.executemany(self.sql(f"INSERT INTO {self.table(group)} VALUES (?, ?, 0)"), rows)
            cursor.execute(self.sql("INSERT INTO ledger VALUES (?, 0)"), (group,))

    def begin(self, connection: Any) -> None:
        """Begin a writing transaction where the driver does not do so by itself."""
        if self.is_sqlite:
            connection.execute("BEGIN IMMEDIATE")
