"""Kept Postgres rows: the server's own result, and the Python rows that were made of it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from proxydb.cache.rows import keep

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult

    from proxydb.cache.rows import RebuiltRows, SharedRows

_SAMPLE = 16
_CELL = 16 + 48  # libpq's entry for a cell; the object and the tuple's reference to it
_ROW = 64
_DJANGO = "django.db.backends.postgresql."
_CONTAINERS = ("psycopg.types.array", "psycopg.types.range", "psycopg.types.multirange")
_NESTING = ("Recursive", "Record", "Composite")
"""Parts of the names of loaders, or of their bases, that leave parts of a value to other loaders."""


class PostgresRows:
    """A result as the server sent it; with its rows decoded by one set of loaders, once they are asked for again.

    Description, status and type codes come from the server's result; so do the rows for a reader with other loaders.

    Parameters
    ----------
    result
        The server's result.
    query
        What psycopg remembers of the statement that was sent.
    verdict
        What the catalog said of the statement.
    """

    __slots__ = ("_decoded", "is_fresh", "query", "result", "size", "verdict")

    def __init__(self, result: PGresult, query: Any, verdict: Any) -> None:
        self.verdict = verdict
        self.result = result
        self.query = query
        self._decoded: Decoded | None = None
        self.is_fresh = True
        self.size = _size(result)

    def decode(self, cursor: Any) -> None:
        """Decode the rows as `cursor`, which has the result, would; they stay with the server's where that can be."""
        self.is_fresh = False
        self._decoded = _decoded(cursor)

    def get(self) -> Any:
        """The decoded rows."""
        assert self._decoded is not None
        return self._decoded.rows.get()

    def suit(self, cursor: Any) -> bool:
        """Whether the decoded rows are what `cursor` itself would make of the result."""
        decoded = self._decoded
        if decoded is None:
            return False
        if decoded.shared is not None and cursor._adapters._loaders[decoded.format] is decoded.shared:
            return True
        return decoded.loaders is not None and loaders_of(cursor._adapters, self.result) == decoded.loaders


class Decoded(NamedTuple):
    """The rows of a result, decoded.

    Parameters
    ----------
    rows
        The rows in the form in which they are kept.
    loaders
        The loader class of each column; none where another class of the same table may have had a part in a value.
    format
        The format of the columns: 0 for text, 1 for binary.
    shared
        psycopg's table of loaders of that format, if others share it: it is then copied before it is changed, so a
        cursor that has the very same table has the same loaders.
    """

    rows: SharedRows | RebuiltRows
    loaders: tuple[type, ...] | None
    format: int
    shared: Any


def _decoded(cursor: Any) -> Decoded | None:
    """Decode the result that a cursor has; none where the rows cannot be shared with others."""
    result, adapters = cursor.pgresult, cursor._adapters
    form = int(result.fformat(0)) if result.nfields else 0
    shared = None if adapters._own_loaders[form] else adapters._loaders[form]
    loaders = loaders_of(adapters, result)
    if loaders is None and not (shared and all(map(_is_reviewed, shared.values()))):
        return None
    try:
        rows = keep(cursor._tx.load_rows(0, result.ntuples, tuple), sized=False)
    except Exception:  # a value that cannot be loaded raises when the application fetches it
        return None
    return None if rows is None else Decoded(rows, loaders, form, shared)


def loaders_of(adapters: Any, result: Any) -> tuple[type, ...] | None:
    """The loader class of each column; none when one's work depends on more than the value and the session's settings.

    The settings are part of the key. Other loaders, which arrays and records leave their parts to, are not.
    """
    formats = [result.fformat(column) for column in range(result.nfields)]
    found = tuple(
        adapters.get_loader(result.ftype(column), form) or adapters.get_loader(0, form)
        for column, form in enumerate(formats)
    )
    return found if all(map(_stands_alone, found)) else None


def _stands_alone(loader: type) -> bool:
    """Whether a loader makes a value by itself: it is psycopg's and named as such, and so are its bases."""
    if loader.__module__.startswith(_DJANGO):
        return True  # a class for each time zone
    names = [base.__name__ for base in loader.__mro__]
    return _is_psycopgs(loader) and not any(part in name for name in names for part in _NESTING)


def _is_reviewed(loader: type) -> bool:
    """Whether a loader has no function of the application's in it, as those of JSON, enums and composites may."""
    return loader.__module__.startswith((_DJANGO, *_CONTAINERS)) or _is_psycopgs(loader)


def _is_psycopgs(loader: type) -> bool:
    """Whether a loader is a class that psycopg defines, rather than one that it made for the application."""
    module = loader.__module__
    return module.startswith("psycopg") and getattr(sys.modules.get(module), loader.__name__, None) is loader


def _size(result: PGresult) -> int:
    """Bytes that a result takes twice, told from a sample of its rows: as libpq has it, and as Python objects."""
    rows, columns = result.ntuples, result.nfields
    sample = range(0, rows, max(1, rows // _SAMPLE))
    values = [result.get_value(row, column) for row in sample for column in range(columns)]
    text = sum(map(len, filter(None, values)))
    return 2 * text * rows // max(1, len(sample)) + rows * columns * _CELL + rows * _ROW
