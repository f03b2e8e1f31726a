"""A statement with `:name` markers, rendered with the placeholders of either driver."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_MARKER = re.compile(r":(\w+)")
PLACEHOLDERS = {"sqlite": "?", "postgresql": "%s"}


@cache
def render(text: str, system: str) -> str:
    """`text` with ``?`` or ``%s`` for each of its markers.

    Parameters
    ----------
    text
        SQL that holds neither string literals with colons nor ``::`` casts.
    system
        ``"sqlite"`` or ``"postgresql"``.
    """
    if system == "postgresql":
        text = text.replace("%", "%%")
    return _MARKER.sub(PLACEHOLDERS[system], text)


def bind(text: str, values: Mapping[str, Any]) -> tuple[Any, ...]:
    """The values of the markers of `text`, in the order in which they stand there."""
    return tuple(values[name] for name in marker_names(text))


@cache
def marker_names(text: str) -> tuple[str, ...]:
    """The names of the markers of `text`, in order, repeated as they are."""
    return tuple(_MARKER.findall(text))
