"""The errors of the lake pack, each a subclass of the PEP 249 class that callers already catch.

::

    DataError
     ├── LogError                 the log on disk is not a valid Delta log; has .file and .line
     │    ├── CorruptLog          a line, a field or a checkpoint cannot be read
     │    └── MissingCommit       a file that the log needs is not there
     └── InvalidAction            an action that was given to commit() breaks the Delta protocol
    OperationalError
     └── CommitConflict           others have committed in between; has .winner and .head
          ├── ConcurrentAppend            they added files that the commit should have read
          ├── ConcurrentDeleteRead        they removed files that the commit has read
          ├── ConcurrentDeleteDelete      they removed files that the commit removes too
          ├── ConcurrentTransaction       they recorded a transaction of the same application
          ├── DomainMetadataChanged       they changed the same domain
          ├── MetadataChanged             they changed the schema or the properties
          └── ProtocolChanged             they changed the protocol
    NotSupportedError
     ├── UnsupportedTable         the table asks for a reader version or feature that is not known here
     └── SchemaTooNew             the database was set up by a newer proxydb
    ProgrammingError
     ├── NotADeltaTable           the path holds no _delta_log
     ├── LogExists                the path holds a _delta_log already
     ├── TableExists              the name is taken
     ├── UnknownTable             no table has the name
     ├── UnknownVersion           the table has no such version
     └── PredicateError           a predicate cannot be parsed, or names a column that the table does not have
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxydb.errors import DataError, NotSupportedError, OperationalError, ProgrammingError

if TYPE_CHECKING:
    from pathlib import Path


class LogError(DataError):
    """A Delta log that cannot be imported; nothing of it was.

    Parameters
    ----------
    file
        The log file at fault.
    problem
        What is wrong with it and how to get on.
    line
        The line at fault, counted from 1; None when the whole file is meant.
    """

    def __init__(self, file: Path, problem: str, line: int | None = None) -> None:
        super().__init__(f"{file}{'' if line is None else f', line {line}'}: {problem}")
        self.file = file
        self.line = line


class CorruptLog(LogError):
    """A line, a field or a checkpoint of the log cannot be read."""


class MissingCommit(LogError):
    """A file that the log needs is not there."""


class InvalidAction(DataError):
    """An action that was given to a commit breaks the Delta protocol; nothing was committed."""


class CommitConflict(OperationalError):
    """Others have committed in between; nothing was committed.

    Parameters
    ----------
    problem
        What happened and how to get on.
    winner
        The version that was committed instead, or that the conflict is with.
    head
        The newest version.
    """

    def __init__(self, problem: str, winner: int, head: int) -> None:
        super().__init__(problem)
        self.winner = winner
        self.head = head


class ConcurrentAppend(CommitConflict):
    """A version in between added files that the commit should have read."""


class ConcurrentDeleteRead(CommitConflict):
    """A version in between removed files that the commit has read."""


class ConcurrentDeleteDelete(CommitConflict):
    """A version in between removed files that the commit removes too."""


class ConcurrentTransaction(CommitConflict):
    """A version in between recorded a transaction of an application that the commit has read or records."""


class DomainMetadataChanged(CommitConflict):
    """A version in between changed a metadata domain that the commit changes too."""


class MetadataChanged(CommitConflict):
    """A version in between changed the schema, the partition columns or the properties."""


class ProtocolChanged(CommitConflict):
    """A version in between changed what the table asks of readers and writers."""


class UnsupportedTable(NotSupportedError):
    """The table asks for a reader version or a reader feature that is not known here."""


class SchemaTooNew(NotSupportedError):
    """The lake tables of the database were made by a newer proxydb."""


class NotADeltaTable(ProgrammingError):
    """The path holds no Delta log."""


class LogExists(ProgrammingError, FileExistsError):
    """The path holds a Delta log already; it was not touched."""


class TableExists(ProgrammingError):
    """A table of the lake has the name already."""


class UnknownTable(ProgrammingError, LookupError):
    """No table of the lake has the name."""


class UnknownVersion(ProgrammingError, LookupError):
    """The table has no such version."""


class PredicateError(ProgrammingError, ValueError):
    """A predicate cannot be parsed, or names a column that the table does not have."""
