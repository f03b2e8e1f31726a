"""Rows that are kept: shared where their cells cannot change, made anew for each answer where they can."""

from __future__ import annotations

import datetime
import decimal
import pickle
import uuid
from itertools import chain
from typing import Any

CELL_OVERHEAD = 40
"""Bytes of a cell beside its contents: the object's header and the tuple's reference to it."""

ROW_OVERHEAD = 64
"""Bytes of a row beside its cells: the tuple, its place in the list, the collector's header."""

_IMMUTABLE = frozenset(
    {int, float, str, bytes, bool, type(None), complex, decimal.Decimal, uuid.UUID}
    | {datetime.date, datetime.datetime, datetime.time, datetime.timedelta, datetime.timezone}
)
_REBUILT = _IMMUTABLE | {list, dict, tuple, bytearray, set, frozenset}


class SharedRows:
    """Rows whose cells cannot change: every answer holds the same tuples.

    Parameters
    ----------
    rows
        The rows.
    size
        Bytes that they take.
    """

    __slots__ = ("_rows", "size")

    def __init__(self, rows: list[tuple[Any, ...]], size: int) -> None:
        self._rows = rows
        self.size = size

    def get(self) -> list[tuple[Any, ...]]:
        """The rows; the list is the caller's to read, not to change."""
        return self._rows


class RebuiltRows:
    """Rows with cells that may be changed (lists, dictionaries): every answer is made anew from a pickle.

    Parameters
    ----------
    pickled
        The rows, pickled.
    """

    __slots__ = ("_pickled",)

    def __init__(self, pickled: bytes) -> None:
        self._pickled = pickled

    @property
    def size(self) -> int:
        """Bytes that they take."""
        return len(self._pickled)

    def get(self) -> list[tuple[Any, ...]]:
        """The rows, new."""
        rows: list[tuple[Any, ...]] = pickle.loads(self._pickled)
        return rows


def keep(rows: list[tuple[Any, ...]]) -> SharedRows | RebuiltRows | None:
    """The rows in a form that a later reader can be given; none when a cell's type is not known to allow it.

    The size is that of the pickle, which holds each cell's contents once, with what Python objects take beside it.
    """
    types = set(map(type, chain.from_iterable(rows)))
    if not types <= _REBUILT:
        return None
    if types <= _IMMUTABLE:
        return SharedRows(rows, memory_of(rows))
    if not _nested_types(rows) <= _REBUILT:
        return None
    return RebuiltRows(pickle.dumps(rows, pickle.HIGHEST_PROTOCOL))


def memory_of(rows: list[tuple[Any, ...]]) -> int:
    """Bytes that rows take: their pickle holds each cell's contents once, and the objects around them add their own."""
    width = len(rows[0]) if rows else 0
    return len(pickle.dumps(rows, pickle.HIGHEST_PROTOCOL)) + len(rows) * (ROW_OVERHEAD + width * CELL_OVERHEAD)


def _nested_types(value: Any) -> set[type]:
    """The types of everything inside."""
    if isinstance(value, dict):
        value = [*value.keys(), *value.values()]
    elif not isinstance(value, (list, tuple, set, frozenset)):
        return {type(value)}
    return {type(value)}.union(*map(_nested_types, value))
