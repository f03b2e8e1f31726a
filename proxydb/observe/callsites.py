"""Where in the application a statement comes from, and which run of the application's code it belongs to.

A *scope* is one run of the outermost function of the application that is on the stack before a library's code: the
handler of a request, the body of a task, a script. It is kept in the frame of that function, as `f_trace`, and so ends
with it; a frame's trace function is called by nobody unless tracing is on, and then nothing is put there.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import FrameType

_HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_STANDARD_LIBRARY = os.path.dirname(os.path.abspath(os.__file__)) + os.sep
_INSTALLED = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")
_UNMARKED_KEPT = 1000

_known: dict[str, bool] = {}
_unmarked: dict[int, Scope] = {}


class Scope(dict[Any, Any]):
    """What was executed in one run of the application's code; keys and values are those of `repeats`.

    Attributes
    ----------
    turn
        Stands for its transaction: another object for each.
    """

    __slots__ = ("turn",)

    def __init__(self) -> None:
        super().__init__()
        self.turn = object()

    def __call__(self, _frame: FrameType, _event: str, _argument: Any) -> None:
        """Were tracing turned on later, this would be the frame's trace function: it does nothing."""


def is_application(filename: str) -> bool:
    """Whether a source file is the application's: not Python's own, not an installed package's, not proxydb's."""
    known = _known.get(filename)
    if known is None:
        library = filename.startswith((_HERE, _STANDARD_LIBRARY, "<frozen ")) or any(
            part in filename for part in _INSTALLED
        )
        known = _known[filename] = not library
    return known


def application_frame(frame: FrameType) -> FrameType:
    """The nearest frame of the application's; where there is none, the nearest that is not proxydb's."""
    found: FrameType | None = frame
    while found is not None and not is_application(found.f_code.co_filename):
        found = found.f_back
    return found or _outside(frame)


def _outside(frame: FrameType) -> FrameType:
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_HERE):
        frame = frame.f_back
    return frame


def described(frame: FrameType) -> str:
    """A frame as `file:line`."""
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def call_site() -> str:
    """The file and line of the application that asked, as `file:line`."""
    return described(application_frame(sys._getframe(1)))


def locate(frame: FrameType) -> tuple[FrameType, Scope]:
    """The application's frame nearest to `frame`, and the scope that it belongs to."""
    caller = frame.f_back
    if caller is not None and _known.get(frame.f_code.co_filename):
        scope: Any = caller.f_trace
        if type(scope) is Scope:  # a function that executes one statement is called in a loop
            return frame, scope
    site = application_frame(frame)
    scope = site.f_trace
    return site, scope if type(scope) is Scope else _scope_of(site)


def _scope_of(site: FrameType) -> Scope:
    """The scope that a caller has already, or that of the outermost caller with no library in between, made now."""
    frames = [site]
    caller = site.f_back
    while caller is not None and is_application(caller.f_code.co_filename):
        scope: Any = caller.f_trace
        if type(scope) is Scope:
            break
        frames.append(caller)
        caller = caller.f_back
    else:
        scope = Scope()
    if sys.gettrace() is not None:
        return _remembered(frames[-1])
    for frame in frames:  # so that the next look is short
        frame.f_trace = scope
    return scope  # type: ignore[no-any-return]


def _remembered(entry: FrameType) -> Scope:
    """While a debugger or a coverage tool traces, the frames are its own: a scope is known by the frame's address."""
    if len(_unmarked) > _UNMARKED_KEPT:
        _unmarked.clear()
    return _unmarked.setdefault(id(entry), Scope())
