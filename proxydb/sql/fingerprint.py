"""Two short forms of a statement: its normal form names cached rows, its fingerprint groups statistics."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from proxydb.sql.tokens import NUMBER, OPERATOR, PLACEHOLDER, STRING, WORD

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from proxydb.sql.tokens import Token

_LITERALS = frozenset({STRING, NUMBER, PLACEHOLDER})
_LISTS = re.compile(r"\(\?(?:, \?)+\)")
_ROWS = re.compile(r"(\(\?\))(?:, \(\?\))+")


def normal_form(tokens: Sequence[Token]) -> str:
    """The text with one space between tokens: equal forms are the same statement, literals included.

    White space, comments, the case of bare words and a last semicolon do not show; all else does.
    """
    meaningful = tokens[:-1] if tokens and tokens[-1].text == ";" else tokens
    return "".join(("\n" if _joins(token) else " ") + token.text for token in meaningful)[1:]


def _joins(token: Token) -> bool:
    """On Postgres a string after a line break continues the string before it; on one line it is an error."""
    return token.kind == STRING and token.line_break


def fingerprint(tokens: Sequence[Token]) -> str:
    """The text with every literal and parameter as ``?`` and lists of them as ``(?)``.

    >>> from proxydb.sql.tokens import tokenize
    >>> fingerprint(tokenize("SELECT * FROM t WHERE a IN (1, 2, 3) AND b = 'x'", "sqlite"))
    'select * from t where a in (?) and b = ?'
    """
    text, previous = "", None
    for token in _without_keys(tokens):
        text += _gap(previous, token) + ("?" if token.kind in _LITERALS else token.text)
        previous = token
    return _ROWS.sub(r"\1", _LISTS.sub("(?)", text)).rstrip(";")


def _without_keys(tokens: Sequence[Token]) -> Iterator[Token]:
    """The tokens, with a literal for each word that encrypts: ``PRAGMA key = "…"``, ``ATTACH … KEY …`` (SQLCipher)."""
    begins = _SECRETS.get(tokens[0].text, frozenset()) if tokens else frozenset()
    secret = False
    for token in tokens:
        yield token._replace(kind=STRING) if secret and token.kind != OPERATOR else token
        secret = secret or (token.kind == WORD and token.text in begins)


_SECRETS = {"pragma": frozenset("key rekey hexkey hexrekey textkey textrekey".split()), "attach": frozenset({"key"})}


def _gap(previous: Token | None, token: Token) -> str:
    """No space where a person would write none."""
    if previous is None or token.text in (")", ",", ".", ";", "::") or previous.text in ("(", ".", "::"):
        return ""
    if token.text == "(" and token.kind == OPERATOR and previous.text in _CALLABLE_KEYWORDS:
        return " "
    return "" if token.text == "(" and previous.kind == "word" else " "


_CALLABLE_KEYWORDS = frozenset(
    """
    in values and or not as on using where from select join exists when then else
    """.split()
)


def fingerprint_id(fingerprint: str) -> str:
    """Sixteen hexadecimal digits that stand for a fingerprint in logs and tables (BLAKE2, RFC 7693)."""
    import hashlib  # only now: a process without slow statements never needs it

    return hashlib.blake2s(fingerprint.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
