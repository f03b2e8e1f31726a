"""Kept Postgres rows: the server's own result, and the Python rows that were made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from proxydb.cache.rows import keep

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult

    from proxydb.cache.rows import RebuiltRows, SharedRows

_SAMPLE = 32
_CELL = 16 + 48  # libpq's entry for a cell; the object and the tuple's reference to it
_ROW = 64
_REVIEWED = ("psycopg", "django.db.backends.postgresql.")
"""Where loaders come from that depend on the value and on the session's settings, which are part of the key."""


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
        shared = decoded.shared is not None and cursor._adapters._loaders[decoded.format] is decoded.shared
        return shared or loaders_of(cursor._adapters, self.result) == decoded.loaders


class Decoded(NamedTuple):
    """The rows of a result, decoded.

    Parameters
    ----------
    rows
        The rows in the form in which they are kept.
    loaders
        The loader class of each column.
    format
        The format of the columns: 0 for text, 1 for binary.
    shared
        psycopg's table of loaders of that format, if others share it: it is then copied before it is changed, so a
        cursor that has the very same table has the same loaders.
    """

    rows: SharedRows | RebuiltRows
    loaders: tuple[type, ...]
    format: int
    shared: Any


def _decoded(cursor: Any) -> Decoded | None:
    """Decode the result that a cursor has; none where the rows cannot be shared with others."""
    result, adapters = cursor.pgresult, cursor._adapters
    loaders = loaders_of(adapters, result)
    if loaders is None:
        return None
    try:
        rows = keep(cursor._tx.load_rows(0, result.ntuples, tuple), sized=False)
    except Exception:  # a value that cannot be loaded raises when the application fetches it
        return None
    column_format = int(result.fformat(0)) if result.nfields else 0
    shared = None if adapters._own_loaders[column_format] else adapters._loaders[column_format]
    return None if rows is None else Decoded(rows, loaders, column_format, shared)


def loaders_of(adapters: Any, result: Any) -> tuple[type, ...] | None:
    """The loader class of each column; none when one is the application's own, whose work may depend on anything.

    Django's loader of timestamps, a class for each time zone, is reviewed like psycopg's: it names the zone.
    """
    formats = [result.fformat(column) for column in range(result.nfields)]
    found = tuple(
        adapters.get_loader(result.ftype(column), form) or adapters.get_loader(0, form)
        for column, form in enumerate(formats)
    )
    return found if all(loader.__module__.startswith(_REVIEWED) for loader in found) else None


def _size(result: PGresult) -> int:
    """Bytes that a result takes twice, told from a sample of its rows: as libpq has it, and as Python objects."""
    rows, columns = result.ntuples, result.nfields
    sample = range(0, rows, max(1, rows // _SAMPLE))
    text = sum(len(result.get_value(row, column) or b"") for row in sample for column in range(columns))
    return 2 * text * rows // max(1, len(sample)) + rows * columns * _CELL + rows * _ROW
