"""What every driver part of proxydb has in common: what it finds out about a statement."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, Final, NamedTuple, Protocol, TypeVar

EVERYTHING: Final[frozenset[str]] = frozenset({"*"})
"""The write set of a statement whose effects are not known."""

NOTHING: Final[frozenset[str]] = frozenset()
"""The write set of a statement that changes nothing."""


Result = TypeVar("Result")

Operation = Generator[Any, Any, Any]
"""What a driver can wait for, in a thread or in an event loop: psycopg writes each of its operations so."""

Steps = Generator[Operation, Any, Result]
"""Operations that are waited for one after the other, whoever waits and however: `result = yield operation`."""


class Analysis(NamedTuple):
    """What the database says that a statement does.

    Parameters
    ----------
    reads
        Names of the tables and views that it reads, in lower case.
    writes
        Names of the tables that it, its triggers and its cascades change; `EVERYTHING` when that is not known.
    refusal
        Why its result must not be kept; empty when it may be.
    functions
        Names of the functions that it calls, in lower case.
    unknown
        Whether the database could not say any of this now, but may another time.
    exposes
        Whether it may show what proxydb has made in the session, which is taken back before.
    """

    reads: frozenset[str] = NOTHING
    writes: frozenset[str] = EVERYTHING
    refusal: str = ""
    functions: frozenset[str] = NOTHING
    unknown: bool = False
    exposes: bool = False


class KeptRows(Protocol):
    """Rows in the form in which the cache keeps them."""

    @property
    def size(self) -> int:
        """Bytes that they take."""

    def get(self) -> Any:
        """What a cursor gives; new where it could be changed."""


class Filled(NamedTuple):
    """What a run gave that may fill the cache.

    Parameters
    ----------
    rows
        The rows; none when they must not be kept.
    label
        The state of the database that they are of; false when that is not known.
    cost
        Nanoseconds that the driver took.
    """

    rows: KeptRows | None
    label: Any
    cost: int
