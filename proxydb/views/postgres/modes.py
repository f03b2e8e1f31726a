"""The ways in which a view can be kept, which of them fits, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from proxydb.views.obstacle import Obstacle
from proxydb.views.postgres import added, overlay, replaced, summed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from proxydb.views.definition import Arm, Definition
    from proxydb.views.postgres.part import Part

METHODS = {
    "rows": "each changed row replaces the one with its key, in the writer's transaction",
    "added": "what changes is added to counts and sums, in the writer's transaction",
    "deferred": "writers append what they add to counts and sums; readers add it up, refresh takes it in",
    "overlay": "writers append the keys of what they change; readers compute that again, refresh takes it in",
    "full": "computed as a whole by refresh",
}
"""How each of them works, in a sentence."""

NULLS_NOT_DISTINCT = 150000
"""The first server version whose unique indexes can hold NULL for a value."""


class Facts(NamedTuple):
    """What the choice depends on.

    Parameters
    ----------
    types
        Gives for a SELECT and expressions over it the numbers of their types.
    partitioned
        Whether a table is partitioned: TRUNCATE may empty a part of it, unseen by what holds no keys.
    version
        The server's, as libpq gives it.
    """

    types: Callable[[Arm, Sequence[str]], list[int]]
    partitioned: bool
    version: int


class Choice(NamedTuple):
    """How a view is kept: the mode, the method and why, and its parts."""

    maintenance: str
    why: str
    parts: tuple[Part, ...]


def choose(prefix: str, definition: Definition, wanted: str | None, facts: Facts) -> Choice:
    """The way in which a view is kept.

    Parameters
    ----------
    prefix
        What the names of its tables begin with.
    definition
        The view.
    wanted
        The mode that was asked for; None for the one that fits best.
    facts
        What it depends on.

    Raises
    ------
    Obstacle
        It cannot be kept as wanted.
    """
    reasons = []
    for mode in (wanted,) if wanted else ("immediate", "deferred", "overlay"):
        reason = _refusal(mode, definition, facts, asked=wanted is not None)
        if not reason:
            method = METHODS["added" if mode == "immediate" and definition.arms[0].grouped else _METHOD[mode]]
            why = f"{method}; {'as asked' if wanted else _WHY[mode]}"
            parts = tuple(
                _part(mode, f"{prefix}{place}", definition, arm, facts) for place, arm in _numbered(definition)
            )
            return Choice(mode, why, parts)
        reasons.append(reason)
    raise Obstacle(reasons[-1])


_METHOD = {"immediate": "rows", "deferred": "deferred", "overlay": "overlay"}
_WHY = {
    "immediate": "a row of the view is one of the table, so writers never wait for each other there",
    "deferred": "counts and sums of integers can be added up, and writers of one group do not wait for each other",
    "overlay": "it is exact for whatever the query computes, at every isolation level, and no writer waits",
}


def _numbered(definition: Definition) -> list[tuple[int, Arm]]:
    return list(enumerate(definition.arms))


def _refusal(mode: str, definition: Definition, facts: Facts, *, asked: bool) -> str:
    for arm in definition.arms:
        if reason := _refusals(mode, definition, arm, facts, asked=asked):
            return reason if mode == "overlay" else f"{mode}: {reason}; maintenance='overlay' may keep it"
    return ""


def _refusals(mode: str, definition: Definition, arm: Arm, facts: Facts, *, asked: bool) -> str:
    if mode == "overlay":
        return overlay.refusal(arm)

    def types(texts: Sequence[str]) -> list[int]:
        return facts.types(arm, texts)

    if facts.partitioned:
        return "a table is partitioned, and TRUNCATE may empty a part of it"
    if mode == "deferred":
        return added.refusal(definition, arm, types, asked=asked)
    reason = replaced.refusal(definition, arm, asked=asked)
    if reason and asked and arm.grouped:
        if facts.version < NULLS_NOT_DISTINCT:
            return "groups are kept immediately from Postgres 15 on"
        return added.refusal(definition, arm, types, asked=asked)
    return reason


def _part(mode: str, prefix: str, definition: Definition, arm: Arm, facts: Facts) -> Part:
    def types(texts: Sequence[str]) -> list[int]:
        return facts.types(arm, texts)

    if mode == "overlay":
        if not overlay.is_of_one_table(arm) and not summed.refusal(arm, types):
            return summed.summed(prefix, definition, arm, types)
        return overlay.overlay(prefix, definition, arm, partitioned=facts.partitioned)
    if not arm.grouped:
        return replaced.replaced(prefix, definition, arm)
    make = added.added if mode == "immediate" else added.logged
    return make(prefix, definition, arm, types)
