"""Rows that are kept: shared where their cells cannot change, made anew for each answer where they can."""

from __future__ import annotations

import marshal
from contextlib import suppress
from itertools import chain
from sys import getsizeof, intern
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_SAMPLE = 32

_BUILT_IN = frozenset({int, float, str, bytes, bool, type(None), complex})
_IMMUTABLE_NAMES = frozenset(
    """
    datetime.date datetime.datetime datetime.time datetime.timedelta datetime.timezone decimal.Decimal uuid.UUID
    """.split()
)
_CHANGEABLE = frozenset({list, dict, tuple, bytearray, set, frozenset})
_MARSHALLED = _BUILT_IN | {list, dict, tuple}


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
    """Rows with cells that may be changed (lists, dictionaries): every answer has new ones; other columns are shared.

    Parameters
    ----------
    columns
        The columns; those at `places` are not looked at.
    places
        Which columns hold cells that may be changed.
    packed, unpack
        The columns at `places` as bytes, and what makes them of it.
    size
        Bytes that all take.
    """

    __slots__ = ("_columns", "_packed", "_places", "_unpack", "size")

    def __init__(
        self, columns: list[Any], places: list[int], packed: bytes, unpack: Callable[[bytes], list[Any]], size: int
    ) -> None:
        self._columns = columns
        self._places = places
        self._packed = packed
        self._unpack = unpack
        self.size = size

    def get(self) -> list[tuple[Any, ...]]:
        """The rows, new."""
        columns = self._columns.copy()
        for place, column in zip(self._places, self._unpack(self._packed), strict=True):
            columns[place] = column
        return list(zip(*columns, strict=True))


def keep(rows: list[tuple[Any, ...]], *, sized: bool = True) -> SharedRows | RebuiltRows | None:
    """The rows in a form that a later reader can be given; none when a cell's type is not known to allow it.

    The size is that of the packed cells, which holds the contents of each once, with what Python objects take beside
    it; 0 for what is not `sized`.
    """
    types = set(map(type, chain.from_iterable(rows)))
    if all(map(_is_immutable, types)):
        return SharedRows(rows, memory_of(rows) if sized else 0)
    if not all(kind in _CHANGEABLE or _is_immutable(kind) for kind in types):
        return None
    try:
        return _rebuilt(rows, sized)
    except RecursionError:
        return None


def _rebuilt(rows: list[tuple[Any, ...]], sized: bool) -> RebuiltRows | None:
    columns: list[Any] = list(zip(*rows, strict=True))
    places = [place for place, column in enumerate(columns) if not all(map(_is_immutable, set(map(type, column))))]
    types: set[type] = set()
    changeable = [[_canonical(cell, types) for cell in columns[place]] for place in places]
    if not all(kind in _CHANGEABLE or _is_immutable(kind) for kind in types):
        return None
    for place in places:
        columns[place] = None
    packed, unpack = _packed(changeable, types)
    shared = [column for column in columns if column is not None]
    size = memory_of(list(zip(*shared, strict=True))) if sized and shared else 0
    return RebuiltRows(columns, places, packed, unpack, len(packed) + size)


def _canonical(value: Any, types: set[type]) -> Any:
    """A copy in which equal keys of dictionaries are one object, so that each is packed once; collects all types."""
    kind = type(value)
    types.add(kind)
    if kind is dict:
        return {_canonical_key(key, types): _canonical(inner, types) for key, inner in value.items()}
    if kind is list:
        return [_canonical(inner, types) for inner in value]
    if kind in _CHANGEABLE:
        types |= _nested_types(value)
    return value


def _canonical_key(key: Any, types: set[type]) -> Any:
    if type(key) is str:
        return intern(key)
    types |= _nested_types(key)
    return key


def _packed(columns: list[list[Any]], types: set[type]) -> tuple[bytes, Callable[[bytes], list[Any]]]:
    """Columns as bytes, and what makes them anew: `marshal` where it knows all types, as it is the faster one."""
    if types <= _MARSHALLED:
        with suppress(ValueError):  # too deep
            return marshal.dumps(columns), marshal.loads
    import pickle

    return _pickled(columns), pickle.loads


def _is_immutable(kind: type) -> bool:
    """Whether values of this very type cannot be changed; what would have to be imported is told by its name."""
    return kind in _BUILT_IN or f"{kind.__module__}.{kind.__qualname__}" in _IMMUTABLE_NAMES


def _pickled(values: list[Any]) -> bytes:
    import pickle  # only now: importing it is not for every process

    return pickle.dumps(values, pickle.HIGHEST_PROTOCOL)


def memory_of(rows: list[tuple[Any, ...]]) -> int:
    """Bytes that rows take.

    Their pickle, which is made ten times faster than every object could be asked for its size, holds the contents of
    each cell once; what the objects around them add is measured on a sample of the rows.
    """
    sample = rows[:: max(1, len(rows) // _SAMPLE)]
    return len(_pickled(rows)) * _exact(sample) // len(_pickled(sample))


def _exact(rows: list[tuple[Any, ...]]) -> int:
    cells = {id(cell): cell for cell in chain.from_iterable(rows)}
    return getsizeof(rows) + sum(map(getsizeof, rows)) + sum(map(getsizeof, cells.values()))


def _nested_types(value: Any) -> set[type]:
    """The types of everything inside."""
    if isinstance(value, dict):
        value = [*value.keys(), *value.values()]
    elif not isinstance(value, (list, tuple, set, frozenset)):
        return {type(value)}
    return {type(value)}.union(*map(_nested_types, value))
