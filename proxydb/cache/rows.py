"""Rows that are kept: shared where their cells cannot change, made anew for each answer where they can."""

from __future__ import annotations

from itertools import chain
from sys import getsizeof
from typing import Any

_SAMPLE = 32

_BUILT_IN = frozenset({int, float, str, bytes, bool, type(None), complex})
_IMMUTABLE_NAMES = frozenset(
    """
    datetime.date datetime.datetime datetime.time datetime.timedelta datetime.timezone decimal.Decimal uuid.UUID
    """.split()
)
_CHANGEABLE = frozenset({list, dict, tuple, bytearray, set, frozenset})


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
        import pickle

        rows: list[tuple[Any, ...]] = pickle.loads(self._pickled)
        return rows


def keep(rows: list[tuple[Any, ...]], *, sized: bool = True) -> SharedRows | RebuiltRows | None:
    """The rows in a form that a later reader can be given; none when a cell's type is not known to allow it.

    The size is that of the pickle, which holds each cell's contents once, with what Python objects take beside it.
    """
    types = set(map(type, chain.from_iterable(rows)))
    if all(map(_is_immutable, types)):
        return SharedRows(rows, memory_of(rows) if sized else 0)
    if not all(kind in _CHANGEABLE or _is_immutable(kind) for kind in types | _nested_types(rows)):
        return None
    return RebuiltRows(_pickled(rows))


def _is_immutable(kind: type) -> bool:
    """Whether values of this very type cannot be changed; what would have to be imported is told by its name."""
    return kind in _BUILT_IN or f"{kind.__module__}.{kind.__qualname__}" in _IMMUTABLE_NAMES


def _pickled(rows: list[tuple[Any, ...]]) -> bytes:
    import pickle  # only now: importing it is not for every process

    return pickle.dumps(rows, pickle.HIGHEST_PROTOCOL)


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
