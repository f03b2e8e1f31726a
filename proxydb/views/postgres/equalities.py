"""Which columns an inner join holds equal, so that what finds rows by one of them finds the same rows by another."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

from proxydb.sql.tokens import QUOTED, WORD, quoted, tokenize

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from proxydb.sql.tokens import Token
    from proxydb.views.definition import Arm, Definition

_BEFORE = frozenset({"on", "and", ""})
_AFTER = frozenset({"and", "join", "inner", "cross", ",", ""})
_UNSURE = frozenset({"or", "case", "between", "left", "right", "full", "natural", "using"})


def equal_columns(definition: Definition, arm: Arm) -> dict[str, str]:
    """For each column that the clauses of an inner join hold equal to others of its type, one that stands for all.

    Both are written as ``"alias"."column"``; a column that is missing stands for itself.
    """
    clauses = [definition.text(arm.from_)] + ([] if arm.where is None else [definition.text(arm.where)])
    stands: dict[str, str] = {}
    for clause in clauses:
        for one, other in _pairs(tokenize(clause, "postgresql")):
            if _type(arm, one) and _type(arm, one) == _type(arm, other):
                kept, left = (stands.get(each, each) for each in (_text(one), _text(other)))
                stands |= dict.fromkeys((left, *(key for key, value in stands.items() if value == left)), kept)
    return stands


_Name = tuple[str, str]


def _pairs(tokens: Sequence[Token]) -> Iterator[tuple[_Name, _Name]]:
    """The equalities of two qualified columns that stand outside all parentheses, joined by AND alone."""
    texts = [token.text for token in tokens]
    depths = list(accumulate((text == "(") - (text == ")") for text in texts))
    if any(text in _UNSURE for text, depth in zip(texts, depths, strict=True) if not depth):
        return
    for place, text in enumerate(texts):
        names = _qualified(tokens[max(place - 3, 0) : place]), _qualified(tokens[place + 1 : place + 4])
        if text == "=" and not depths[place] and names[0] and names[1]:
            before = texts[place - 4] if place >= 4 else ""
            after = texts[place + 4] if place + 4 < len(texts) else ""
            if before in _BEFORE and after in _AFTER:
                yield names[0], names[1]


def _qualified(tokens: Sequence[Token]) -> _Name | None:
    """The alias and the column of three tokens; None where they are anything else."""
    if len(tokens) != 3 or tokens[1].text != "." or any(tokens[at].kind not in (WORD, QUOTED) for at in (0, 2)):
        return None
    first, last = (token.text[1:-1].replace('""', '"') if token.kind == QUOTED else token.text for token in tokens[::2])
    return first, last


def _text(name: _Name) -> str:
    return f"{quoted(name[0])}.{quoted(name[1])}"


def _type(arm: Arm, name: _Name) -> str:
    for source in arm.sources:
        if source.alias == name[0]:
            column = next((each for each in source.table.columns if each.name == name[1]), None)
            return column.type if column else ""
    return ""
