"""Parameters that Python takes for equal and SQLite does not."""

from __future__ import annotations

import datetime
from decimal import Decimal
from itertools import permutations
from typing import TYPE_CHECKING, Any

import pytest

from tests.freshness.sqlite.twins import agree

if TYPE_CHECKING:
    from tests.freshness.sqlite.twins import Side, Twins

ALIKE: list[tuple[Any, ...]] = [
    (1, 1.0, True, "1", b"1"),
    (0.0, -0.0, 0, False, None),
    ("a", "A", b"a", bytearray(b"a")),
    (float("nan"), None, float("inf"), float("-inf")),
    (2**53, float(2**53), 2**53 + 1),
    ("ä", "a\u0308", "ä".encode()),
    ("", b"", None),
]
QUESTION = "SELECT typeof(v), quote(v), v, printf('%g', v), 1 / v, count(*) FROM (SELECT ? AS v), u"


@pytest.mark.parametrize("values", ALIKE, ids=str)
def test_values_that_look_alike(twins: Twins, values: tuple[Any, ...]) -> None:
    """Each value gets its own answer, in whatever order they come."""

    def story(side: Side) -> None:
        for order in list(permutations(values))[:24]:
            for value in order:
                side.read(QUESTION, (value,))

    twins.tell(story)
    assert twins.hits > 0


@agree
def test_containers(side: Side) -> None:
    """Tuples, lists and dictionaries of the same values."""
    for parameters in ((1, 2), [1, 2], (2, 1), [2, 1], (1, "2")):
        side.read("SELECT ? - ?, count(*) FROM u", parameters)
    for mapping in ({"a": 1, "b": 2}, {"b": 1, "a": 2}, {"b": 2, "a": 1}, {"a": 1, "b": 2, "c": object()}):
        side.read("SELECT :a - :b, count(*) FROM u", mapping)


@agree
def test_wrong_parameters(side: Side) -> None:
    """Too many, too few or impossible parameters raise the same before and after the right ones."""
    for parameters in ((1,), (), (1, 2), (object(),), {"a": 1}, (2**64,), ("\ud800",), 7, None):
        side.read("SELECT ? , count(*) FROM u", (1,))
        side.read("SELECT ? , count(*) FROM u", parameters)


class Flag(int):
    """A number that is not a plain one."""


@pytest.mark.parametrize(
    "value", [Flag(1), Decimal("1.5"), memoryview(b"1"), datetime.timedelta(1)], ids=lambda value: type(value).__name__
)
def test_types_of_the_application(twins: Twins, value: Any) -> None:
    """A parameter of another type does what it does raw."""

    def story(side: Side) -> None:
        side.read(QUESTION, (1,))
        side.read(QUESTION, (value,))

    twins.tell(story)


@agree
def test_literals(side: Side) -> None:
    """Literals of different type or case are different texts."""
    for literal in ("1", "1.0", "'1'", "x'31'", "X'31'", "TRUE", "NULL", "'a'", "'A'", "'a' /* A */", "-0.0", "1e0"):
        side.read(f"SELECT typeof({literal}), {literal}, count(*) FROM u")


@agree
def test_quoted_names(side: Side) -> None:
    """A quoted name, a string in double quotes and a bare name are told apart."""
    for text in (
        'SELECT "x" FROM u',
        "SELECT 'x' FROM u",
        "SELECT [x] FROM u",
        "SELECT `X` FROM u",
        'SELECT "y" FROM u',
    ):
        side.read(text)


@agree
def test_parameters_changed_afterwards(side: Side) -> None:
    """A list that its owner changes after the call names the rows that it was called with."""
    parameters = [1]
    for number in (1, 2, 1):
        parameters[0] = number
        side.read("SELECT x FROM u WHERE id = ?", parameters)
