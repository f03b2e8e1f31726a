"""Turns a predicate over rows into a condition over files: can any row of a file make the predicate true?

NOT is carried down to the comparisons, where a comparison and its opposite are asked in different ways: for a row with
NULL or NaN both, or neither, may hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING, Any

from proxydb.lake.pruning.columns import Column, find_column
from proxydb.lake.pruning.expression import (
    And,
    Comparison,
    Constant,
    Expression,
    IsNull,
    Not,
    OneOf,
    Opaque,
    Or,
    StartsWith,
)
from proxydb.lake.pruning.intervals import Interval, interval, successor

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from proxydb.lake.pruning.expression import Operator, Path


class Condition:
    """Something that is true, false or unknown of a file."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Fixed(Condition):
    """The same for every file; None is unknown."""

    value: bool | None


@dataclass(frozen=True, slots=True)
class All(Condition):
    """Every arm: false if one is, else unknown if one is."""

    arms: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Any_(Condition):
    """Some arm: true if one is, else unknown if one is."""

    arms: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class HasNulls(Condition):
    """Some row is NULL."""

    column: Column


@dataclass(frozen=True, slots=True)
class HasValues(Condition):
    """Some row is not NULL."""

    column: Column


@dataclass(frozen=True, slots=True)
class Below(Condition):
    """Some value may lie below `bound`, or at it if not `strict`."""

    column: Column
    bound: Any
    strict: bool


@dataclass(frozen=True, slots=True)
class Above(Condition):
    """Some value may lie above `bound`, or at it if not `strict`."""

    column: Column
    bound: Any
    strict: bool


@dataclass(frozen=True, slots=True)
class Among(Condition):
    """Some value may lie in one of these intervals."""

    column: Column
    intervals: tuple[Interval, ...]


UNKNOWN = Fixed(None)
_OPPOSITE: dict[Operator, Operator] = {"=": "!=", "!=": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}


@dataclass(frozen=True, slots=True)
class Described:
    """What has to be known of a table to ask its files.

    Parameters
    ----------
    schema
        The parsed Delta schema.
    partition_columns
        Their names.
    zone
        The zone of times in a predicate that have none.
    nan_free
        Whether no float is NaN. Writers leave NaN out of minima and maxima, and databases sort it above all numbers.
    """

    schema: dict[str, Any]
    partition_columns: Sequence[str]
    zone: tzinfo = UTC
    nan_free: bool = False

    def column(self, path: Path) -> Column:
        """The column of a path."""
        return find_column(self.schema, self.partition_columns, path)


def condition(expression: Expression, table: Described, wanted: bool = True) -> Condition:
    """Whether a file may hold a row for which `expression` is `wanted`.

    Raises
    ------
    proxydb.lake.errors.PredicateError
        It names a column that the table does not have.

    References
    ----------
    Delta PROTOCOL: Per-file Statistics. The rules are those of Delta Kernel's data skipping and of DataFusion's pruning
    predicates; NaN and truncated bounds are treated with more care.
    """
    return _READERS[type(expression)](expression, table, wanted)


def _and(expression: And, table: Described, wanted: bool) -> Condition:
    return _joined(All if wanted else Any_, expression.arms, table, wanted)


def _or(expression: Or, table: Described, wanted: bool) -> Condition:
    return _joined(Any_ if wanted else All, expression.arms, table, wanted)


def _joined(kind: type[All] | type[Any_], arms: Sequence[Expression], table: Described, wanted: bool) -> Condition:
    return kind(tuple(condition(arm, table, wanted) for arm in arms))


def _not(expression: Not, table: Described, wanted: bool) -> Condition:
    return condition(expression.arm, table, not wanted)


def _constant(expression: Constant, table: Described, wanted: bool) -> Condition:
    return Fixed(expression.value is wanted)


def _opaque(expression: Opaque, table: Described, wanted: bool) -> Condition:
    return UNKNOWN


def _is_null(expression: IsNull, table: Described, wanted: bool) -> Condition:
    column = table.column(expression.column)
    return HasNulls(column) if wanted else HasValues(column)


def _comparison(expression: Comparison, table: Described, wanted: bool) -> Condition:
    column = table.column(expression.column)
    operator = expression.operator if wanted else _OPPOSITE[expression.operator]
    meant = interval(column, expression.value, table.zone)
    if meant is None or (_may_be_nan(column, table) and not _fails_for_nan(expression.operator, wanted)):
        return All((HasValues(column), UNKNOWN))
    return All((HasValues(column), _within(column, operator, meant)))


def _within(column: Column, operator: Operator, meant: Interval) -> Condition:
    if operator == "=":
        return Among(column, (meant,))
    below = Below(column, meant.high, operator != "<=")
    above = Above(column, meant.low, operator != ">=")
    if operator == "!=":
        return Any_((below, above))
    return below if operator in ("<", "<=") else above


def _may_be_nan(column: Column, table: Described) -> bool:
    return column.kind in ("double", "float") and not table.nan_free


def _fails_for_nan(operator: Operator, wanted: bool) -> bool:
    """Whether no database finds NaN so: some sort it above all numbers, for others it has no order."""
    return operator in ("=", "<", "<=") if wanted else operator == "!="


def _one_of(expression: OneOf, table: Described, wanted: bool) -> Condition:
    column = table.column(expression.column)
    if not wanted:
        differs = tuple(Comparison(expression.column, "!=", value) for value in expression.values)
        return condition(And(differs), table, True)
    meant = [interval(column, value, table.zone) for value in expression.values]
    known = tuple(each for each in meant if each is not None)
    among = Among(column, known) if len(known) == len(meant) else UNKNOWN
    return All((HasValues(column), among))


def _starts_with(expression: StartsWith, table: Described, wanted: bool) -> Condition:
    column = table.column(expression.column)
    if column.kind != "string" or not wanted or interval(column, expression.prefix, table.zone) is None:
        return All((HasValues(column), UNKNOWN))
    end = successor(expression.prefix)
    below = (Below(column, end, True),) if end else ()
    return All((HasValues(column), Above(column, expression.prefix, False), *below))


_READERS: dict[type[Expression], Callable[[Any, Described, bool], Condition]] = {
    And: _and,
    Or: _or,
    Not: _not,
    Constant: _constant,
    Opaque: _opaque,
    IsNull: _is_null,
    Comparison: _comparison,
    OneOf: _one_of,
    StartsWith: _starts_with,
}


def of_partitions(asked: Condition) -> Condition:
    """What is left of a condition when the statistics are not known."""
    if isinstance(asked, All | Any_):
        return type(asked)(tuple(map(of_partitions, asked.arms)))
    if isinstance(asked, Fixed):
        return asked
    column: Column = asked.column  # type: ignore[attr-defined]
    return asked if column.is_partition else UNKNOWN
