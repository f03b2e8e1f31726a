"""Collects the slow-query events of a block, and writes one as a line."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping

_LONGEST_TEXT = 120


@contextmanager
def slow_events() -> Iterator[list[dict[str, Any]]]:
    """A list that the events of the block go to, instead of where structlog is configured to write them."""
    import structlog

    events: list[dict[str, Any]] = []

    def collect(_logger: Any, level: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        events.append({"timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "level": level, **event})
        raise structlog.DropEvent

    configured = structlog.get_config()
    structlog.configure(processors=[collect])
    try:
        yield events
    finally:
        structlog.configure(**configured)


def slowest(events: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The event of the longest statement; none when there are no events."""
    return max(events, key=lambda event: float(event["db.client.operation.duration"]), default=None)


def as_line(event: dict[str, Any]) -> str:
    """The event as structlog's console renderer writes it, with long texts cut."""
    from structlog.dev import ConsoleRenderer

    short = {name: _cut(value) for name, value in event.items()}
    return str(ConsoleRenderer(colors=False, pad_event_to=0)(None, "", short))


def _cut(value: Any) -> Any:
    text = "; ".join(map(str, value)) if isinstance(value, list) else value
    return f"{text[:_LONGEST_TEXT]} …" if isinstance(text, str) and len(text) > _LONGEST_TEXT else text
