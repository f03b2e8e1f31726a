"""Takes steps on a connection: waits for one operation after the other, in a thread or in an event loop.

Each operation is waited for by itself, so that an interruption ends the steps where it would have ended the driver's
own work: nothing more is sent after it. Nobody else uses the connection meanwhile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from proxydb.drivers.base import Result, Steps


def take(connection: Any, steps: Steps[Result]) -> Result:
    """Take the steps on a `psycopg.Connection`."""
    with connection.lock:
        try:
            operation = next(steps)
            while True:
                try:
                    result = connection.wait(operation)
                except BaseException as error:
                    operation = steps.throw(error)
                else:
                    operation = steps.send(result)
        except StopIteration as stop:
            return stop.value  # type: ignore[no-any-return]


async def take_async(connection: Any, steps: Steps[Result]) -> Result:
    """Take the steps on a `psycopg.AsyncConnection`."""
    async with connection.lock:
        try:
            operation = next(steps)
            while True:
                try:
                    result = await connection.wait(operation)
                except BaseException as error:
                    operation = steps.throw(error)
                else:
                    operation = steps.send(result)
        except StopIteration as stop:
            return stop.value  # type: ignore[no-any-return]
