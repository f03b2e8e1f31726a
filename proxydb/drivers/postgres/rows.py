"""Kept Postgres rows: the server's own result, and the Python rows that were made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proxydb.cache.rows import keep

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult


class PostgresRows:
    """A result as the server sent it, with its rows decoded by one set of loaders.

    Description, status and type codes come from the server's result; so do the rows for a reader with other loaders.

    Parameters
    ----------
    result
        The server's result.
    loaders
        The loader classes of its columns, by which the rows were decoded; none when they must be decoded anew.
    rows
        The decoded rows in the form in which they are kept; none likewise.
    query
        What psycopg remembers of the statement that was sent.
    verdict
        What the catalog said of the statement.
    """

    __slots__ = ("_rows", "loaders", "query", "result", "size", "verdict")

    def __init__(self, result: PGresult, loaders: Any, rows: Any, query: Any, verdict: Any) -> None:
        self.verdict = verdict
        self.result = result
        self.loaders = None if rows is None else loaders
        self.query = query
        self._rows = rows
        self.size = _result_size(result) + (rows.size if rows is not None else 0)

    def get(self) -> Any:
        """The decoded rows."""
        return self._rows.get()


def decoded(cursor: Any) -> tuple[Any, Any]:
    """The loader classes of a cursor's result, and its rows as they are kept; none where they cannot be shared."""
    loaders = loaders_of(cursor)
    if loaders is None:
        return None, None
    try:
        return loaders, keep(cursor._tx.load_rows(0, cursor.pgresult.ntuples, tuple))
    except Exception:  # a value that cannot be loaded raises when the application fetches it
        return None, None


def loaders_of(cursor: Any) -> tuple[type, ...] | None:
    """The loader class of each column; none when one is the application's own, whose work may depend on anything."""
    result, adapters = cursor.pgresult, cursor._adapters
    found = tuple(
        adapters.get_loader(result.ftype(column), result.fformat(column))
        or adapters.get_loader(0, result.fformat(column))
        for column in range(result.nfields)
    )
    return found if all(loader.__module__.startswith("psycopg") for loader in found) else None


def _result_size(result: PGresult) -> int:
    """Bytes that libpq keeps for a result: sixteen for each cell, and the text of a sample of its rows."""
    rows, columns = result.ntuples, result.nfields
    step = max(1, rows // 64)
    sample = [len(result.get_value(row, column) or b"") for row in range(0, rows, step) for column in range(columns)]
    text = sum(sample) * rows // max(1, len(range(0, rows, step)))
    return rows * columns * 16 + text
