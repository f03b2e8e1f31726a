"""The errors that proxydb itself raises; the drivers' own exceptions pass through untouched.

The tree has the shape of PEP 249, so `except proxydb.errors.Error` catches all of it::

    Exception
     ├── Warning
     └── Error
          ├── InterfaceError
          │    ├── TargetError              what was given to connect() names no database
          │    └── MissingExtra             an optional dependency is not installed
          └── DatabaseError
               ├── DataError
               ├── OperationalError
               ├── IntegrityError
               ├── InternalError
               ├── ProgrammingError
               │    ├── ConfigError         an option has a value that does not exist
               │    └── lake.*              see proxydb.lake.errors
               └── NotSupportedError
"""

from __future__ import annotations


class Warning(Exception):
    """Important warnings, as PEP 249 defines them."""


class Error(Exception):
    """The base of every error that proxydb raises."""


class InterfaceError(Error):
    """proxydb was used wrongly; the database was not asked."""


class DatabaseError(Error):
    """Something about the database or its contents."""


class DataError(DatabaseError):
    """The data that was processed is not what it has to be."""


class OperationalError(DatabaseError):
    """The database could not do its work."""


class IntegrityError(DatabaseError):
    """The relational integrity of the data is affected."""


class InternalError(DatabaseError):
    """The database ran into an error of its own."""


class ProgrammingError(DatabaseError):
    """The program asked for something that does not exist or makes no sense."""


class NotSupportedError(DatabaseError):
    """The database has no such feature."""


class TargetError(InterfaceError, ValueError):
    """A connection target that names neither a SQLite file nor a Postgres server."""


class MissingExtra(InterfaceError, ImportError):
    """An optional dependency is needed; the message names the extra that installs it."""

    @classmethod
    def named(cls, extra: str, purpose: str) -> MissingExtra:
        """The error that says how `purpose` is made to work: ``pip install 'proxydb[extra]'``."""
        return cls(f"{purpose} needs an optional dependency: pip install 'proxydb[{extra}]'")


class ConfigError(ProgrammingError, ValueError):
    """An option of `proxydb.Config` or a PROXYDB_* variable with a value that is not one of its own."""
