"""A frameless method does what its function does, and leaves nothing in a traceback."""

from __future__ import annotations

import inspect
import traceback
from typing import Any

import pytest

from proxydb.dbapi import frameless as room
from proxydb.dbapi.frameless import frameless


def plain(self: Any, first: int, *, second: int = 2) -> Any:
    """Divide, in the name of proxydb: the frame is one of those that are hidden."""
    return self, first / second


plain.__code__ = plain.__code__.replace(co_filename=room.__file__)


class Thing:
    """Has the method."""

    divide = frameless(plain)


def test_it_binds_and_returns() -> None:
    """Called on an instance, it gets the instance and the arguments."""
    thing = Thing()
    assert (thing.divide(6), thing.divide(6, second=3)) == ((thing, 3.0), (thing, 2.0))


def test_no_frame_is_left() -> None:
    """A traceback ends in the line that called, as it does for a method in C."""
    with pytest.raises(ZeroDivisionError) as caught:
        Thing().divide(1, second=0)
    assert traceback.extract_tb(caught.value.__traceback__)[-1].name == "test_no_frame_is_left"


def test_frames_of_others_stay() -> None:
    """What the function calls is shown, as a callback is that a method in C calls."""

    def fail() -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError) as caught:
        frameless(lambda call: call())(fail)
    assert traceback.extract_tb(caught.value.__traceback__)[-1].name == "fail"


def test_the_context_of_an_exception_is_the_callers() -> None:
    """What is being handled when the method is called is the context of what it raises."""
    try:
        raise LookupError("outer")
    except LookupError as outer:
        with pytest.raises(ZeroDivisionError) as caught:
            Thing().divide(1, second=0)
        assert caught.value.__context__ is outer


def test_keyboard_interrupt_passes() -> None:
    """What is no `Exception` passes, too."""

    def interrupted() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        frameless(interrupted)()


def test_it_looks_like_its_function() -> None:
    """Name, documentation and signature are the function's."""
    assert (Thing.divide.__name__, Thing.divide.__doc__) == (plain.__name__, plain.__doc__)
    assert inspect.signature(Thing.divide) == inspect.signature(plain)
