"""A stand-in is called in the place of a builtin function, and is like it otherwise."""

from __future__ import annotations

import inspect
import traceback
import types
from typing import Any

import pytest

from proxydb.dbapi.stand_in import StandIn

PLAIN: Any = len


def doubled(plain: Any, args: Any, kwargs: Any) -> Any:
    """Twice what the function gives."""
    return 2 * plain(*args, **kwargs)


STAND_IN: Any = StandIn(PLAIN, doubled)


class Holder:
    """A class that holds it, as it may hold a builtin function."""

    size = STAND_IN


def test_it_is_called_instead() -> None:
    """It gives what its own function makes of the builtin one."""
    assert STAND_IN("abc") == 6


def test_it_does_not_bind() -> None:
    """On an instance it is called without the instance, as a builtin function is."""
    assert Holder().size("ab") == 4


def test_it_looks_like_the_function() -> None:
    """Type, name, text, signature, equality and hash are those of the builtin function."""
    assert isinstance(STAND_IN, types.BuiltinFunctionType)
    assert (STAND_IN.__name__, STAND_IN.__doc__, repr(STAND_IN)) == ("len", len.__doc__, repr(len))
    assert inspect.signature(STAND_IN) == inspect.signature(len)
    assert STAND_IN == PLAIN and PLAIN == STAND_IN and hash(STAND_IN) == hash(PLAIN)


def test_it_leaves_no_frame() -> None:
    """A traceback goes from the line that called to what was called."""
    with pytest.raises(TypeError) as caught:
        STAND_IN(1)
    names = [entry.name for entry in traceback.extract_tb(caught.value.__traceback__)]
    assert names == ["test_it_leaves_no_frame", "doubled"]
