"""What EXPLAIN says, without the values that conditions compare with: the server prints them as they were sent."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_ESTIMATES = re.compile(r"\s+\(cost=[\d.]+ rows=\d+ width=\d+\)$")
_TEXT = re.compile(r"[bBxX]?'(?:[^']|'')*'")
_QUOTED = re.compile(r'("(?:[^"]|"")*")')
_NUMBER = re.compile(r"(?<![\w$.])-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])")


def without_literals(lines: Iterable[str]) -> list[str]:
    """The lines of a plan with ``?`` for texts and numbers; the planner's own estimates stay."""
    return [_without(line) for line in lines]


def _without(line: str) -> str:
    estimates = _ESTIMATES.search(line)
    end = estimates.start() if estimates else len(line)
    parts = _QUOTED.split(_TEXT.sub("?", line[:end]))
    parts[::2] = [_NUMBER.sub("?", part) for part in parts[::2]]
    return "".join(parts) + line[end:]
