"""What the text of a Postgres statement alone says against keeping its result, and the names that it may mean.

Nothing is parsed: whatever could name a relation or a function is taken to do so, and the catalog is asked about all of
it (`catalog.py`). So a statement that is not understood is at worst not kept.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from proxydb.drivers.base import NOTHING, Analysis
from proxydb.sql.classify import locks_rows
from proxydb.sql.tokens import NUMBER, OPERATOR, PLACEHOLDER, QUOTED, STRING, WORD, tokenize

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from proxydb.sql.tokens import Token

_REFUSED_WORDS = frozenset(
    """
    current_date current_time current_timestamp localtime localtimestamp current_user session_user user current_role
    current_catalog current_schema system_user tablesample xmltable json_table json_query json_value returning
    """.split()
)
_TIME_TYPES = frozenset({"date", "time", "timestamp", "timestamptz", "timetz"})
_TIMELESS = frozenset(
    """
    bigint bit bool boolean box bpchar bytea char character cidr circle decimal double float float4 float8 inet int int2
    int4 int8 integer interval json jsonb line lseg macaddr money name national numeric oid path point polygon real
    regclass regtype smallint text tsquery tsvector uuid varbit varchar
    """.split()
)
_PUNCTUATION = frozenset({"(", ")", ",", ";", ".", "::", "[", "]", ":="})

_PREPARED = "pg_prepared_statement"

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
    if shows_prepared(sql):
        return Analysis(NOTHING, NOTHING, "shows the session's prepared statements", exposes=True)
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


@lru_cache(maxsize=1000)
def shows_prepared(query: str | bytes) -> bool:
    """Whether a statement may show which statements the session has prepared."""
    return _PREPARED in (query if isinstance(query, str) else query.decode(errors="replace")).lower()


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


def _hidden_literal(tokens: Sequence[Token]) -> str:
    """A literal whose text is not what is written: escapes, or the continuation of the string before it."""
    strings = [(place, token) for place, token in enumerate(tokens) if token.kind == STRING]
    escaping = any(token.text[0] in "eEuU" for _, token in strings)
    if escaping and any("\\" in token.text for _, token in strings):
        return "a literal with escapes"
    return "a literal in parts" if any(tokens[place - 1].kind == STRING for place, _ in strings[1:]) else ""


def _computed_cast(tokens: Sequence[Token]) -> str:
    """A cast of anything but a literal to a type that may be, or hold, a date or a time: the text may say 'now'."""
    if any(not _is_literal(tokens, place) for place in _cast_targets(tokens) if tokens[place].text not in _TIMELESS):
        return "a computed value is cast to a type that may hold a date or a time"
    calls = (place for place, token in enumerate(tokens[:-1]) if token.text in _TIME_TYPES)
    return (
        "a computed value is cast to a date or a time" if any(tokens[place + 1].text == "(" for place in calls) else ""
    )


def _cast_targets(tokens: Sequence[Token]) -> Iterator[int]:
    """Where the types stand that something is cast to: after ``::``, and after AS inside ``cast(…)``."""
    casting: list[bool] = []
    for place, token in enumerate(tokens):
        if token.text == "(":
            casting.append(place > 0 and tokens[place - 1].text in ("cast", "treat"))
        elif token.text == ")" and casting:
            casting.pop()
        elif place + 1 < len(tokens) and (token.text == "::" or (token.text == "as" and casting and casting[-1])):
            yield place + 1


def _is_literal(tokens: Sequence[Token], place: int) -> bool:
    """Whether what is cast to the type at `place` is a literal or a parameter, and nothing around it."""
    operand = tokens[place - 2] if place > 1 else tokens[0]
    alone = tokens[place - 1].text == "::" or (place > 2 and tokens[place - 3].text == "(")
    return operand.kind in (STRING, PLACEHOLDER, NUMBER) and alone


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


_OBJECTIONS = (
    _locking,
    _refused_word,
    _escaped_names,
    _timely_literal,
    _hidden_literal,
    _computed_cast,
    _time_of_day,
)
