"""What is known of a materialized view, as values for people and programs; the same for every database."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any, Literal

from proxydb.errors import NotSupportedError, ProgrammingError

Maintenance = Literal["immediate", "deferred", "overlay", "full"]

FRESH, OVERLAY, DIRTY, DISABLED = "fresh", "overlay", "dirty", "disabled"
"""The states of a view: exact; exact when read together with its log; waiting for a refresh; broken."""


@dataclass(frozen=True, slots=True)
class View:
    """A materialized view.

    Parameters
    ----------
    name
        Its name.
    sql
        Its query.
    kind
        Its class, such as ``"groups"`` or ``"left join"``.
    maintenance
        ``"immediate"``, ``"deferred"``, ``"overlay"`` or ``"full"``.
    max_staleness
        How many seconds old what it shows may be to be of use, and how long changes may wait for `Views.refresh_stale`;
        None for not at all, and for ever.
    state
        ``"fresh"``, ``"overlay"``, ``"dirty"`` or ``"disabled"``.
    reason
        Why it is in this state; empty for ``"fresh"``.
    tables
        The names of the tables that it reads.
    refreshed_at
        When it was last computed as a whole, in seconds since 1970.
    indexes
        The columns of each index that it was made with.
    """

    name: str
    sql: str
    kind: str
    maintenance: str
    max_staleness: float | None
    state: str
    reason: str
    tables: tuple[str, ...]
    refreshed_at: float
    indexes: tuple[tuple[str, ...], ...] = ()

    @property
    def age(self) -> float:
        """How many seconds ago what it shows was exact at the latest; 0 where it is exact now."""
        return 0.0 if self.state in (FRESH, OVERLAY) else max(time.time() - self.refreshed_at, 0.0)

    @property
    def is_usable(self) -> bool:
        """Whether it is exact, or not older than `max_staleness` allows."""
        if self.state == DISABLED:
            return False
        return self.age <= (self.max_staleness or 0.0)

    @property
    def is_due(self) -> bool:
        """Whether changes wait for a refresh, and the last one is longer ago than `max_staleness`."""
        waits = self.state in (DIRTY, OVERLAY) and self.max_staleness is not None
        return waits and time.time() - self.refreshed_at > (self.max_staleness or 0.0)

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values, ready for JSON."""
        return asdict(self) | {"age": self.age, "is_usable": self.is_usable, "is_due": self.is_due}


@dataclass(frozen=True, slots=True)
class ViewCheck:
    """What a view shows, compared with its query.

    Parameters
    ----------
    name
        The view's name.
    rows
        How many rows the query gives.
    missing, surplus
        How many rows the view lacks, and how many it has too many; equal rows are counted one by one.
    examples
        Up to ten rows that differ, each after ``"missing"`` or ``"surplus"``.
    """

    name: str
    rows: int
    missing: int
    surplus: int
    examples: tuple[tuple[str, tuple[Any, ...]], ...]

    @property
    def is_exact(self) -> bool:
        """Whether the view shows what its query gives."""
        return not self.missing and not self.surplus

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values, ready for JSON."""
        return asdict(self) | {"is_exact": self.is_exact}


@dataclass(frozen=True, slots=True)
class ViewExplanation:
    """How a view is kept.

    Parameters
    ----------
    view
        The view.
    method
        How it is kept, in a sentence.
    obstacle
        Why it cannot be kept incrementally; empty if it can.
    tables, triggers
        The names of the tables that hold it, and of the triggers that keep it.
    scans
        Tables that a change of one row reads from end to end, each with what it is read for; an index would help.
    """

    view: View
    method: str
    obstacle: str
    tables: tuple[str, ...]
    triggers: tuple[str, ...]
    scans: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values, ready for JSON."""
        return asdict(self) | {"view": self.view.to_dict()}


def compared(name: str, expected: list[tuple[Any, ...]], found: list[tuple[Any, ...]]) -> ViewCheck:
    """The difference between two bags of rows, in which 1 and 1.0 are two values, as they have two types."""
    from collections import Counter

    wanted, had = Counter(map(_typed, expected)), Counter(map(_typed, found))
    missing, surplus = wanted - had, had - wanted
    examples = [("missing", row) for row in missing.elements()] + [("surplus", row) for row in surplus.elements()]
    shown = tuple((word, tuple(value for _, value in row)) for word, row in examples[:10])
    return ViewCheck(name, len(expected), missing.total(), surplus.total(), shown)


def _typed(row: tuple[Any, ...]) -> tuple[tuple[str, Any], ...]:
    return tuple((type(value).__name__, _hashable(value)) for value in row)


def _hashable(value: Any) -> Any:
    try:
        hash(value)
    except TypeError:
        return repr(value)
    return value


def check_format(newest: int | None, known: int) -> None:
    """See to it that no view was made by a proxydb that knows more than this one."""
    if newest is not None and newest > known:
        raise NotSupportedError(f"the views were made by a newer proxydb (format {newest}): install that one")


def no_view(name: str) -> ProgrammingError:
    """The error for a name that no view has."""
    return ProgrammingError(f"there is no materialized view {name!r}")
