"""The check of soundness is itself checked: each careless rule, put in the right one's place, loses a row."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

import proxydb.lake
from proxydb.lake.pruning import bounds, conditions, evaluate, intervals, prune, render
from proxydb.lake.pruning.conditions import All, Any_, Fixed
from tests.lake.pruning.predicates import literal
from tests.lake.pruning.soundness import VALUES, read_truth, write_random_table
from tests.lake.pruning.test_soundness import FILES, asked_closely, missed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from proxydb.lake import Table
    from tests.lake.pruning.soundness import Truth

CORPUS = [
    *(f"word > {literal(word)}" for word in VALUES["word"]),
    *(f"word = {literal(word)}" for word in VALUES["word"]),
    *(f"word LIKE {literal(word[:2] + '%')}" for word in ("ab", "zz", "a long")),
    *(f"x {operator} {value}" for operator in (">", ">=", "!=") for value in ("0", "1.5", "1e300")),
    *(f"NOT (x {operator} {value})" for operator in ("<", ">", "=") for value in ("0", "1.5", "-2.5")),
    *(f"moment = {literal(moment)}" for moment in VALUES["moment"]),
    *(f"moment > TIMESTAMPTZ '2024-03-01 {clock}+00:00'" for clock in ("12:00:00.000500", "12:00:00.999500")),
    *(f"clock = {literal(clock)}" for clock in VALUES["clock"]),
    *(f"huge = {value}" for value in VALUES["huge"]),
    *(f"single = {literal(value)}" for value in VALUES["single"][:-1]),
    *(f"price = {value}" for value in VALUES["price"]),
    *(f"n {operator} {value}" for operator in ("=", "<=", ">=", "!=") for value in VALUES["n"]),
    *(f"pn {operator} {value}" for operator in ("=", "<=", ">=") for value in VALUES["pn"]),
    *(f"p = {literal(value)}" for value in VALUES["p"]),
    *(f"{name} IS {word}" for name in ("n", "word", "p", "nested.n", "x") for word in ("NULL", "NOT NULL")),
    *(f"NOT (n = {value} AND small = 1)" for value in VALUES["n"]),
    *(f"NOT (n > {value} OR small > 1)" for value in VALUES["n"]),
    "n NOT IN (0, 1)",
    "n IN (0, 1, 2, 7, 100)",
    "n = 1 OR upper(word) = 'A'",
    "NOT (upper(word) = 'A')",
]


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Table, Truth]]:
    """A table of many files in a lake in memory, and its rows."""
    path = write_random_table(tmp_path_factory.mktemp("mutants") / "t", Random(11), 2 * FILES)
    with proxydb.lake.open(":memory:") as lake:
        yield lake.import_delta(path), read_truth(path)


def first_lost(case: tuple[Table, Truth]) -> str | None:
    """The first predicate for which a file with a row was left out."""
    return next((predicate for predicate in CORPUS if missed(*case, predicate)), None)


def exact_maximum(original: Callable[..., bounds.Bounds]) -> Callable[..., bounds.Bounds]:
    """Take a string's maximum for the whole string."""
    return lambda column, stats: original(column, stats)._replace(is_prefix=False)


def swapped_nulls(original: Callable[..., bounds.Bounds]) -> Callable[..., bounds.Bounds]:
    """Take a count of NULLs above zero for all of them."""

    def read(column: Any, stats: Any) -> bounds.Bounds:
        found = original(column, stats)
        return found._replace(has_values=not found.has_nulls) if found.has_nulls else found

    return read


def nothing_is_false(original: Callable[..., bounds.Bounds]) -> Callable[..., bounds.Bounds]:
    """Take a file without statistics for one without rows."""
    return lambda column, stats: bounds.Bounds(None, None, False, False) if not stats else original(column, stats)


def without_prefix(original: Callable[..., str]) -> Callable[..., str]:
    """Take a string's maximum for the whole string in SQL."""
    return lambda self, *bound: re.sub(r" OR SUBSTR\(CAST.*", ")", original(self, *bound))


def always_strict(original: Callable[..., Any]) -> Callable[..., Any]:
    """Take `<=` for `<`."""
    return lambda found, bound, strict: original(found, bound, True)


def kept_conjunction(expression: Any, table: Any, wanted: bool) -> Any:
    """Carry NOT past AND without turning it into OR."""
    return All(tuple(conditions.condition(arm, table, wanted) for arm in expression.arms))


def kept_disjunction(expression: Any, table: Any, wanted: bool) -> Any:
    """Carry NOT past OR without turning it into AND, and forget the opposite."""
    return Any_(tuple(conditions.condition(arm, table, True) for arm in expression.arms))


def first_arm(expression: Any, table: Any, wanted: bool) -> Any:
    """Ask only the first arm of an OR."""
    return conditions.condition(expression.arms[0], table, wanted)


