"""An application's own connection or cursor class, made to go through proxydb."""

from __future__ import annotations

from functools import cache
from typing import Any


def with_ours(theirs: Any, ours: Any) -> Any:
    """An application's own class, with ours between it and the driver's; as it is, where the two do not fit."""
    if issubclass(theirs, ours):
        return theirs
    if theirs in ours.__mro__:
        return ours
    try:
        return _mixed(theirs, ours)
    except TypeError:  # instances cannot have the slots of both, or the metaclasses differ
        return theirs


@cache
def _mixed(theirs: Any, ours: Any) -> Any:
    return type(theirs.__name__, (theirs, ours), {"__module__": theirs.__module__, "__qualname__": theirs.__qualname__})
