"""Postgres cursors whose rows are decoded already: a cursor takes such a class for as long as it gives kept rows.

The driver's part of the cursor holds the server's own result, so description, status, row count and position are the
driver's. Only the decoding is left out.
"""

from __future__ import annotations

from typing import Any


class Served:
    """The fetch methods of a cursor that gives the decoded rows in `_rows`."""

    __slots__ = ()

    _live_class: type
    _make_row: Any
    _pos: int
    _rows: list[tuple[Any, ...]]
    arraysize: int

    def fetchone(self) -> Any:
        self._check_result_for_fetch()  # type: ignore[attr-defined]
        return next(self._from(self._pos, 1), None)

    def fetchmany(self, size: int = 0) -> list[Any]:
        self._check_result_for_fetch()  # type: ignore[attr-defined]
        return list(self._from(self._pos, size or self.arraysize))

    def fetchall(self) -> list[Any]:
        self._check_result_for_fetch()  # type: ignore[attr-defined]
        return list(self._from(self._pos, len(self._rows)))

    def __next__(self) -> Any:
        self._check_result_for_fetch()  # type: ignore[attr-defined]
        for row in self._from(self._pos, 1):
            return row
        raise StopIteration("no more records to return")

    def _from(self, start: int, count: int) -> Any:
        """The next rows, made by the cursor's row factory."""
        rows = self._rows[start : start + max(count, 0)]
        made = rows if self._make_row is tuple else list(map(self._make_row, rows))
        self._pos = start + len(rows)
        return iter(made)

    def _reset(self, reset_query: bool = True) -> None:
        """The driver is about to do something else with the cursor."""
        self._decode_again()
        super()._reset(reset_query)  # type: ignore[misc]

    @classmethod
    def _loaders_changed(cls, wself: Any, oid: int, loader: Any) -> None:
        """The application wants the values of this result made in another way."""
        if (cursor := wself()) is not None:
            cursor._decode_again()
        super()._loaders_changed(wself, oid, loader)  # type: ignore[misc]

    def _decode_again(self) -> None:
        """Let the driver's own methods decode the server's result."""
        self._rows = []
        if isinstance(self, Served):
            self.__class__ = self._live_class  # type: ignore[assignment]
