"""A lake: the tables of one database, opened, listed, and imported from Delta logs."""

from __future__ import annotations

import difflib
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import unquote, urlsplit

from proxydb.lake import queries
from proxydb.lake.delta.segment import find_segment
from proxydb.lake.errors import NotADeltaTable, TableExists, UnknownTable
from proxydb.lake.importing import RowWriter, import_segment
from proxydb.lake.session import open_session
from proxydb.lake.setup import ensure_schema
from proxydb.lake.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from proxydb.config import Config
    from proxydb.lake.session import Session

_NEW_TABLE = "INSERT INTO dl_tables (name, location, created_at) VALUES (:name, :location, :created_at)"
_NEW_HEAD = "INSERT INTO dl_table_heads (table_id, current_version) VALUES (:table_id, :version)"


def open_lake(target: Any, *, config: Config | None = None) -> Lake:
    """Open the lake of a database, and make its tables there if they are missing.

    Parameters
    ----------
    target
        Whatever `proxydb.connect` takes (a path, ``sqlite:///…``, ``postgresql://…``, a libpq conninfo), or an open
        connection of sqlite3 or psycopg, which then stays its owner's: it is not closed, and what is written while a
        transaction is open on it becomes part of that transaction.
    config
        The options of the connection that is opened.

    Returns
    -------
    Lake
        A context manager.

    Raises
    ------
    proxydb.errors.TargetError
        `target` is none of these.
    proxydb.lake.errors.SchemaTooNew
        The lake was made by a newer proxydb.
    """
    session = open_session(target, config)
    try:
        ensure_schema(session)
    except BaseException:
        session.close()
        raise
    return Lake(session)


class Lake:
    """Table-format metadata in a SQL database; made by `proxydb.lake.open`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @property
    def connection(self) -> Any:
        """The connection underneath, to run the statements of `proxydb.lake.OPERATIONS` or others on it."""
        return self._session.connection

    @property
    def system(self) -> str:
        """``"sqlite"`` or ``"postgresql"``."""
        return self._session.system

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection, unless it was the caller's."""
        self._session.close()

    def tables(self) -> tuple[Table, ...]:
        """Every table, in the order in which they came."""
        return tuple(Table(self._session, *row) for row in self._session.rows(queries.TABLES))

    def table(self, name: str) -> Table:
        """The table of a name.

        Raises
        ------
        proxydb.lake.errors.UnknownTable
            There is none; the message lists names that are near.
        """
        if rows := self._session.rows(queries.TABLE_NAMED, name=name):
            return Table(self._session, *rows[0])
        raise UnknownTable(f"the lake has no table {name!r}{self._near(name)}")

    def _near(self, name: str) -> str:
        names = [table.name for table in self.tables()]
        if near := difflib.get_close_matches(name, names, cutoff=0.5) or names[:5]:
            return f"; there is {', '.join(map(repr, near))}"
        return "; it is empty, import_delta() fills it"

    def import_delta(
        self,
        path: str | os.PathLike[str],
        name: str | None = None,
        *,
        progress: Callable[[int, int], None] | None = None,
    ) -> Table:
        """Load the log of a Delta table, every version that its files still tell, in one transaction.

        Parameters
        ----------
        path
            The local directory that holds `_delta_log`; the data files need not be there.
        name
            The name in the lake; by default the directory's own.
        progress
            Called after each log file with the number of files done and of all files.

        Returns
        -------
        Table
            The new table.

        Raises
        ------
        proxydb.lake.errors.NotADeltaTable
            The path holds no log.
        proxydb.lake.errors.TableExists
            The name is taken.
        proxydb.lake.errors.LogError
            A file is corrupt (`CorruptLog`) or missing (`MissingCommit`); nothing was imported.
        proxydb.lake.errors.UnsupportedTable
            The table needs a newer reader; nothing was imported.
        proxydb.errors.MissingExtra
            The log has a Parquet checkpoint that is needed, and `pyarrow` is not installed.

        References
        ----------
        Delta PROTOCOL: Delta Log Entries, Checkpoints, Action Reconciliation.
        """
        directory = _local_directory(path)
        segment = find_segment(directory / "_delta_log")
        with self._session.transaction():
            table = self._new_table(name or directory.name, directory)
            writer = RowWriter(self._session, table.table_id)
            import_segment(writer, self._session.integrity_error, segment, progress or _no_progress)
            self._session.execute(_NEW_HEAD, table_id=table.table_id, version=segment.head)
        return table

    def _new_table(self, name: str, directory: Path) -> Table:
        taken = TableExists(f"the lake has a table {name!r} already: choose another name")
        if self._session.rows(queries.TABLE_NAMED, name=name):
            raise taken
        try:
            created_at = time.time_ns() // 1_000_000
            self._session.execute(_NEW_TABLE, name=name, location=str(directory), created_at=created_at)
        except self._session.integrity_error:
            raise taken from None
        return self.table(name)


def _no_progress(done: int, total: int) -> None:
    """Nobody asked."""


def _local_directory(path: str | os.PathLike[str]) -> Path:
    """The absolute directory that a path or a ``file://`` URL names."""
    text = os.fspath(path)
    scheme = urlsplit(text).scheme if "://" in text else ""
    if scheme not in ("", "file"):
        raise NotADeltaTable(f"only local directories are imported, not {scheme}:// URLs: copy the _delta_log first")
    return Path(unquote(urlsplit(text).path) if scheme else text).absolute()
