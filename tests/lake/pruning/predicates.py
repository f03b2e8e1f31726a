"""Random predicates as SQL and as expressions, and what an expression is for one row, with NaN as IEEE 754 has it."""

from __future__ import annotations

import math
import operator
from datetime import date, datetime
from decimal import Decimal
from functools import reduce
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

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
from tests.lake.pruning.soundness import VALUES

if TYPE_CHECKING:
    from collections.abc import Callable

OPERATORS = ("=", "!=", "<", "<=", ">", ">=", "<>")
NAMES = list(VALUES)
EXTRA: dict[str, list[Any]] = {
    "n": [Decimal("1.5"), Decimal(2**53), 3],
    "x": [Decimal("0.1"), 2, Decimal("1e16"), 0],
    "single": [Decimal("0.1"), Decimal("0.3"), 1],
    "price": [Decimal("0.1"), 1, Decimal("99.985")],
    "huge": [Decimal("12345678901234567890.12345"), 0],
    "word": ["m", "zzz"],
    "p": ["w", "100%"],
    "pn": [5, Decimal("0.5")],
}


def literal(value: Any) -> str:
    """A value in SQL."""
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, datetime):
        return f"{'TIMESTAMPTZ' if value.tzinfo else 'TIMESTAMP'} '{value.isoformat(sep=' ')}'"
    if isinstance(value, date):
        return f"DATE '{value.isoformat()}'"
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float):
        return repr(value) if "e" in repr(value) else f"{value!r}e0"
    return str(value)


def values(name: str) -> st.SearchStrategy[Any]:
    """Values to compare a column with, those that it has among them; none that has no literal."""
    found = [value for value in VALUES[name] + EXTRA.get(name, []) if not _has_no_literal(value)]
    return st.sampled_from(found)


def _has_no_literal(value: Any) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


@st.composite
def atoms(draw: st.DrawFn) -> str:
    """A comparison, or something of its kind, on one column."""
    name = draw(st.sampled_from(NAMES))
    value, other = draw(values(name)), draw(values(name))
    prefix = value[:3] if isinstance(value, str) else ""
    prefix = prefix.replace("%", "").replace("_", "").replace("\\", "")
    forms = [
        f"{name} {draw(st.sampled_from(OPERATORS))} {literal(value)}",
        f"{literal(value)} {draw(st.sampled_from(OPERATORS))} {name}",
        f"{name} IS NULL",
        f"{name} IS NOT NULL",
        f"{name} IN ({literal(value)}, {literal(other)})",
        f"{name} NOT IN ({literal(value)}, {literal(other)})",
        f"{name} IN ({literal(value)}, NULL)",
        f"{name} NOT IN ({literal(value)}, NULL)",
        f"{name} BETWEEN {literal(value)} AND {literal(other)}",
        f"{name} NOT BETWEEN {literal(value)} AND {literal(other)}",
        f"{name} IS DISTINCT FROM {literal(value)}",
        f"{name} IS NOT DISTINCT FROM {literal(value)}",
        f"{name} IS DISTINCT FROM NULL",
        f"{name} = NULL",
    ]
    if isinstance(value, str):
        forms += [f"{name} LIKE {literal(prefix + tail)}" for tail in ("%", "", "%a%", "_")]
        forms += [f"{name} NOT LIKE {literal(prefix + '%')}", f"upper({name}) = {literal(value)}"]
        forms += [f"starts_with({name}, {literal(prefix)})"]
    if isinstance(value, bool):
        forms += [name, f"{name} IS TRUE", f"{name} IS NOT TRUE", f"{name} IS FALSE", f"{name} IS NOT FALSE"]
    return draw(st.sampled_from(forms))


PREDICATES = st.recursive(
    atoms() | st.sampled_from(["TRUE", "FALSE"]),
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=4).map(lambda arms: "(" + " AND ".join(arms) + ")"),
        st.lists(inner, min_size=2, max_size=4).map(lambda arms: "(" + " OR ".join(arms) + ")"),
        inner.map(lambda arm: f"(NOT {arm})"),
    ),
    max_leaves=6,
)


def is_true(expression: Expression, row: dict[str, Any]) -> bool | None:
    """What an expression is for a row: true, false, or NULL as None; NaN is unordered, and equal to nothing."""
    return _READERS[type(expression)](expression, row)


def _field(row: Any, path: tuple[str, ...]) -> Any:
    return reduce(lambda found, name: None if found is None else found[name], path, row)


def _comparison(expression: Comparison, row: dict[str, Any]) -> bool | None:
    found, value = _field(row, expression.column), expression.value
    if found is None:
        return None
    return _COMPARED[expression.operator](found, float(value) if _is_nan(found) else value)


def _one_of(expression: OneOf, row: dict[str, Any]) -> bool | None:
    found = _field(row, expression.column)
    if found is None:
        return None
    return not _is_nan(found) and any(found == value for value in expression.values)


def _is_nan(found: Any) -> bool:
    return isinstance(found, float) and math.isnan(found)


def _starts_with(expression: StartsWith, row: dict[str, Any]) -> bool | None:
    found = _field(row, expression.column)
    return None if found is None else found.startswith(expression.prefix)


def _and(expression: And, row: dict[str, Any]) -> bool | None:
    found = [is_true(arm, row) for arm in expression.arms]
    return False if False in found else None if None in found else True


def _or(expression: Or, row: dict[str, Any]) -> bool | None:
    found = [is_true(arm, row) for arm in expression.arms]
    return True if True in found else None if None in found else False


def _not(expression: Not, row: dict[str, Any]) -> bool | None:
    found = is_true(expression.arm, row)
    return None if found is None else not found


_COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_READERS: dict[type[Expression], Callable[[Any, dict[str, Any]], bool | None]] = {
    And: _and,
    Or: _or,
    Not: _not,
    Comparison: _comparison,
    OneOf: _one_of,
    StartsWith: _starts_with,
    IsNull: lambda expression, row: _field(row, expression.column) is None,
    Constant: lambda expression, row: expression.value,
    Opaque: lambda expression, row: None,
}
