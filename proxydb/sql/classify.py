"""What kind of statement a text is, told from its words alone."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from proxydb.sql.tokens import OPERATOR, WORD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proxydb.sql.tokens import Token


class Kind(Enum):
    """The kinds of statement that are treated differently."""

    READ = "read"
    WRITE = "write"
    DDL = "ddl"
    TRANSACTION = "transaction"
    SESSION = "session"
    VIEW = "view"
    OTHER = "other"


_FIRST_WORDS = {
    Kind.READ: "select values with table",
    Kind.WRITE: "insert update delete replace merge",
    Kind.DDL: "create alter drop truncate comment reindex vacuum analyze refresh grant revoke cluster security import",
    Kind.TRANSACTION: "begin start commit end rollback abort savepoint release",
    Kind.SESSION: "set reset discard pragma attach detach load deallocate",
    Kind.OTHER: "explain show call copy lock do listen notify unlisten declare fetch move close execute prepare",
}
_KINDS = {word: kind for kind, words in _FIRST_WORDS.items() for word in words.split()}

_DATA_MODIFYING = frozenset({"insert", "update", "delete", "merge", "replace"})
_LOCK_STRENGTHS = (("update",), ("share",), ("no", "key"), ("key", "share"))


def classify(tokens: Sequence[Token]) -> Kind:
    """The kind of the statement; several statements in one text, and what no row names, are OTHER."""
    first = first_word(tokens)
    kind = _KINDS.get(first, Kind.OTHER)
    if is_several(tokens):
        return Kind.OTHER
    if kind is Kind.READ and (_modifies_data(first, tokens) or _selects_into(tokens)):
        return Kind.WRITE
    return kind


def is_about_views(tokens: Sequence[Token], system: str) -> bool:
    """Whether a statement is about the materialized views that proxydb keeps; those of Postgres are its own."""
    words = [token.text for token in tokens[:4]]
    if not words or words[0] not in ("create", "refresh", "drop"):
        return False
    return words[1:4] == ["incremental", "materialized", "view"] or (
        system == "sqlite" and words[1:3] == ["materialized", "view"]
    )


def first_word(tokens: Sequence[Token]) -> str:
    """The first word of the statement, in lower case; a parenthesis may stand before it."""
    for token in tokens:
        if token.kind == WORD:
            return token.text
        if token.text not in ("(", ";"):
            break
    return ""


def is_several(tokens: Sequence[Token]) -> bool:
    """Whether a text holds more than one statement."""
    ends = [place for place, token in enumerate(tokens) if token.kind == OPERATOR and token.text == ";"]
    return any(token.text != ";" for place in ends[:1] for token in tokens[place + 1 :])


def locks_rows(tokens: Sequence[Token]) -> bool:
    """Whether a SELECT says FOR UPDATE, FOR SHARE or one of their kin."""
    words = [token.text if token.kind == WORD else "" for token in tokens]
    return any(
        tuple(words[place + 1 : place + 1 + len(strength)]) == strength
        for place, word in enumerate(words)
        if word == "for"
        for strength in _LOCK_STRENGTHS
    )


def _modifies_data(first: str, tokens: Sequence[Token]) -> bool:
    """A WITH whose words name a data change is taken for one, wherever the word stands."""
    return first == "with" and any(
        token.kind == WORD and token.text in _DATA_MODIFYING and not _is_called(tokens, place)
        for place, token in enumerate(tokens)
    )


def _is_called(tokens: Sequence[Token], place: int) -> bool:
    """``replace(…)`` is a function."""
    return place + 1 < len(tokens) and tokens[place + 1].text == "("


def _selects_into(tokens: Sequence[Token]) -> bool:
    return any(token.kind == WORD and token.text == "into" for token in tokens)
