"""Cancels a task at a chosen suspension, so that a test can do so at each of them."""

from __future__ import annotations

import asyncio
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Generator


class _CancelledAt:
    """Awaits what it is given; when that waits for the time numbered `suspension`, the task is cancelled."""

    def __init__(self, awaitable: Awaitable[Any], suspension: int) -> None:
        self._awaitable = awaitable
        self._suspension = suspension
        self.reached = False

    def __await__(self) -> Generator[Any, Any, Any]:
        steps = self._awaitable.__await__()
        resume = partial(steps.send, None)
        for number in count():
            try:
                pending = resume()
            except StopIteration as stop:
                return stop.value
            if number == self._suspension:
                self.reached = True
                asyncio.current_task().cancel()  # type: ignore[union-attr]
            try:
                yield pending
            except BaseException as error:
                resume = partial(steps.throw, error)
            else:
                resume = partial(steps.send, None)
        return None


async def cancelled_at(suspension: int, awaitable: Awaitable[Any]) -> bool:
    """Run a task that is cancelled at a suspension; whether it came so far."""
    interrupted = _CancelledAt(awaitable, suspension)

    async def run() -> Any:
        return await interrupted

    task = asyncio.create_task(run())
    await asyncio.wait([task])
    if interrupted.reached:
        assert task.cancelled() or task.exception() is not None, "went on as if it had not been cancelled"
    elif not task.cancelled():
        task.result()
    return interrupted.reached
