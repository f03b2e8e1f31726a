"""Times a call: alone when it is long, in a block when it is short, and not for ever."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from threading import Timer
from time import perf_counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BLOCK_MS, BLOCKS = 1.0, 3
"""A shorter call is repeated in blocks that take this long; the quickest block counts, as others only add to it."""

LONG_MS = 20.0
"""A call that takes longer is run once: what disturbs it for some milliseconds matters little."""


class TimeLimit(Exception):
    """A statement was given up."""


def timed(call: Callable[[], Any], *, repeatable: bool = True) -> tuple[Any, float]:
    """What a call gives, and how long it takes in ms, with the garbage collector off.

    Parameters
    ----------
    call
        What is timed.
    repeatable
        Whether it takes as long the second time.
    """
    with _no_collection():
        started = perf_counter()
        result = call()
        once = (perf_counter() - started) * 1000
        if not repeatable or once >= LONG_MS:
            return result, once
        calls = int(BLOCK_MS / max(once, 0.0005)) + 1
        return result, min(_block(call, calls) for _ in range(BLOCKS))


def _block(call: Callable[[], Any], calls: int) -> float:
    """The time of one of some calls in a row, in ms."""
    started = perf_counter()
    for _ in range(calls):
        call()
    return (perf_counter() - started) * 1000 / calls


@contextmanager
def _no_collection() -> Iterator[None]:
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@contextmanager
def limited(connection: Any, system: str, seconds: float, error: type[Exception]) -> Iterator[None]:
    """Give statements up that take longer, with `TimeLimit`.

    Parameters
    ----------
    connection, system
        A connection of either driver.
    seconds
        The limit.
    error
        What the driver raises.
    """
    fired = []

    def stop() -> None:
        fired.append(True)
        connection.interrupt() if system == "sqlite" else connection.cancel_safe()

    timer = Timer(seconds, stop)
    timer.start()
    try:
        yield
    except error as problem:
        if fired:
            raise TimeLimit from problem
        raise
    finally:
        timer.cancel()
        timer.join()
