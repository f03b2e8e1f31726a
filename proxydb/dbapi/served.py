"""SQLite cursors whose rows are in memory: a cursor takes such a class for as long as it gives kept rows.

Live cursors keep the driver's own `fetchone` and iteration, so statements that are not served pay nothing for those
that are. The driver's part of a served cursor has run a statement without rows: that gives it the right `description`
and `lastrowid`, and lets it raise what a closed cursor, a closed connection or a foreign thread raises.
"""

from __future__ import annotations

import sqlite3 as driver
from contextlib import suppress
from functools import partial
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from weakref import ref

from proxydb.cache.rows import keep, memory_of
from proxydb.drivers.sqlite.activity import users_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxydb.cache.rows import RebuiltRows, SharedRows

_CHUNK = 1000
_END = object()
_NO_ROWS: Final[Any] = iter(())
_WHOLE: Final[Any] = type(iter([()]))
_execute = driver.Cursor.execute
_next = driver.Cursor.__next__
_fetchone = driver.Cursor.fetchone
_fetchmany = driver.Cursor.fetchmany


class Served:
    """The methods of a cursor that gives the rows of `_rows`, an iterator."""

    __slots__ = ()

    _live_class: type
    _changes: Any
    _kept: Any
    _rows: Any
    _shape: Any
    _statement: Any
    row_factory: Any
    arraysize: int

    def __init__(self, *args: Any) -> None:
        initialise = super().__init__
        self._live()
        initialise(*args)

    def __next__(self) -> Any:
        if type(self._rows) is not chain:
            _fetchone(self)  # type: ignore[arg-type]
        return self._made(next(self._rows))

    def fetchone(self) -> Any:
        self._check()
        for row in self._rows:
            return self._made(row)
        return None

    def fetchmany(self, size: Any = _END) -> list[Any]:
        if size is _END:
            size = self.arraysize
        self._check(size)
        return self._counted(islice(self._rows, size) if size > 0 else self._rows)

    def fetchall(self) -> list[Any]:
        rows, kept, factory = self._rows, self._kept, self.row_factory
        if type(rows) is not chain:
            _fetchone(self)  # type: ignore[arg-type]
        if factory is None and type(rows) is _WHOLE and rows.__length_hint__() == len(kept):
            made: list[Any] = kept.copy()  # in one piece: emptying an iterator takes twice as long
            self._rows = _NO_ROWS
        else:
            made = list(rows) if factory is None else [factory(self, row) for row in rows]
        self._statement.tally.rows += len(made)
        return made

    def execute(self, sql: Any, parameters: Any = (), /) -> Any:
        rows = self._rows
        try:
            result = super().execute(sql, parameters)  # type: ignore[misc]
        except BaseException:
            self._let_go(sql)
            raise
        if self._rows is rows:
            self._live()
        return result

    def executemany(self, sql: Any, parameters: Any, /) -> Any:
        return self._instead(super().executemany, sql, parameters)  # type: ignore[misc]

    def close(self) -> None:
        super().close()  # type: ignore[misc]
        self._live()

    def _serve(self, shape: str, rows: list[Any]) -> None:
        """Give other kept rows.

        A statement without rows that gave the cursor its names already is not run again, unless a row may have been
        inserted since: the driver would show its `lastrowid`.
        """
        cursor: Any = self
        changes = cursor.connection.total_changes
        if shape is self._shape and changes == self._changes:
            _fetchone(cursor)
        else:
            _execute(cursor, shape)
        self._kept, self._rows, self._shape, self._changes = rows, iter(rows), shape, changes

    def _instead(self, method: Any, sql: Any, parameters: Any) -> Any:
        """Run another statement, after which the rows are its own: kept ones again, or the driver's."""
        rows = self._rows
        try:
            result = method(sql, parameters)
        except BaseException:
            self._let_go(sql)
            raise
        if self._rows is rows:
            self._live()
        return result

    def _let_go(self, sql: Any) -> None:
        """After a failure a driver's cursor has no rows, unless the driver refused the call before it looked at it."""
        with suppress(driver.Error):
            self._check()
            if isinstance(sql, str):
                self._live()

    def _live(self) -> None:
        """Let go of the kept rows and become a live cursor again."""
        self._kept, self._rows = [], _NO_ROWS
        self.__class__ = self._live_class

    def _check(self, size: Any = 1) -> None:
        """Raise what the driver raises for a cursor that cannot be read; its own statement has no rows left."""
        if type(self._rows) is not chain:
            _fetchmany(self, size)  # type: ignore[arg-type]

    def _made(self, row: Any) -> Any:
        factory = self.row_factory
        return row if factory is None else factory(self, row)

    def _counted(self, rows: Iterator[Any]) -> list[Any]:
        factory = self.row_factory
        made = list(rows) if factory is None else [factory(self, row) for row in rows]
        self._statement.tally.rows += len(made)
        return made


def stop_serving(connection: driver.Connection) -> None:
    """Let every cursor of a connection that was closed raise what the driver raises."""
    for cursor in users_of(connection):
        if isinstance(cursor, Served):
            cursor._live()


class ReadAhead(NamedTuple):
    """The rows of a cursor that were fetched before they were asked for.

    Parameters
    ----------
    rows
        The rows.
    rest
        What comes after them: nothing when they are all, else more rows, or an error and what the driver gives then.
    """

    rows: list[Any]
    rest: Iterator[Any] | None

    def iterator(self) -> Iterator[Any]:
        """All rows, and the error where it comes."""
        return iter(self.rows) if self.rest is None else chain(self.rows, self.rest)

    def kept(self, largest: int) -> SharedRows | RebuiltRows | None:
        """The rows in the form in which they are kept; none when they are not all, or more than `largest` bytes."""
        rows = keep(self.rows) if self.rest is None else None
        return rows if rows is not None and rows.size <= largest else None


def read_ahead(cursor: Any, largest: int) -> ReadAhead:
    """Fetch the rows of a cursor that has just executed, and whose row factory is off, up to `largest` bytes."""
    rows: list[Any] = []
    source = iter(partial(_next, cursor), _END)
    size = 0
    while size <= largest:
        start = len(rows)
        try:
            rows.extend(islice(source, _CHUNK))
        except Exception as error:
            return ReadAhead(rows, chain(_raising(error), _driver_rows(cursor)))
        if len(rows) < start + _CHUNK:
            return ReadAhead(rows, None)
        size += memory_of(rows[start:])
    return ReadAhead(rows, _driver_rows(cursor))


def _raising(error: Exception) -> Iterator[Any]:
    raise error
    yield


def _driver_rows(cursor: Any) -> Iterator[Any]:
    """The driver's own rows, one by one; an error does not end them, as it may not with the driver."""
    return iter(partial(_driver_row, ref(cursor)), _END)


def _driver_row(cursor: Any) -> Any:
    """The next one, without the row factory, which is applied to all rows alike afterwards."""
    live = cursor()
    factory, live.row_factory = live.row_factory, None
    try:
        return _next(live)
    finally:
        live.row_factory = factory
