"""A statement with `:name` markers, rendered with the placeholders of either driver."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

# A string literal is taken whole, so what looks like a marker inside it is text.
_MARKER = re.compile(r"'[^']*'|:(\w+)")
PLACEHOLDERS = {"sqlite": "?", "postgresql": "%s"}
_REMEMBERED = 512


@lru_cache(_REMEMBERED)
def render(text: str, system: str) -> str:
    """`text` with ``?`` or ``%s`` for each of its markers.

    Parameters
    ----------
    text
        SQL without ``::`` casts.
    system
        ``"sqlite"`` or ``"postgresql"``.
    """
    if system == "postgresql":
        text = text.replace("%", "%%")
    return _MARKER.sub(lambda found: PLACEHOLDERS[system] if found[1] else found[0], text)


def bind(text: str, values: Mapping[str, Any]) -> tuple[Any, ...]:
    """The values of the markers of `text`, in the order in which they stand there."""
    return tuple(values[name] for name in marker_names(text))


@lru_cache(_REMEMBERED)
def marker_names(text: str) -> tuple[str, ...]:
    """The names of the markers of `text`, in order, repeated as they are."""
    return tuple(name for name in _MARKER.findall(text) if name)


def literal(text: str) -> str:
    """`text` as a string literal of SQL."""
    return "'" + text.replace("'", "''") + "'"
