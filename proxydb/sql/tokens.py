"""Statement text into tokens, as the database's own lexer would cut it.

Sources: SQLite `tokenize.c`; PostgreSQL manual, section 4.1 "Lexical Structure"; psycopg, "Passing parameters".
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

WORD, QUOTED, STRING, NUMBER, PLACEHOLDER, OPERATOR = "word", "quoted", "string", "number", "placeholder", "operator"
_SPACE, _COMMENT, _OPENED = "space", "comment", "opened"


class Token(NamedTuple):
    """One token of a statement; white space and comments are no tokens.

    Parameters
    ----------
    kind
        ``"word"`` (keyword or bare identifier), ``"quoted"`` (quoted identifier), ``"string"``, ``"number"``,
        ``"placeholder"`` or ``"operator"`` (punctuation too).
    text
        As written, but a bare ASCII word in lower case.
    line_break
        Whether a line break stands before it; Postgres joins strings across one.
    """

    kind: str
    text: str
    line_break: bool = False


# To both databases every character beyond ASCII is one of identifiers, also what Python holds for white space.
_SPACES = r"[ \t\n\r\f]"
_START = r"[A-Za-z_\x80-\U0010ffff]"
_REST = r"[A-Za-z0-9_$\x80-\U0010ffff]"
_NUMBER = r"\.?[0-9](?:[eE][+-][0-9]+|[A-Za-z0-9_\x80-\U0010ffff]|\.(?!\.))*"

_SQLITE = rf"""
  (?P<space>{_SPACES}+)
| (?P<comment>--[^\n]*)
| (?P<opened>/\*)
| (?P<string>[xX]?'(?:[^']|'')*')
| (?P<quoted>"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\])
| (?P<number>{_NUMBER})
| (?P<placeholder>\?[0-9]*|[:@\#$]{_REST}+(?:::{_REST}+)*(?:\([^)\s]*\))?)
| (?P<word>{_START}{_REST}*)
| (?P<operator>[;(),.]|(?:(?!--|/\*)[-+*/<>=!%&|~^])+|.)
"""

_POSTGRES = rf"""
  (?P<space>{_SPACES}+)
| (?P<comment>--[^\n\r]*)
| (?P<opened>/\*)
| (?P<string>[bBxXnN]?'(?:[^']|'')*'|[uU]&'(?:[^']|'')*'
            |[eE]'(?:[^'\\]|\\.|'')*'(?:[ \t\f]*[\r\n]{_SPACES}*'(?:[^'\\]|\\.|'')*')*
            |\$(?P<tag>(?:[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_\x80-\U0010ffff]*)?)\$.*?\$(?P=tag)\$)
| (?P<quoted>(?:[uU]&)?"(?:[^"]|"")*")
| (?P<escape>%%)
| (?P<placeholder>%\([^)]*\)[sbt]|%[sbt]|\$[0-9]+)
| (?P<number>{_NUMBER})
| (?P<word>{_START}{_REST}*)
| (?P<operator>[;(),.\[\]]|::|:=|(?:(?!--|/\*|%[%sbt(])[-+*/<>=~!@\#%^&|`?])+|.)
"""

_PATTERNS = {"sqlite": _SQLITE, "postgresql": _POSTGRES}
_COMMENT_ENDS = re.compile(r"/\*|\*/")


@cache
def _pattern(system: str) -> re.Pattern[str]:
    """The pattern of a database's tokens, compiled at its first use."""
    return re.compile(_PATTERNS[system], re.VERBOSE | re.DOTALL)


def tokenize(sql: str, system: str) -> tuple[Token, ...]:
    """Cut `sql` into tokens by the rules of `system` (``"sqlite"`` or ``"postgresql"``)."""
    return tuple(_tokens(sql, _pattern(system), nested=system == "postgresql"))


def locate(sql: str, system: str) -> tuple[tuple[Token, int, int], ...]:
    """The tokens of `sql`, each with the offsets in characters where it begins and ends."""
    return tuple(_located(sql, _pattern(system), nested=system == "postgresql"))


def _tokens(sql: str, pattern: re.Pattern[str], *, nested: bool) -> Iterator[Token]:
    return (token for token, _, _ in _located(sql, pattern, nested=nested))


def _located(sql: str, pattern: re.Pattern[str], *, nested: bool) -> Iterator[tuple[Token, int, int]]:
    position, line_break = 0, False
    while position < len(sql):
        match = pattern.match(sql, position)
        assert match is not None and match.lastgroup is not None  # the last alternative takes any character
        kind, text, start, position = _kind(match), match.group(), position, match.end()
        if kind == _OPENED:
            position = _comment_end(sql, position, nested)
        elif kind not in (_SPACE, _COMMENT):
            yield Token(kind, _folded(kind, text), line_break), start, position
            line_break = False
            continue
        line_break = line_break or "\n" in text


_SAME_AS = {"tag": STRING, "escape": OPERATOR}


def _kind(match: re.Match[str]) -> str:
    """The kind of what matched; a dollar quote's tag and psycopg's ``%%`` are groups of their own."""
    kind = match.lastgroup or OPERATOR
    return _SAME_AS.get(kind, kind)


def _folded(kind: str, text: str) -> str:
    """Bare words fold to lower case on both databases, but only their ASCII letters do so on both."""
    return text.lower() if kind == WORD and text.isascii() else text


def _comment_end(sql: str, position: int, nested: bool) -> int:
    """Where the block comment that was opened before `position` ends; an open end runs to the end of the text."""
    depth = 1
    while depth:
        match = _COMMENT_ENDS.search(sql, position)
        if match is None:
            return len(sql)
        position = match.end()
        depth += 1 if nested and match.group() == "/*" else -1 if match.group() == "*/" else 0
    return position


def quoted(name: str) -> str:
    """A name as an identifier of SQL, on both databases."""
    return '"' + name.replace('"', '""') + '"'
