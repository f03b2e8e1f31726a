"""The errors of the lake pack, each a subclass of the PEP 249 class that callers already catch.

::

    DataError
     └── LogError                 the log on disk is not a valid Delta log; has .file and .line
          ├── CorruptLog          a line, a field or a checkpoint cannot be read
          └── MissingCommit       a file that the log needs is not there
    NotSupportedError
     ├── UnsupportedTable         the table asks for a reader version or feature that is not known here
     └── SchemaTooNew             the database was set up by a newer proxydb
    ProgrammingError
     ├── NotADeltaTable           the path holds no _delta_log
     ├── TableExists              the name is taken
     ├── UnknownTable             no table has the name
     └── UnknownVersion           the table has no such version
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxydb.errors import DataError, NotSupportedError, ProgrammingError

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


class UnsupportedTable(NotSupportedError):
    """The table asks for a reader version or a reader feature that is not known here."""


class SchemaTooNew(NotSupportedError):
    """The lake tables of the database were made by a newer proxydb."""


class NotADeltaTable(ProgrammingError):
    """The path holds no Delta log."""


class TableExists(ProgrammingError):
    """A table of the lake has the name already."""


class UnknownTable(ProgrammingError, LookupError):
    """No table of the lake has the name."""


class UnknownVersion(ProgrammingError, LookupError):
    """The table has no such version."""
