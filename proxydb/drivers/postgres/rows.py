"""Kept Postgres rows: the server's own result, and the Python rows that were made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from proxydb.cache.rows import keep

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult

    from proxydb.cache.rows import RebuiltRows, SharedRows


class PostgresRows:
    """A result as the server sent it, with its rows decoded by one set of loaders.

    Description, status and type codes come from the server's result; so do the rows for a reader with other loaders.

    Parameters
    ----------
    result
        The server's result.
    decoded
        The rows, and what they were decoded by; none when they must be decoded anew for each reader.
    query
        What psycopg remembers of the statement that was sent.
    verdict
        What the catalog said of the statement.
    """

    __slots__ = ("_decoded", "query", "result", "size", "verdict")

    def __init__(self, result: PGresult, decoded: Decoded | None, query: Any, verdict: Any) -> None:
        self.verdict = verdict
        self.result = result
        self.query = query
        self._decoded = decoded
        self.size = _result_size(result) + (decoded.rows.size if decoded is not None else 0)

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


def decode(cursor: Any) -> Decoded | None:
    """Decode the result that a cursor has; none where the rows cannot be shared with others."""
    result, adapters = cursor.pgresult, cursor._adapters
    loaders = loaders_of(adapters, result)
    if loaders is None:
        return None
    try:
        rows = keep(cursor._tx.load_rows(0, result.ntuples, tuple))
    except Exception:  # a value that cannot be loaded raises when the application fetches it
        return None
    column_format = int(result.fformat(0)) if result.nfields else 0
    shared = None if adapters._own_loaders[column_format] else adapters._loaders[column_format]
    return None if rows is None else Decoded(rows, loaders, column_format, shared)


def loaders_of(adapters: Any, result: Any) -> tuple[type, ...] | None:
    """The loader class of each column; none when one is the application's own, whose work may depend on anything."""
    formats = [result.fformat(column) for column in range(result.nfields)]
    found = tuple(
        adapters.get_loader(result.ftype(column), form) or adapters.get_loader(0, form)
        for column, form in enumerate(formats)
    )
    return found if all(loader.__module__.startswith("psycopg") for loader in found) else None


def _result_size(result: PGresult) -> int:
    """Bytes that libpq keeps for a result: sixteen for each cell, and the text of a sample of its rows."""
    rows, columns = result.ntuples, result.nfields
    step = max(1, rows // 64)
    sample = [len(result.get_value(row, column) or b"") for row in range(0, rows, step) for column in range(columns)]
    text = sum(sample) * rows // max(1, len(range(0, rows, step)))
    return rows * columns * 16 + text
