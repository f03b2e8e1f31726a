"""Parses a SQL predicate into an expression; the only door to sqlglot.

A closed list of node types is understood, and anything else is opaque: what it says is unknown, so it prunes nothing.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NoReturn

import sqlglot
from sqlglot import exp

from proxydb.lake.errors import PredicateError
from proxydb.lake.pruning.expression import (
    And,
    Comparison,
    Constant,
    Expression,
    IsNull,
    Not,
    Opaque,
    Or,
    StartsWith,
    compared,
    distinct,
    one_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxydb.lake.pruning.expression import Operator, Path


Node = Any
"""A node of a syntax tree; sqlglot's own base class has had several names."""


class _NotUnderstood(Exception):
    """A node outside the closed list."""


def parse_predicate(text: str) -> Expression:
    """The expression that a predicate in SQL means.

    Parameters
    ----------
    text
        What could stand after WHERE: strings in single quotes, odd names in double quotes.

    Raises
    ------
    proxydb.lake.errors.PredicateError
        It is not a predicate.
    """
    try:
        node = sqlglot.parse_one(text, into=exp.Condition)
    except (sqlglot.errors.SqlglotError, RecursionError) as error:
        _refuse(text, error)
    if not isinstance(node, exp.Condition) or isinstance(node, exp.Query):
        raise PredicateError(f"{text!r:.200} is not a predicate: write what could stand after WHERE")
    try:
        return _expression(node)
    except RecursionError as error:
        _refuse(text, error)


def _refuse(text: str, error: Exception) -> NoReturn:
    """Say where the text stops to be a predicate, as far as the parser knows."""
    described = ", as it is nested too deeply" if isinstance(error, RecursionError) else ""
    for place in getattr(error, "errors", [])[:1]:
        described = f" near {place['highlight']!r} (line {place['line']}, column {place['col']})"
    raise PredicateError(f"the predicate {text!r:.200} cannot be parsed{described}") from None


def _expression(node: Node) -> Expression:
    """The meaning of a node; opaque where that is not understood."""
    reader = _READERS.get(type(node))
    if reader is None or not _is_plain(node):
        return Opaque()
    try:
        return reader(node)
    except _NotUnderstood:
        return Opaque()


def _is_plain(node: Node) -> bool:
    """Whether a node has no arguments but the known ones; ``NOT LIKE``, say, is a LIKE with one more."""
    return all(name in _ARGUMENTS for name, value in node.args.items() if value)


def _and(node: Node) -> Expression:
    return And(tuple(_expression(arm) for arm in node.flatten()))


def _or(node: Node) -> Expression:
    return Or(tuple(_expression(arm) for arm in node.flatten()))


def _not(node: Node) -> Expression:
    return Not(_expression(node.this))


def _parenthesis(node: Node) -> Expression:
    return _expression(node.this)


def _comparison(node: Node) -> Expression:
    operator, mirrored = _OPERATORS[type(node)]
    if isinstance(_bare(node.this), exp.Column | exp.Dot):
        return compared(_path(node.this), operator, _value(node.expression))
    return compared(_path(node.expression), mirrored, _value(node.this))


def _between(node: Node) -> Expression:
    column = _path(node.this)
    bounds: tuple[tuple[Operator, str], ...] = ((">=", "low"), ("<=", "high"))
    return And(tuple(compared(column, operator, _value(node.args[name])) for operator, name in bounds))


def _in(node: Node) -> Expression:
    return one_of(_path(node.this), tuple(map(_value, node.expressions)))


def _is(node: Node) -> Expression:
    column, value = _path(node.this), _value(node.expression)
    if value is None:
        return IsNull(column)
    if not isinstance(value, bool):
        raise _NotUnderstood
    return And((Comparison(column, "=", value), Not(IsNull(column))))


def _same(node: Node) -> Expression:
    return Not(_different(node))


def _different(node: Node) -> Expression:
    return distinct(_path(node.this), _value(node.expression))


