"""Methods in Python that leave no frame in a traceback, as the driver's own methods in C leave none.

An exception takes a traceback entry from every Python frame that it leaves. So here none is left by an exception: the
function's frame returns what failed, and C code raises it. The way of a call is C, then Python, then C:

* an uncached `functools.lru_cache` wrapper, which binds like a function and calls what it wraps;
* a class, whose `__new__` runs the function. What it returns is the result of the call;
* unless it is an instance of the class: then `type.__call__` initialises it, and its `__init__` raises.

To raise in C, `throw` of a generator that has ended raises what it is given.
"""

from __future__ import annotations

import os
from functools import lru_cache, partial, update_wrapper
from operator import methodcaller
from types import FunctionType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from types import TracebackType

_OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


def _ended() -> Generator[None]:
    return
    yield


_generator = _ended()
next(_generator, None)
_throw = _generator.throw


class Failure:
    """What a function returns in the place of raising; an instance raises when it is initialised."""

    __slots__ = ("_raise",)

    _raise: Callable[[], Any]

    @classmethod
    def of(cls, error: BaseException) -> Failure:
        """The failure by `error`, whose traceback shows no frame of proxydb's."""
        failure = object.__new__(cls)
        failure._raise = partial(_throw, error.with_traceback(_without_ours(error.__traceback__)))
        return failure

    __init__: Any = property(methodcaller("_raise"))


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


def calling(function: Callable[..., Any]) -> type[Failure]:
    """A class that, called, does what `function` does, without a frame; it does not bind."""

    class Call(Failure):
        __slots__ = ()

        def __new__(cls, /, *args: Any, **kwargs: Any) -> Any:
            try:
                return function(*args, **kwargs)
            except BaseException as error:
                return cls.of(error)

    return Call  # type: ignore[no-any-return]


def frameless(function: Callable[..., Any]) -> Any:
    """A method that does what `function` does, without a frame."""
    return bound_like_a_function(calling(function), function)


def bound_like_a_function(call: type[Failure], function: Callable[..., Any]) -> Any:
    """A method of a class made by `calling`, or of one like it, with the name and the signature of `function`."""
    return update_wrapper(lru_cache(maxsize=0)(call), function)


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
