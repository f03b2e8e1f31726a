"""What an expression of the user's may do in a trigger: raise for the writer, or depend on the writer's settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxydb.sql.tokens import OPERATOR, QUOTED, STRING, WORD, tokenize

if TYPE_CHECKING:
    from collections.abc import Iterable

_OPERATORS = frozenset("= <> != < > <= >= ( ) , .".split())
_BEFORE_PARENTHESES = frozenset(
    "and or not in when then else case coalesce nullif greatest least where is between".split()
)
_UNSURE = frozenset("like ilike similar cast select overlaps at any some all array row".split())


def may_raise(texts: Iterable[str]) -> bool:
    """Whether one of some expressions consists of more than columns, literals, comparisons and what combines these."""
    return any(_may_raise(text) for text in texts)


def is_column(text: str) -> bool:
    """Whether an expression is a column, with or without its table's name: whatever the settings, it is the same."""
    return all(token.kind in (WORD, QUOTED) or token.text == "." for token in tokenize(text, "postgresql"))


def has_string(text: str) -> bool:
    """Whether an expression has a string literal, which may be one of a date, or calls or casts something."""
    return any(token.kind == STRING or token.text in ("(", "::") for token in tokenize(text, "postgresql"))


def _may_raise(text: str) -> bool:
    tokens = tokenize(text, "postgresql")
    for token, following in zip(tokens, [*tokens[1:], None], strict=True):
        if token.kind == OPERATOR and token.text not in _OPERATORS:
            return True
        if token.kind == WORD and token.text in _UNSURE:
            return True
        opens = following is not None and following.text == "("
        if opens and token.kind != OPERATOR and token.text not in _BEFORE_PARENTHESES:
            return True
    return False