def never(expression: Any, table: Any, wanted: bool) -> Any:
    """Take what is not understood for false."""
    return Fixed(False)


def of_all_intervals(original: Callable[..., Any]) -> Callable[..., Any]:
    """Take IN for an AND of its values."""
    return lambda condition, file: all(
        evaluate._meets(file.bounds(condition.column), each) for each in condition.intervals
    )


Patch = tuple[Any, str, Any]
MUTANTS: dict[str, Callable[[], list[Patch]]] = {
    "a truncated maximum is exact": lambda: [
        (evaluate, "statistics_bounds", exact_maximum(bounds.statistics_bounds)),
    ],
    "a truncated maximum is exact in SQL": lambda: [(render.Renderer, "_up", without_prefix(render.Renderer._up))],
    "NaN is ignored": lambda: [(conditions, "_may_be_nan", lambda column, table: False)],
    "NaN is ignored under NOT": lambda: [(conditions, "_fails_for_nan", lambda operator, wanted: not wanted)],
    "the 999 µs are dropped": lambda: [(bounds, "_CUT", timedelta())],
    "decimals are exact doubles": lambda: [(bounds, "EXACT_DIGITS", 99), (intervals, "EXACT_DIGITS", 99)],
    "numbers have one spelling in SQL": lambda: [
        (render, "_SLACK", dict.fromkeys(("double", "decimal", "float"), Decimal(0))),
    ],
    "floats of 32 bits have one spelling": lambda: [(bounds, "as_float32", float)],
    "some NULLs are all NULLs": lambda: [(evaluate, "statistics_bounds", swapped_nulls(bounds.statistics_bounds))],
    "no statistics are no rows": lambda: [(evaluate, "statistics_bounds", nothing_is_false(bounds.statistics_bounds))],
    "at most is less than": lambda: [(evaluate, "_reaches_down", always_strict(evaluate._reaches_down))],
    "at least is more than": lambda: [(evaluate, "_reaches_up", always_strict(evaluate._reaches_up))],
    "NOT keeps AND": lambda: [(conditions, "_READERS", conditions._READERS | {conditions.And: kept_conjunction})],
    "NOT keeps OR": lambda: [(conditions, "_READERS", conditions._READERS | {conditions.Or: kept_disjunction})],
    "OR asks one arm": lambda: [(conditions, "_READERS", conditions._READERS | {conditions.Or: first_arm})],
    "the unknown is false": lambda: [(conditions, "_READERS", conditions._READERS | {conditions.Opaque: never})],
    "IN asks for all values": lambda: [
        (evaluate, "_READERS", evaluate._READERS | {evaluate.Among: of_all_intervals(evaluate._among)}),
    ],
    "the unknown is false in SQL": lambda: [
        (prune, "_ASKED_ONCE", prune._ASKED_ONCE.replace("ELSE 3", "ELSE 1")),
        (prune, "_ASKED_TWICE", prune._ASKED_TWICE.replace("IS FALSE", "IS NOT TRUE")),
    ],
}


def test_the_right_rules_lose_nothing(case: tuple[Table, Truth]) -> None:
    """On the corpus no file with a row is left out, and most predicates leave out some files."""
    table, _ = case
    pruning = sum(table.prune_files(predicate).report.kept < 2 * FILES for predicate in CORPUS)
    assert (first_lost(case), pruning > len(CORPUS) // 2) == (None, True)


@pytest.mark.parametrize("name", MUTANTS)
def test_a_careless_rule_is_caught(case: tuple[Table, Truth], monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """With the rule in place the corpus loses a row."""
    for place, attribute, mutant in MUTANTS[name]():
        monkeypatch.setattr(place, attribute, mutant)
    assert first_lost(case) is not None


def first_differing(case: tuple[Table, Truth]) -> str | None:
    """The first predicate with another result when the database may say that it is sure."""
    table, _ = case
    return next((each for each in CORPUS if table.prune_files(each) != asked_closely(table, each)), None)


CARELESSLY_SURE: dict[str, Patch] = {
    "seconds are all of a time": (render.Renderer, "_is_strict", lambda self, column, strict: strict),
    "unknown is sure": (prune, "_ASKED_TWICE", prune._ASKED_TWICE.replace("IS TRUE", "IS NOT FALSE")),
    "unknown is sure, asked once": (prune, "_ASKED_ONCE", prune._ASKED_ONCE.replace("ELSE 3", "ELSE 2")),
}


def test_what_is_sure_is_right(case: tuple[Table, Truth]) -> None:
    """On the corpus a file of which the database is sure would be kept in any case, for the same reason."""
    assert first_differing(case) is None


@pytest.mark.parametrize("name", CARELESSLY_SURE)
def test_careless_certainty_is_caught(case: tuple[Table, Truth], monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """With the mutant in place the corpus has another result."""
    monkeypatch.setattr(*CARELESSLY_SURE[name])
    assert first_differing(case) is not None
