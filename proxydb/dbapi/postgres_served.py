"""Postgres cursors whose rows are decoded already: a cursor takes such a class for as long as it gives kept rows.

The driver's part of the cursor holds the server's own result, so description, status, row count and position are the
driver's. Only the decoding is left out.
"""

from __future__ import annotations

from typing import Any

from psycopg.adapt import Transformer


class Served:
    """A cursor that gives the decoded rows in `_rows`."""

    __slots__ = ()

    _live_class: type
    _make_row: Any

    def _next(self) -> list[Any]:
        """The next row, if there is one."""
        self._check_result_for_fetch()  # type: ignore[attr-defined]
        return self._from(1)

    def _many(self, size: int) -> list[Any]:
        """The next rows, by default as many as the cursor's `arraysize` says."""
        self._check_result_for_fetch()  # type: ignore[attr-defined]
        cursor: Any = self
        return self._from(size or cursor.arraysize)

    def _all(self) -> list[Any]:
        """All rows that are left."""
        self._check_result_for_fetch()  # type: ignore[attr-defined]
        cursor: Any = self
        return self._from(len(cursor._rows))

    def _from(self, count: int) -> list[Any]:
        """The next rows, made by the cursor's row factory."""
        cursor: Any = self
        start = cursor._pos
        rows = cursor._rows[start : start + max(count, 0)]
        made = rows if self._make_row is tuple else list(map(self._make_row, rows))
        cursor._pos = start + len(rows)
        return made

    def _reset(self, reset_query: bool = True) -> None:
        """The driver is about to do something else with the cursor."""
        reset = super()._reset  # type: ignore[misc]
        self._decode_again()
        reset(reset_query)

    def set_result(self, index: int) -> Any:
        """psycopg's own; of an asynchronous cursor it is awaited."""
        return self._decoding(super().set_result)(index)  # type: ignore[misc]

    def nextset(self) -> bool | None:
        return self._decoding(super().nextset)()  # type: ignore[misc, no-any-return]

    def _decoding(self, method: Any) -> Any:
        """`method`, which is bound, for a cursor whose driver part decodes the server's result where it stands."""
        cursor: Any = self
        position = cursor._pos
        cursor._decode_again()
        cursor._tx = Transformer(cursor)
        cursor._select_current_result(0)
        cursor._pos = position
        return method

    def _decode_again(self) -> None:
        """Let the driver's own methods decode the server's result."""
        cursor: Any = self
        cursor._rows = []
        cursor.__class__ = cursor._live_class


class ServedInCalls(Served):
    """The fetch methods of a `psycopg.Cursor` that gives decoded rows."""

    __slots__ = ()

    def fetchone(self) -> Any:
        return next(iter(self._next()), None)

    def fetchmany(self, size: int = 0) -> list[Any]:
        return self._many(size)

    def fetchall(self) -> list[Any]:
        return self._all()

    def __next__(self) -> Any:
        for row in self._next():
            return row
        raise StopIteration("no more records to return")


class AwaitedServed(Served):
    """The fetch methods of a `psycopg.AsyncCursor` that gives decoded rows."""

    __slots__ = ()

    async def fetchone(self) -> Any:
        return next(iter(self._next()), None)

    async def fetchmany(self, size: int = 0) -> list[Any]:
        return self._many(size)

    async def fetchall(self) -> list[Any]:
        return self._all()

    async def __anext__(self) -> Any:
        for row in self._next():
            return row
        raise StopAsyncIteration("no more records to return")
