"""A lake: the tables of one database, opened, listed, and imported from Delta logs."""

from __future__ import annotations

import difflib
import os
import time
from typing import TYPE_CHECKING, Any, Self

from proxydb.lake import queries
from proxydb.lake.commit import write_first
from proxydb.lake.delta.location import local_directory
from proxydb.lake.delta.segment import find_segment
from proxydb.lake.errors import InvalidAction, TableExists, UnknownTable
from proxydb.lake.exporting import export_log
from proxydb.lake.importing import RowWriter, import_segment
from proxydb.lake.kept_views import create_views, drop_views
from proxydb.lake.prepared import prepare
from proxydb.lake.reports import TableEntry, TableTotals
from proxydb.lake.session import open_session
from proxydb.lake.setup import ensure_schema
from proxydb.lake.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path
    from types import TracebackType

    from proxydb.config import Config
    from proxydb.lake.commit import Commit
    from proxydb.lake.conflicts import Isolation, Reads
    from proxydb.lake.prepared import Action
    from proxydb.lake.session import Session
    from proxydb.lake.setup import Indexes
    from proxydb.lake.views import Promoted


def open_lake(target: Any, *, config: Config | None = None, indexes: Indexes | None = None) -> Lake:
    """Open the lake of a database; its tables are made there if they are missing, and older ones brought up to date.

    Parameters
    ----------
    target
        Whatever `proxydb.connect` takes (a path, ``sqlite:///…``, ``postgresql://…``, a libpq conninfo), or an open
        connection of sqlite3 or psycopg, which then stays its owner's: it is not closed, and what is written while a
        transaction is open on it becomes part of that transaction.
    config
        The options of the connection that is opened.
    indexes
        ``"hand"`` makes the indexes that the lake's own statements gain from, ``"none"`` drops them again; None leaves
        things as they are.

    Returns
    -------
    Lake
        A context manager.

    Raises
    ------
    proxydb.errors.TargetError
        `target` is none of these.
    proxydb.errors.ConfigError
        `indexes` is none of these.
    proxydb.lake.errors.SchemaTooNew
        The lake was made by a newer proxydb.
    """
    session = open_session(target, config)
    try:
        ensure_schema(session, indexes)
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

    def listing(self, limit: int = 200) -> tuple[TableEntry, ...]:
        """The first `limit` tables by name, each with its newest commit."""
        return tuple(TableEntry(*row) for row in self._session.rows(queries.LISTING_LIMITED, limit=limit))

    def fleet(self, limit: int = 20) -> tuple[TableTotals, ...]:
        """The `limit` tables with the most active bytes, the largest first."""
        return tuple(TableTotals(*row) for row in self._session.rows(queries.FLEET_LIMITED, limit=limit))

    def create_table(self, name: str, location: str | os.PathLike[str], actions: Iterable[Action]) -> Table:
        """Make a table whose version 0 holds `actions`.

        Parameters
        ----------
        name
            Its name in the lake.
        location
            Where its data files lie or will lie; not looked at.
        actions
            Among them have to be `protocol` and `metaData`; see `commit`.

        Raises
        ------
        proxydb.lake.errors.TableExists
            The name is taken.
        proxydb.lake.errors.InvalidAction
            An action breaks the Delta protocol, or one of the two is missing.
        """
        commit = prepare(actions)
        for kind, table in (("protocol", "dl_protocol_updates"), ("metaData", "dl_metadata_updates")):
            if table not in commit.rows:
                raise InvalidAction(f"version 0 of a table has to hold a {kind!r} action")
        with self._session.transaction():
            made = self._new_table(name, os.fspath(location))
            write_first(made, commit)
        return made

    def commit(self, table: Table | str, actions: Iterable[Action], expected_version: int) -> Commit:
        """Commit the version right after `expected_version`, in one database transaction.

        Parameters
        ----------
        table
            The table or its name.
        actions
            Actions in the JSON form of the Delta protocol, such as ``{"add": {"path": …, "size": …}}``: ``add``,
            ``remove``, ``cdc``, ``metaData``, ``protocol``, ``txn``, ``domainMetadata``, ``commitInfo``. The commit's
            time is that of `commitInfo`, else now.
        expected_version
            The newest version that the actions were computed from.

        Returns
        -------
        Commit
            The new version. A commit with ``txn`` actions whose versions were recorded before is not made again: it
            gives the version that recorded them, whatever `expected_version` is.

        Raises
        ------
        proxydb.lake.errors.CommitConflict
            Somebody else has committed first; `.winner` is the version that has the place, `.head` the newest.
        proxydb.lake.errors.InvalidAction
            An action breaks the Delta protocol.

        References
        ----------
        Delta PROTOCOL: Delta Log Entries (mutual exclusion), Actions, Transaction Identifiers.
        """
        return self._table(table).commit(actions, expected_version)

    def commit_rebased(
        self,
        table: Table | str,
        actions: Iterable[Action],
        read_version: int,
        *,
        reads: Reads | None = None,
        isolation: Isolation | None = None,
    ) -> Commit:
        """Commit on top of whatever was committed since `read_version`, unless that conflicts.

        The head is held while the versions in between are checked, so the commit is made in one go and never has to
        be tried again.

        Parameters
        ----------
        table, actions
            As for `commit`.
        read_version
            The version that the actions were computed from.
        reads
            What they were computed from; by default nothing, as for an append.
        isolation
            ``"serializable"``, ``"write_serializable"`` (blind appends in between count as if they came later) or
            ``"snapshot"``; by default the table's property `delta.isolationLevel`, else ``"write_serializable"``. A
            commit that changes no data needs no more than a snapshot.

        Raises
        ------
        proxydb.lake.errors.CommitConflict
            A subclass that says what the conflict is; `.winner` is the version that it is with.
        """
        return self._table(table).commit_rebased(actions, read_version, reads=reads, isolation=isolation)

    def _table(self, table: Table | str) -> Table:
        return self.table(table) if isinstance(table, str) else table

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
        directory = local_directory(path)
        segment = find_segment(directory / "_delta_log")
        with self._session.transaction():
            table = self._new_table(name or directory.name, str(directory))
            writer = RowWriter(self._session, table.table_id)
            import_segment(writer, self._session.integrity_error, segment, progress or _no_progress)
            self._session.execute(queries.NEW_HEAD, table_id=table.table_id, version=segment.head)
        return table

    def export_delta(
        self,
        table: Table | str,
        path: str | os.PathLike[str],
        *,
        progress: Callable[[int, int], None] | None = None,
    ) -> Path:
        """Write the history of a table as a Delta log, every version that the lake has, or nothing.

        Paths of files are written as the lake has them, so a log with relative paths belongs into the directory that
        holds the data files. A history that starts with a checkpoint starts with one again.

        Parameters
        ----------
        table
            The table or its name.
        path
            The local directory in which `_delta_log` is made; made itself if it is missing.
        progress
            Called after each version with the number of versions done and of all versions.

        Returns
        -------
        Path
            The directory.

        Raises
        ------
        proxydb.lake.errors.LogExists
            The directory holds a log already.
        proxydb.lake.errors.UnsupportedTable
            The table was imported by an older proxydb that kept too little of its deletion vectors.
        proxydb.errors.MissingExtra
            The history starts with a checkpoint, and `pyarrow` is not installed.

        References
        ----------
        Delta PROTOCOL: Delta Log Entries, Checkpoints.
        """
        directory = local_directory(path)
        export_log(self._session, self._table(table).table_id, directory, progress or _no_progress)
        return directory

    def create_views(self, promoted: Sequence[Promoted] = ()) -> tuple[str, ...]:
        """Let the database keep what is asked most as views, exactly, whoever writes; each commit takes longer then.

        Those that are there already stay. The hand-made indexes are made too.

        Parameters
        ----------
        promoted
            Columns that `active_files` has besides those of the log.

        Returns
        -------
        tuple of str
            The names of the views; the reference lists their columns.

        Raises
        ------
        proxydb.errors.ProgrammingError
            A transaction is open, or the views were made with other promoted columns.
        proxydb.errors.NotSupportedError
            The database cannot keep them; nothing is left behind.
        proxydb.errors.TargetError
            The lake was opened on a connection that is not proxydb's.
        """
        return create_views(self._session, promoted)

    def drop_views(self) -> None:
        """Remove the views that `create_views` makes, those that are there."""
        drop_views(self._session)

    def _new_table(self, name: str, location: str) -> Table:
        taken = TableExists(f"the lake has a table {name!r} already: choose another name")
        if self._session.rows(queries.TABLE_NAMED, name=name):
            raise taken
        try:
            created_at = time.time_ns() // 1_000_000
            self._session.execute(queries.NEW_TABLE, name=name, location=location, created_at=created_at)
        except self._session.integrity_error:
            raise taken from None
        return self.table(name)


def _no_progress(done: int, total: int) -> None:
    """Nobody asked."""
