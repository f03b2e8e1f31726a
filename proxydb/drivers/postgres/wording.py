"""What the text of a Postgres statement alone says against keeping its result, and the names that it may mean.

Nothing is parsed: whatever could name a relation or a function is taken to do so, and the catalog is asked about all of
it (`catalog.py`). So a statement that is not understood is at worst not kept.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from proxydb.drivers.base import NOTHING, Analysis
from proxydb.sql.classify import locks_rows
from proxydb.sql.tokens import OPERATOR, PLACEHOLDER, QUOTED, STRING, WORD, tokenize

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from proxydb.sql.tokens import Token

_REFUSED_WORDS = frozenset(
    """
    current_date current_time current_timestamp localtime localtimestamp current_user session_user user current_role
    current_catalog current_schema system_user tablesample xmltable
    """.split()
)
_TIME_TYPES = frozenset({"date", "time", "timestamp", "timestamptz", "timetz"})
_PUNCTUATION = frozenset({"(", ")", ",", ";", ".", "::", "[", "]", ":="})

TIMELY = re.compile(rb"(?i)now|today|tomorrow|yesterday")
"""Input that Postgres reads as the time of day when it becomes a date or a time (manual, table 8.13)."""


class Names(NamedTuple):
    """What a text may name.

    Parameters
    ----------
    words
        Every word, which may name a relation, or a function in attribute notation.
    called
        The words before a parenthesis, which may name functions.
    operators
        The operators.
    """

    words: frozenset[str]
    called: frozenset[str]
    operators: frozenset[str]

    def joined(self, other: Names) -> Names:
        """Both together."""
        return Names(self.words | other.words, self.called | other.called, self.operators | other.operators)


def analyse(sql: str) -> Analysis:
    """What the text alone says: a refusal, or nothing yet."""
    return Analysis(NOTHING, NOTHING, refusal(tokenize(sql, "postgresql")))


def refusal(tokens: Sequence[Token]) -> str:
    """Why the result of a statement with these tokens must not be kept; empty when the text has nothing against it."""
    return next(filter(None, (objection(tokens) for objection in _OBJECTIONS)), "")


def names(sql: str) -> Names:
    """What `sql` may name, in the spelling in which the catalog has it."""
    tokens = tokenize(sql, "postgresql")
    words = {(place, _name(token)) for place, token in enumerate(tokens) if token.kind in (WORD, QUOTED)}
    called = frozenset(name for place, name in words if place + 1 < len(tokens) and tokens[place + 1].text == "(")
    operators = frozenset(token.text for token in tokens if token.kind == OPERATOR) - _PUNCTUATION
    return Names(frozenset(name for _, name in words), called, operators)


def _name(token: Token) -> str:
    return token.text[1:-1].replace('""', '"') if token.kind == QUOTED else token.text


def _locking(tokens: Sequence[Token]) -> str:
    return "locks rows" if locks_rows(tokens) else ""


def _refused_word(tokens: Sequence[Token]) -> str:
    found = {token.text for token in tokens if token.kind == WORD} & _REFUSED_WORDS
    return f"depends on more than the data: {', '.join(sorted(found))}" if found else ""


def _escaped_names(tokens: Sequence[Token]) -> str:
    return "a name with Unicode escapes" if any(token.text[:2] in ('u&"', 'U&"') for token in tokens) else ""


def _timely_literal(tokens: Sequence[Token]) -> str:
    literals = (token.text for token in tokens if token.kind == STRING)
    return "a literal such as 'now'" if any(TIMELY.search(text.encode()) for text in literals) else ""


def _computed_time(tokens: Sequence[Token]) -> str:
    """A cast to a date or time of anything but a literal: the text that is cast may say 'now'."""
    if any(_is_computed(tokens, place) for place in _time_types(tokens)):
        return "a computed value is cast to a date or a time"
    return ""


def _time_of_day(tokens: Sequence[Token]) -> str:
    """A time of day takes its zone's offset from the date of today."""
    if any(tokens[place].text in ("time", "timetz") and _is_type(tokens, place) for place in _time_types(tokens)):
        return "a time of day, whose zone depends on the date"
    return ""


def _is_type(tokens: Sequence[Token], place: int) -> bool:
    before = tokens[place - 1].text if place else ""
    after = tokens[place + 1] if place + 1 < len(tokens) else None
    return before in ("::", "as") or (after is not None and after.kind == STRING)


def _time_types(tokens: Sequence[Token]) -> Iterator[int]:
    return (place for place, token in enumerate(tokens) if token.kind == WORD and token.text in _TIME_TYPES)


def _is_computed(tokens: Sequence[Token], place: int) -> bool:
    before = tokens[place - 1].text if place else ""
    after = tokens[place + 1].text if place + 1 < len(tokens) else ""
    if before in ("::", "as"):
        return tokens[place - 2].kind not in (STRING, PLACEHOLDER)
    return after == "("


_OBJECTIONS = (_locking, _refused_word, _escaped_names, _timely_literal, _computed_time, _time_of_day)
