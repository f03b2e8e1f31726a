"""Times two or more callables in turns, so that what disturbs the machine disturbs all of them alike."""

from __future__ import annotations

import gc
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_BLOCK = 0.003
"""Seconds that a block of calls takes at least: long against the clock's own cost, short against a disturbance."""

_CALLS, _LONGEST = 40, 0.02
"""Calls that a block has at least, as long as it takes no more than these seconds: the first ones find the processor's
caches as the garbage collector has left them, which no application does before each call."""


def in_turns(calls: Sequence[Callable[[], object]], rounds: int) -> list[list[float]]:
    """For each callable, microseconds of one call in each round; the garbage collector is off while they run.

    Before each block that counts comes one that does not: CPython specializes the driver's own code to the classes
    that it meets (PEP 659), and a process meets either the driver's connections or ours.
    """
    sizes = [_block_size(call) for call in calls]
    times: list[list[float]] = [[] for _ in calls]
    for number in range(rounds):
        for place in _order(len(calls), number):
            _block(calls[place], sizes[place])
            gc.collect()  # or a block would begin with what the one before it has left
            times[place].append(_block(calls[place], sizes[place]))
    return times


def _order(count: int, number: int) -> Iterator[int]:
    """Every second round goes backwards: nobody is always first."""
    return iter(range(count) if number % 2 == 0 else reversed(range(count)))


def _block_size(call: Callable[[], object]) -> int:
    """How many calls fill a block; they also warm what there is to warm."""
    _block(call, 20)
    once = median(_block(call, 3) for _ in range(5))
    return max(1, round(_BLOCK * 1e6 / once), min(_CALLS, round(_LONGEST * 1e6 / once)))


def _block(call: Callable[[], object], size: int) -> float:
    gc.disable()
    try:
        started = perf_counter()
        for _ in range(size):
            call()
        return (perf_counter() - started) / size * 1e6
    finally:
        gc.enable()