def _like(node: Node) -> Expression:
    """A pattern says at least how the string begins; a backslash may escape what follows it, or mean itself."""
    column, pattern = _path(node.this), _value(node.expression)
    if not isinstance(pattern, str):
        raise _NotUnderstood
    prefix = re.split(r"[%_\\]", pattern, maxsplit=1)[0]
    if prefix == pattern:
        return compared(column, "=", pattern)
    begins = StartsWith(column, prefix)
    return begins if pattern.rstrip("%") == prefix else And((begins, Opaque()))


def _flag(node: Node) -> Expression:
    return Comparison(_path(node), "=", True)


def _constant(node: Node) -> Expression:
    return Constant(_value(node))


_ARGUMENTS = frozenset(
    ("this", "expression", "expressions", "low", "high", "table", "db", "catalog", "to", "is_string", "quoted")
)
_OPERATORS: dict[type[Any], tuple[Operator, Operator]] = {
    exp.EQ: ("=", "="),
    exp.NEQ: ("!=", "!="),
    exp.LT: ("<", ">"),
    exp.LTE: ("<=", ">="),
    exp.GT: (">", "<"),
    exp.GTE: (">=", "<="),
}
_READERS: dict[type[Any], Callable[[Node], Expression]] = {
    **dict.fromkeys(_OPERATORS, _comparison),
    exp.And: _and,
    exp.Or: _or,
    exp.Not: _not,
    exp.Paren: _parenthesis,
    exp.Between: _between,
    exp.In: _in,
    exp.Is: _is,
    exp.NullSafeEQ: _same,
    exp.NullSafeNEQ: _different,
    exp.Like: _like,
    exp.Column: _flag,
    exp.Dot: _flag,
    exp.Boolean: _constant,
    exp.Null: _constant,
}


def _bare(node: Node) -> Node:
    while isinstance(node, exp.Paren):
        node = node.this
    return node


def _path(node: Node) -> Path:
    """The names of a column, from the outermost struct inward."""
    node = _bare(node)
    if not isinstance(node, exp.Column | exp.Dot):
        raise _NotUnderstood
    if not _is_plain(node) or not all(isinstance(part, exp.Identifier) for part in node.parts):
        raise _NotUnderstood
    return tuple(part.name for part in node.parts)


def _value(node: Node) -> Any:
    """The Python value of a constant."""
    node = _bare(node)
    if isinstance(node, exp.Neg):
        value = _value(node.this)
        if isinstance(value, int | Decimal) and not isinstance(value, bool):
            return -value
        raise _NotUnderstood
    reader = _CONSTANTS.get(type(node))
    if reader is None or not _is_plain(node):
        raise _NotUnderstood
    return reader(node)


def _literal(node: Node) -> Any:
    text = str(node.this)
    if node.is_string:
        return text
    if re.fullmatch(r"\d{1,1000}", text):
        return int(text)
    if re.fullmatch(r"\d*\.?\d*(?:[eE][+-]?\d{1,3})?", text) and re.search(r"\d", text):
        return Decimal(text)
    raise _NotUnderstood


def _cast(node: Node) -> Any:
    """A string as a date or a time, as ``DATE '…'`` is; other casts change values in ways of their own."""
    reader = _CASTS.get(node.args["to"].this)
    if reader is None or not node.this.is_string:
        raise _NotUnderstood
    try:
        return reader(str(node.this.this))
    except ValueError:
        raise _NotUnderstood from None


def _date(text: str) -> date:
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        raise ValueError(text)
    return date.fromisoformat(text)


_CASTS: dict[Any, Callable[[str], Any]] = {
    exp.DataType.Type.DATE: _date,
    exp.DataType.Type.TIMESTAMP: datetime.fromisoformat,
    exp.DataType.Type.TIMESTAMPTZ: datetime.fromisoformat,
    exp.DataType.Type.TIMESTAMPNTZ: datetime.fromisoformat,
}
_CONSTANTS: dict[type[Any], Callable[[Node], Any]] = {
    exp.Literal: _literal,
    exp.Boolean: lambda node: bool(node.this),
    exp.Null: lambda node: None,
    exp.Cast: _cast,
}
