"""Predicates over a table's data columns as values: what `col` builds and what a SQL string is parsed into."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

Operator = Literal["=", "!=", "<", "<=", ">", ">="]
Path = tuple[str, ...]


class Expression:
    """A predicate; `&`, `|` and `~` combine predicates as AND, OR and NOT of SQL do, with NULL as the third value."""

    __slots__ = ()

    def __and__(self, other: Expression) -> Expression:
        return And((self, other))

    def __or__(self, other: Expression) -> Expression:
        return Or((self, other))

    def __invert__(self) -> Expression:
        return Not(self)

    def __bool__(self) -> bool:
        raise TypeError("a predicate is neither true nor false: combine predicates with &, | and ~")


@dataclass(frozen=True, slots=True)
class Comparison(Expression):
    """A column against a value that is not NULL."""

    column: Path
    operator: Operator
    value: Any


@dataclass(frozen=True, slots=True)
class OneOf(Expression):
    """A column against a list of values that are not NULL."""

    column: Path
    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class StartsWith(Expression):
    """A string column against a prefix, case-sensitively."""

    column: Path
    prefix: str


@dataclass(frozen=True, slots=True)
class IsNull(Expression):
    """Whether a column is NULL."""

    column: Path


@dataclass(frozen=True, slots=True)
class And(Expression):
    """All of these."""

    arms: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Or(Expression):
    """Any of these."""

    arms: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Not(Expression):
    """The opposite."""

    arm: Expression


@dataclass(frozen=True, slots=True)
class Constant(Expression):
    """TRUE, FALSE, or NULL as None."""

    value: bool | None


@dataclass(frozen=True, slots=True)
class Opaque(Expression):
    """Something that is not understood, and may be anything."""


class ColumnReference:
    """A column to compare; made by `col`.

    Values are of Python's types: int, float, Decimal, str, bool, date, datetime. A comparison with None is never true,
    as in SQL.
    """

    __slots__ = ("_path",)
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, path: Path) -> None:
        self._path = path

    def __eq__(self, value: object) -> Expression:  # type: ignore[override]
        return compared(self._path, "=", value)

    def __ne__(self, value: object) -> Expression:  # type: ignore[override]
        return compared(self._path, "!=", value)

    def __lt__(self, value: object) -> Expression:
        return compared(self._path, "<", value)

    def __le__(self, value: object) -> Expression:
        return compared(self._path, "<=", value)

    def __gt__(self, value: object) -> Expression:
        return compared(self._path, ">", value)

    def __ge__(self, value: object) -> Expression:
        return compared(self._path, ">=", value)

    def __bool__(self) -> bool:
        raise TypeError("a column is neither true nor false: compare it with a value")

    def is_null(self) -> Expression:
        """The column is NULL."""
        return IsNull(self._path)

    def is_in(self, values: Iterable[Any]) -> Expression:
        """The column has one of `values`."""
        return one_of(self._path, tuple(values))

    def between(self, low: Any, high: Any) -> Expression:
        """The column is at least `low` and at most `high`."""
        return And((compared(self._path, ">=", low), compared(self._path, "<=", high)))

    def starts_with(self, prefix: str) -> Expression:
        """The column is a string that begins with `prefix`."""
        return StartsWith(self._path, prefix)

    def is_distinct_from(self, value: Any) -> Expression:
        """The column differs from `value`, where NULL differs from every value and not from None."""
        return distinct(self._path, value)


def col(*path: str) -> ColumnReference:
    """A column of a table, to build a predicate for `Table.prune_files` from.

    Parameters
    ----------
    path
        Its name; for a field of a struct the names from the outermost inward, each for itself.
    """
    if not path or not all(isinstance(part, str) for part in path):
        raise TypeError("a column is named by one or more strings")
    return ColumnReference(path)


def compared(column: Path, operator: Operator, value: Any) -> Expression:
    """A comparison, which is NULL when the value is."""
    return Constant(None) if value is None else Comparison(column, operator, value)


def one_of(column: Path, values: tuple[Any, ...]) -> Expression:
    """IN with a list; a NULL in it makes what would be false NULL."""
    known = OneOf(column, tuple(value for value in values if value is not None))
    return known if len(known.values) == len(values) else Or((known, Constant(None)))


def distinct(column: Path, value: Any) -> Expression:
    """IS DISTINCT FROM, which is never NULL itself."""
    if value is None:
        return Not(IsNull(column))
    return Or((And((Comparison(column, "!=", value), Not(IsNull(column)))), IsNull(column)))
