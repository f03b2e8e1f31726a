"""Whether computing an expression can raise: then a trigger leaves it alone, as it would raise for the writer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxydb.sql.tokens import OPERATOR, WORD, tokenize

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
