"""What a case must reach, and whether it does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class Goal(Protocol):
    """A bound on what the proxy does to a statement's time; times are microseconds."""

    def figure(self, raw: float, proxied: float) -> float:
        """The number that the bound is on."""

    def reached(self, figure: float) -> bool:
        """Whether the number keeps the bound."""

    def show(self, figure: float) -> str:
        """The number for people."""


@dataclass(frozen=True, slots=True)
class AtMost:
    """The proxied time is at most `times` the raw one."""

    times: float

    def figure(self, raw: float, proxied: float) -> float:
        return proxied / raw

    def reached(self, figure: float) -> bool:
        return figure <= self.times

    def show(self, figure: float) -> str:
        return f"{figure:.2f}x the time"

    def __str__(self) -> str:
        return f"<= {self.times:.2f}x"


@dataclass(frozen=True, slots=True)
class Faster:
    """The proxied time is at most one part in `times` of the raw one."""

    times: float

    def figure(self, raw: float, proxied: float) -> float:
        return raw / proxied

    def reached(self, figure: float) -> bool:
        return figure >= self.times

    def show(self, figure: float) -> str:
        return f"{figure:.1f}x faster"

    def __str__(self) -> str:
        return f">= {self.times:g}x"


@dataclass(frozen=True, slots=True)
class Extra:
    """The proxied time is at most `microseconds` more than the raw one."""

    microseconds: float

    def figure(self, raw: float, proxied: float) -> float:
        return proxied - raw

    def reached(self, figure: float) -> bool:
        return figure <= self.microseconds

    def show(self, figure: float) -> str:
        return f"{duration(figure)} more"

    def __str__(self) -> str:
        return f"<= raw + {duration(self.microseconds)}"


def duration(microseconds: float) -> str:
    """A time with a unit that suits it."""
    return f"{microseconds / 1000:.2f} ms" if abs(microseconds) >= 1000 else f"{microseconds:.2f} us"
