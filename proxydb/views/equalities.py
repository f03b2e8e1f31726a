"""Which columns an inner join holds equal, so that what finds rows by one of them finds the same rows by another."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from proxydb.sql.tokens import QUOTED, WORD, quoted, tokenize

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from proxydb.sql.tokens import Token
    from proxydb.views.definition import Arm, Definition

_BEFORE = frozenset({"on", "and", ""})
_AFTER = frozenset({"and", "join", "inner", "cross", ",", ""})
_UNSURE = frozenset({"or", "case", "between", "left", "right", "full", "natural", "using"})


def equal_columns(definition: Definition, arm: Arm, system: str) -> dict[str, str]:
    """For each column that the clauses of an inner join hold equal to others, one that stands for all.

    They are of one type and collation, so that what is equal to one of them is equal to all. Both are written as
    ``"alias"."column"``; a column that is missing stands for itself.
    """
    clauses = [definition.text(arm.from_)] + ([] if arm.where is None else [definition.text(arm.where)])
    stands: dict[str, str] = {}
    for clause in clauses:
        for names in _pairs(tokenize(clause, system)):
            one, other = (_found(arm, name) for name in names)
            if one and other and one.compared == other.compared:
                kept, left = (stands.get(each.text, each.text) for each in (one, other))
                stands |= dict.fromkeys((left, *(key for key, value in stands.items() if value == left)), kept)
    return stands


_Name = tuple[str, str]


class _Place(NamedTuple):
    """A column as it is written, and what decides how it is compared."""

    text: str
    compared: tuple[str, str, str]


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


def _found(arm: Arm, name: _Name) -> _Place | None:
    for source in arm.sources:
        column = source.table.column(name[1]) if source.alias == name[0] else None
        if column is not None:
            text = f"{quoted(source.alias)}.{quoted(column.name)}"
            return _Place(text, (column.type, column.collation, column.affinity))
    return None
