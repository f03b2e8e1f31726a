"""What a file's partition values and statistics tell of one column, read with all the doubt that they deserve."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from proxydb.lake.pruning.intervals import EXACT_DIGITS, Interval, as_float32, parsed_date, parsed_time, widened

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from proxydb.lake.pruning.columns import Column

_INTEGER = re.compile(r"[+-]?\d+")
_DECIMAL = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?")
# Writers cut times in statistics to milliseconds.
_CUT = timedelta(microseconds=999)
# A time in a partition value may be meant in any zone: they span UTC-12 to UTC+14.
_EARLIEST, _LATEST = timedelta(hours=-14), timedelta(hours=12)


class Bounds(NamedTuple):
    """What is known of the values of a column in one file; None is unknown.

    Parameters
    ----------
    low, high
        No value is less than `low` or greater than `high`; a string may also be longer than `high` when `is_prefix`.
    has_values, has_nulls
        Whether some row is not NULL, and whether some row is.
    is_prefix
        Whether `high` may be only the beginning of the greatest string.
    """

    low: Any
    high: Any
    has_values: bool | None
    has_nulls: bool | None
    is_prefix: bool = False


NOTHING = Bounds(None, None, None, None)
NULL = Bounds(None, None, False, True)


def partition_bounds(column: Column, values: Mapping[str, str | None]) -> Bounds:
    """The bounds of a partition column: its value is its own minimum and maximum.

    References
    ----------
    Delta PROTOCOL: Partition Value Serialization.
    """
    text = values.get(column.path[0])
    if text is None or text == "":
        return NULL
    found = _PARTITION_VALUES[column.kind](column, text) if column.kind else None
    low, high = found or (None, None)
    return Bounds(low, high, True, False)


def statistics_bounds(column: Column, stats: Mapping[str, Any] | None) -> Bounds:
    """The bounds that the statistics of a file give.

    Parameters
    ----------
    column
        The column.
    stats
        The parsed statistics, whose fractions have to be `Decimal`; None when there are none.

    References
    ----------
    Delta PROTOCOL: Per-file Statistics. Of a count of NULLs only none and all carry information when a deletion vector
    has made the bounds wide, so only those are used.
    """
    if not stats:
        return NOTHING
    rows, nulls = stats.get("numRecords"), _at(stats.get("nullCount"), column.path)
    low, high = _bound(column, stats.get("minValues"), 0), _bound(column, stats.get("maxValues"), 1)
    has_values = None if low is None and high is None else True
    if type(rows) is int and type(nulls) is int:
        has_values = nulls != rows
    has_nulls = nulls > 0 if type(nulls) is int else None
    return Bounds(low, high, has_values, has_nulls, is_prefix=column.kind == "string")


def _at(found: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _bound(column: Column, values: Any, side: int) -> Any:
    found = _at(values, column.path)
    if found is None or column.kind is None:
        return None
    meant = _STATISTICS[column.kind](column, found)
    return None if meant is None else meant[side]


def _integer(column: Column, found: Any) -> Interval | None:
    return Interval(found, found) if type(found) in (int, Decimal) else None


def _decimal(column: Column, found: Any) -> Interval | None:
    """Writers pass decimals through doubles."""
    if type(found) not in (int, Decimal):
        return None
    exact = Decimal(found)
    return Interval(exact, exact) if column.digits <= EXACT_DIGITS else widened(exact, exact)


def _double(column: Column, found: Any) -> Interval | None:
    if type(found) not in (int, Decimal):
        return None
    try:
        value = float(found)
    except OverflowError:
        return None
    return Interval(value, value) if math.isfinite(value) else None


def _float(column: Column, found: Any) -> Interval | None:
    """Whether a writer spells a number of 32 bits in its own shortest way or that of 64 bits is not known."""
    if (exact := _double(column, found)) is None:
        return None
    try:
        meanings = (exact.low, as_float32(exact.low))
    except OverflowError:
        return None
    return Interval(min(meanings), max(meanings))


def _string(column: Column, found: Any) -> Interval | None:
    return Interval(found, found) if type(found) is str else None


def _date(column: Column, found: Any) -> Interval | None:
    value = parsed_date(found) if type(found) is str else None
    return Interval(value, value) if value else None


def _moment(column: Column, found: Any) -> Interval | None:
    moment = parsed_time(found) if type(found) is str else None
    if moment is None or moment.tzinfo is None:
        return None
    return _until_cut(moment, found)


def _wall_clock(column: Column, found: Any) -> Interval | None:
    moment = parsed_time(found) if type(found) is str else None
    return None if moment is None or moment.tzinfo else _until_cut(moment, found)


def _until_cut(moment: datetime, text: str) -> Interval | None:
    """A time that was written with more than three digits after the second was not cut."""
    whole = re.search(r"\.\d{4}", text)
    try:
        moment = moment.astimezone(UTC) if moment.tzinfo else moment
        return Interval(moment, moment if whole else moment + _CUT)
    except OverflowError:
        return None


def _boolean(column: Column, found: Any) -> Interval | None:
    return Interval(found, found) if type(found) is bool else None


_STATISTICS: dict[str, Callable[[Column, Any], Interval | None]] = {
    "integer": _integer,
    "decimal": _decimal,
    "double": _double,
    "float": _float,
    "string": _string,
    "date": _date,
    "timestamp": _moment,
    "timestamp_ntz": _wall_clock,
    "boolean": _boolean,
}


def _partition_integer(column: Column, text: str) -> Interval | None:
    return _integer(column, int(text)) if _INTEGER.fullmatch(text) else None


def _partition_number(column: Column, text: str) -> Interval | None:
    return _STATISTICS[column.kind or ""](column, Decimal(text)) if _DECIMAL.fullmatch(text) else None


def _partition_decimal(column: Column, text: str) -> Interval | None:
    return Interval(Decimal(text), Decimal(text)) if _DECIMAL.fullmatch(text) else None


def _partition_moment(column: Column, text: str) -> Interval | None:
    moment = parsed_time(text)
    try:
        if moment is None:
            return None
        if moment.tzinfo:
            return Interval(moment.astimezone(UTC), moment.astimezone(UTC))
        utc = moment.replace(tzinfo=UTC)
        return Interval(utc + _EARLIEST, utc + _LATEST)
    except OverflowError:
        return None


def _partition_wall_clock(column: Column, text: str) -> Interval | None:
    moment = parsed_time(text)
    return None if moment is None or moment.tzinfo else Interval(moment, moment)


def _partition_boolean(column: Column, text: str) -> Interval | None:
    value = {"true": True, "false": False}.get(text.lower())
    return None if value is None else Interval(value, value)


_PARTITION_VALUES: dict[str, Callable[[Column, str], Interval | None]] = {
    "integer": _partition_integer,
    "decimal": _partition_decimal,
    "double": _partition_number,
    "float": _partition_number,
    "string": _string,
    "date": _date,
    "timestamp": _partition_moment,
    "timestamp_ntz": _partition_wall_clock,
    "boolean": _partition_boolean,
}
