"""Steps: what is to be waited for, one operation after the other, whoever waits for it and however.

psycopg writes each operation once, as a generator that a connection's `wait` drives, in a thread or in an event loop.
Steps are a generator of such operations: `result = yield operation`. Each is waited for by itself, so that an
interruption ends the steps where it would have ended the driver's own work: nothing more is sent after it.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, TypeVar

Result = TypeVar("Result")
Operation = Generator[Any, Any, Any]
Steps = Generator[Operation, Any, Result]


def take(connection: Any, steps: Steps[Result]) -> Result:
    """Take the steps on a connection of psycopg's synchronous kind, which nobody else uses meanwhile."""
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
