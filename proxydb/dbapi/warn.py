"""The driver's own deprecation warnings, told at the application's line although frames of ours stand between."""

from __future__ import annotations

import os
import sqlite3 as driver
import sys
import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

DEPRECATES = sys.version_info >= (3, 12)
"""Whether the running `sqlite3` warns of anything that the application may still do."""

_OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


def call_deprecated(call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call a driver's function in a form that it may warn of, and let the warning name the application's line.

    For forms that are deprecated and rare: while the call runs, no other thread's warnings are filtered.
    """
    if not DEPRECATES:
        return call(*args, **kwargs)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = call(*args, **kwargs)
    for warning in caught:
        if warning.filename.startswith(_OURS):
            warn_application(warning.message, warning.category)
        else:
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
    return result


def warn_application(message: Any, category: type[Warning], stacklevel: int = 1) -> None:
    """Warn at the nearest line that is not proxydb's, `stacklevel` frames above the caller or farther."""
    frame, level = sys._getframe(stacklevel), stacklevel + 1
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_OURS):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


def point_default_adapters_at_application() -> None:
    """Let the driver's default adapters and converters, which warn two frames up, warn at the application's line.

    They share a variable that holds `warnings.warn`; it is given ours, which does the same and sees past our frames.
    """
    registered = (*driver.adapters.values(), *driver.converters.values())
    for function in registered:
        names = getattr(getattr(function, "__code__", None), "co_freevars", ())
        if getattr(function, "__module__", "") == "sqlite3.dbapi2" and "warn" in names:
            closure: Any = function.__closure__
            closure[names.index("warn")].cell_contents = warn_application


if DEPRECATES:
    point_default_adapters_at_application()
