"""Kept rows cannot be changed by who reads them, and their sizes are honest."""

from __future__ import annotations

import datetime
import decimal
import sys
import uuid
from enum import Enum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxydb.cache.rows import RebuiltRows, SharedRows, keep, memory_of

UTC = datetime.UTC
SHARED = [
    1,
    1.5,
    "a",
    b"a",
    True,
    None,
    1j,
    decimal.Decimal("1.5"),
    uuid.UUID(int=5),
    datetime.date(2024, 1, 2),
    datetime.datetime(2024, 1, 2, tzinfo=UTC),
    datetime.time(1, 2),
    datetime.timedelta(1),
    UTC,
]
REBUILT = [[1, 2], {"a": [1]}, (1, [2]), bytearray(b"a"), {1, 2}, frozenset({1}), [{"a": ({1},)}]]


class _Colour(Enum):
    RED = 1


class _Name(str):
    __slots__ = ()


REFUSED = [
    memoryview(b"a"),
    object(),
    _Colour.RED,
    _Name("a"),
    [object()],
    {"a": _Name("b")},
    {_Name("b"): 1},
    (object(),),
]

CELLS = st.none() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary()
NESTED = st.recursive(CELLS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3))
TYPICAL = {
    "integers": [(n, n * 7, n + 5) for n in range(1000, 2000)],
    "names": [(n, f"a name of person number {n}", f"{n} some street, some town") for n in range(1000)],
    "documents": [(n, f"{n} " + "document text " * 100) for n in range(200)],
    "blobs": [(n, bytes([n % 256]) * 500) for n in range(500)],
    "one column": [(f"value {n}",) for n in range(1000)],
    "dates": [(n, datetime.datetime(2024, 1, 1) + datetime.timedelta(n)) for n in range(500)],
    "wide": [tuple(n * 1000 + column for column in range(30)) for n in range(1, 200)],
}


def _in_python(rows: list[tuple[Any, ...]]) -> int:
    """Bytes of the objects that the rows consist of, each object once."""
    objects = {id(each): each for row in rows for each in (row, *row)}
    return sys.getsizeof(rows) + sum(map(sys.getsizeof, objects.values()))


@pytest.mark.parametrize("cell", SHARED, ids=lambda cell: type(cell).__name__)
def test_immutable_cells_are_shared(cell: Any) -> None:
    """Rows of cells that cannot change are kept as they are."""
    rows = [(cell, 1)]
    kept = keep(rows)
    assert isinstance(kept, SharedRows) and kept.get()[0] is rows[0]


@pytest.mark.parametrize("cell", REBUILT, ids=repr)
def test_mutable_cells_are_made_anew(cell: Any) -> None:
    """Rows with a cell that may be changed are equal each time, and new."""
    kept = keep([(cell, 1)])
    assert isinstance(kept, RebuiltRows) and kept.get() == kept.get() == [(cell, 1)] and kept.get() is not kept.get()


@pytest.mark.parametrize("cell", REFUSED, ids=lambda cell: type(cell).__name__)
def test_other_cells_are_not_kept(cell: Any) -> None:
    """Rows with a cell of a type of the application's own, also inside of another, are not kept."""
    assert keep([(1, cell)]) is None


def test_no_rows_are_kept() -> None:
    """An empty result is a result."""
    kept = keep([])
    assert kept is not None and kept.get() == []


def test_change_of_the_original_does_not_show() -> None:
    """Whoever got the rows first may change the cells."""
    rows: list[tuple[Any, ...]] = [([1, 2], {"a": 1})]
    kept = keep(rows)
    rows[0][0].append(3)
    rows[0][1]["b"] = 2
    assert kept is not None and kept.get() == [([1, 2], {"a": 1})]


def test_change_of_an_answer_does_not_show() -> None:
    """Whoever got the rows from memory may change the cells, at any depth."""
    kept = keep([([[1]], {"a": {"b": []}}, bytearray(b"x"))])
    assert kept is not None
    row = kept.get()[0]
    row[0][0].append(2)
    row[1]["a"]["b"].append(3)
    row[2][:] = b"changed"
    assert kept.get() == [([[1]], {"a": {"b": []}}, bytearray(b"x"))]


@given(st.lists(st.tuples(NESTED, NESTED), max_size=5))
def test_rows_come_back_equal(rows: list[tuple[Any, ...]]) -> None:
    """Whatever is kept comes back with equal values of equal types."""
    kept = keep(rows)
    assert kept is not None and repr(kept.get()) == repr(rows)


@pytest.mark.parametrize("rows", TYPICAL.values(), ids=TYPICAL)
def test_size_is_that_of_the_objects(rows: list[tuple[Any, ...]]) -> None:
    """The size of shared rows is within a quarter of what their objects take."""
    kept = keep(rows)
    assert kept is not None and kept.size == pytest.approx(_in_python(rows), rel=0.25)


def test_size_of_floats_is_that_of_the_objects() -> None:
    """The size of rows of floats is within a quarter of what their objects take, too."""
    rows: list[tuple[Any, ...]] = [(n, n / 7, n / 11, n / 13) for n in range(1000)]
    assert memory_of(rows) == pytest.approx(_in_python(rows), rel=0.25)


def test_size_of_rebuilt_rows() -> None:
    """Rows that are made anew take what they are packed into."""
    rows: list[tuple[Any, ...]] = [([n] * 100,) for n in range(100)]
    kept = keep(rows)
    assert kept is not None and 100 * 100 < kept.size < _in_python(rows) + 100 * 100 * 8


def test_repeated_contents_count_once() -> None:
    """A long text that is one object in all rows is counted once."""
    text = "x" * 100_000
    assert memory_of([(text,)] * 10) < 2 * len(text)


@given(st.lists(st.tuples(CELLS), max_size=5), st.tuples(CELLS))
def test_more_rows_take_more(rows: list[tuple[Any, ...]], row: tuple[Any, ...]) -> None:
    """A further row never makes a result smaller."""
    assert memory_of(rows) < memory_of([*rows, row])


@pytest.mark.parametrize("other", [bytearray(b"x"), decimal.Decimal("1.5"), {1}])
def test_types_that_are_packed_otherwise(other: Any) -> None:
    """Cells beside which others need another way of packing come back equal, with their types."""
    rows: list[tuple[Any, ...]] = [({"a": 1, "b": [1.5, None, True]}, "text", [other])] * 2
    kept = keep(rows)
    assert kept is not None and repr(kept.get()) == repr(rows)


def test_a_deep_document() -> None:
    """A document that is nested deeper than Python follows is not kept, and raises nothing."""
    deep: Any = []
    for _ in range(sys.getrecursionlimit()):
        deep = [deep]
    assert keep([(deep, 1)]) is None


def test_cells_that_cannot_change_are_shared_beside_others() -> None:
    """Only the columns that hold something changeable are made anew."""
    text = "a path that is long enough"
    kept = keep([(text, {"a": 1}), ("other", None)])
    assert kept is not None and kept.get()[0][0] is text and kept.get()[0][1] is not kept.get()[0][1]


def test_equal_keys_are_one_object() -> None:
    """Dictionaries of different rows have the same keys, which saves making them."""
    rows: list[tuple[Any, ...]] = [({"key" + str(n - n): n},) for n in range(2)]
    kept = keep(rows)
    assert kept is not None
    [(one,), (other,)] = kept.get()
    assert next(iter(one)) is next(iter(other))
