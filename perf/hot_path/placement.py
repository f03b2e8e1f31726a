"""Where a benchmark's processes run: client and server on one core, or wherever the scheduler puts them.

On two cores a round trip is mostly the waking of a core that has gone idle, which takes a virtual machine several times
as long as the server takes to answer; on one core it is a switch from one process to the other.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def on_one_core() -> Iterator[None]:
    """Keep this process, and what it starts meanwhile, on one core; where the system has no such call, do nothing."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)
