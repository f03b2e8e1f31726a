"""Methods in Python that leave no frame in a traceback, as the driver's own methods in C leave none.

An exception takes a traceback entry from every Python frame that it leaves, but for one: a frame that raises it again
by a bare `raise` adds none. So a method catches what fails, takes the entries that are proxydb's away, and raises it
again.
"""

from __future__ import annotations

import os
from functools import wraps
from types import FunctionType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

_OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


def hide(error: BaseException) -> None:
    """Take the entries that are proxydb's out of the traceback of `error`; the caller goes on with a bare `raise`."""
    error.__traceback__ = _without_ours(error.__traceback__)


def _without_ours(traceback: TracebackType | None) -> TracebackType | None:
    """The entries of a traceback that are not proxydb's, in their order."""
    kept = []
    while traceback is not None:
        if not traceback.tb_frame.f_code.co_filename.startswith(_OURS):
            kept.append(traceback)
        traceback = traceback.tb_next
    following = None
    for entry in reversed(kept):
        entry.tb_next = following
        following = entry
    return following


def leaving_none(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function itself, which calls `hide`: it is not given another frame by `hide_frames`."""
    _leaving_none.add(function)
    return function


_leaving_none: set[Callable[..., Any]] = set()


def frameless(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that does what `function` does, without a frame."""
    if function in _leaving_none:
        return function

    @leaving_none
    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except BaseException as error:
            hide(error)
            raise

    return call


def hide_frames(kind: type, *sources: type) -> None:
    """Give `kind` the public methods and properties of its bases `sources`, and its own, without frames."""
    names: dict[str, Any] = {}
    for each in (*reversed(sources), kind):
        names.update(vars(each))
    for name, value in names.items():
        if name.startswith("_") and name not in _SPECIAL:
            continue
        if isinstance(value, FunctionType):
            setattr(kind, name, frameless(value))
        elif isinstance(value, property) and isinstance(value.fset, FunctionType):
            setattr(kind, name, property(value.fget, frameless(value.fset), value.fdel, value.__doc__))


_SPECIAL = frozenset({"__init__", "__exit__", "__next__"})
