"""A story of a client library is told to the raw driver and to the proxied one: each step has the same outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.freshness.spelling import outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    Step = Callable[[Any], Any]


def tell(steps: dict[str, Step], reads: dict[str, Step], client: Any) -> list[Any]:
    """What a client answers: after each step, every read several times, the last times from memory where there is any.

    Parameters
    ----------
    steps
        What the story does, by name, in order.
    reads
        What is asked after each step.
    client
        What both are called with.
    """
    transcript = []
    for name, step in steps.items():
        transcript.append((name, outcome(step, client)))
        for question, read in reads.items():
            answers = [outcome(read, client) for _ in range(3)]
            assert answers == answers[:1] * 3, f"{question} after {name}"
            transcript.append((question, answers[0]))
    return transcript
