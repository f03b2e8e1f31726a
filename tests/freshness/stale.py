"""What a scenario raises when somebody is given rows that the database no longer holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest


class StaleRead(AssertionError):
    """A read was answered with something else than the database would have said."""


def verify(expected: Any, actual: Any) -> None:
    """Raise `StaleRead` unless both are the same."""
    if expected != actual:
        raise StaleRead(f"the database says {expected}, the proxy {actual}")


def once_before(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, action: Callable[[], Any]) -> None:
    """Do `action` right before the next call of a method, and never again."""
    method = getattr(owner, name)

    def call(*arguments: Any, **options: Any) -> Any:
        monkeypatch.setattr(owner, name, method)
        action()
        return method(*arguments, **options)

    monkeypatch.setattr(owner, name, call)


def once_after(
    monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, action: Callable[[], Any], skipped: int = 0
) -> None:
    """Do `action` right after the next call of a method, or after one that comes `skipped` calls later."""
    method, left = getattr(owner, name), [skipped]

    def call(*arguments: Any, **options: Any) -> Any:
        result = method(*arguments, **options)
        if left[0]:
            left[0] -= 1
        else:
            monkeypatch.setattr(owner, name, method)
            action()
        return result

    monkeypatch.setattr(owner, name, call)
