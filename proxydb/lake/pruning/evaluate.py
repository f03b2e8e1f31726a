"""Asks a condition of one file, in three values: true, false, or None where nothing is known."""

from __future__ import annotations

from decimal import Decimal
from json import JSONDecoder
from typing import TYPE_CHECKING, Any

from proxydb.lake.pruning.bounds import Bounds, partition_bounds, statistics_bounds
from proxydb.lake.pruning.conditions import Above, All, Among, Any_, Below, Fixed, HasNulls, HasValues
from proxydb.lake.snapshot import parsed

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxydb.lake.pruning.columns import Column
    from proxydb.lake.pruning.conditions import Condition
    from proxydb.lake.pruning.intervals import Interval

_EXACT = JSONDecoder(parse_float=Decimal)


class FileFacts:
    """What the log says of the columns of a file, each read when it is first asked for.

    Parameters
    ----------
    partition_values
        JSON text, or parsed.
    stats
        JSON text, or None.
    """

    def __init__(self, partition_values: str | dict[str, str | None], stats: str | None) -> None:
        self._partition_values = partition_values
        self._stats_text = stats
        self._stats: Any = None
        self._bounds: dict[Column, Bounds] = {}

    def bounds(self, column: Column) -> Bounds:
        """The bounds of a column."""
        found = self._bounds.get(column)
        if found is None:
            found = self._bounds[column] = self._read(column)
        return found

    def _read(self, column: Column) -> Bounds:
        if column.is_partition:
            return partition_bounds(column, parsed(self._partition_values))
        if self._stats is None and self._stats_text is not None:
            self._stats = _EXACT.decode(self._stats_text)
        return statistics_bounds(column, self._stats)


def holds(condition: Condition, file: FileFacts) -> bool | None:
    """Whether a condition is true of a file, false, or unknown; only false says that the file can be left out."""
    return _READERS[type(condition)](condition, file)


def _all(condition: All, file: FileFacts) -> bool | None:
    found: bool | None = True
    for arm in condition.arms:
        held = holds(arm, file)
        if held is False:
            return False
        found = held if held is None else found
    return found


def _any(condition: Any_, file: FileFacts) -> bool | None:
    found: bool | None = False
    for arm in condition.arms:
        held = holds(arm, file)
        if held:
            return True
        found = held if held is None else found
    return found


def _fixed(condition: Fixed, file: FileFacts) -> bool | None:
    return condition.value


def _has_nulls(condition: HasNulls, file: FileFacts) -> bool | None:
    return file.bounds(condition.column).has_nulls


def _has_values(condition: HasValues, file: FileFacts) -> bool | None:
    return file.bounds(condition.column).has_values


def _below(condition: Below, file: FileFacts) -> bool | None:
    return _reaches_down(file.bounds(condition.column), condition.bound, condition.strict)


def _above(condition: Above, file: FileFacts) -> bool | None:
    return _reaches_up(file.bounds(condition.column), condition.bound, condition.strict)


def _among(condition: Among, file: FileFacts) -> bool | None:
    bounds = file.bounds(condition.column)
    reached = [_meets(bounds, interval) for interval in condition.intervals]
    return True if True in reached else None if None in reached else False


def _meets(bounds: Bounds, interval: Interval) -> bool | None:
    down, up = _reaches_down(bounds, interval.high, False), _reaches_up(bounds, interval.low, False)
    return False if False in (down, up) else None if None in (down, up) else True


def _reaches_down(bounds: Bounds, bound: Any, strict: bool) -> bool | None:
    if bounds.low is None:
        return None
    return bool(bounds.low < bound if strict else bounds.low <= bound)


def _reaches_up(bounds: Bounds, bound: Any, strict: bool) -> bool | None:
    if bounds.high is None:
        return None
    if bounds.is_prefix and bound.startswith(bounds.high):
        return True
    return bool(bounds.high > bound if strict else bounds.high >= bound)


_READERS: dict[type[Condition], Callable[[Any, FileFacts], bool | None]] = {
    All: _all,
    Any_: _any,
    Fixed: _fixed,
    HasNulls: _has_nulls,
    HasValues: _has_values,
    Below: _below,
    Above: _above,
    Among: _among,
}
