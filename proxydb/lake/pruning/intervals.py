"""What a constant can mean when it is compared with a column: an interval, so that no rounding loses a file.

Databases disagree about ``0.1`` against a double, or 2⁵³ + 1 against a bigint: the constant is rounded, or the column,
or neither. The interval holds every meaning. A time without a zone is made one by the zone that the caller names.
"""

from __future__ import annotations

import math
import re
import struct
from datetime import UTC, date, datetime, time, tzinfo
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxydb.lake.pruning.columns import Column

_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_TIME = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?)?(?:Z| ?[+-]\d\d(?::?\d\d)?)?")
# An integer of more bits does not survive as a double.
_EXACT_DOUBLE = 2**53
# Decimals of more digits do not survive as a double.
EXACT_DIGITS = 15
_SLACK = Decimal(2) ** -50


class Interval(NamedTuple):
    """Every value from `low` to `high`, both included."""

    low: Any
    high: Any


def interval(column: Column, value: Any, zone: tzinfo) -> Interval | None:
    """What `value` can mean beside the column; None where that is not known.

    Parameters
    ----------
    column
        The column.
    value
        A constant that is not NULL.
    zone
        The zone of times that have none, where the column's have one.
    """
    reader = _READERS.get(column.kind) if column.kind else None
    return reader(column, value, zone) if reader else None


def _number(column: Column, value: Any, zone: tzinfo) -> Interval | None:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal) or not _is_finite(value):
        return None
    meanings: list[Any] = [value]
    if isinstance(value, float):
        meanings.append(Decimal(repr(value)))
    if column.kind in ("double", "float"):
        meanings.append(_rounded(float, value))
    if column.kind == "float":
        meanings.append(_rounded(as_float32, value))
    if _may_be_rounded(column, value):
        meanings += widened(Decimal(value), Decimal(value))
    return Interval(min(meanings), max(meanings))


def _may_be_rounded(column: Column, value: Any) -> bool:
    """Whether the column's own values may become doubles to be compared with `value`, and not the same ones."""
    if column.kind == "integer":
        return not isinstance(value, int) and bool(abs(value) >= _EXACT_DOUBLE)
    return column.kind == "decimal" and column.digits > EXACT_DIGITS


def _rounded(rounding: Callable[[float], float], value: Any) -> float:
    try:
        return rounding(float(value))
    except OverflowError:
        return math.copysign(math.inf, value)


def as_float32(value: float) -> float:
    """The nearest number of 32 bits (IEEE 754 binary32).

    Raises
    ------
    OverflowError
        There is none.
    """
    return float(struct.unpack("<f", struct.pack("<f", value))[0])


def widened(low: Decimal, high: Decimal) -> Interval:
    """An interval that holds whatever becomes `low` to `high` after a few roundings to 64 bits."""
    return Interval(low - abs(low) * _SLACK, high + abs(high) * _SLACK)


def _is_finite(value: float | Decimal) -> bool:
    return value.is_finite() if isinstance(value, Decimal) else isinstance(value, int) or math.isfinite(value)


def _string(column: Column, value: Any, zone: tzinfo) -> Interval | None:
    if not isinstance(value, str) or "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
        return None
    return Interval(value, value)


def _date(column: Column, value: Any, zone: tzinfo) -> Interval | None:
    if isinstance(value, str):
        value = parsed_date(value)
    return Interval(value, value) if isinstance(value, date) and not isinstance(value, datetime) else None


def _moment(column: Column, value: Any, zone: tzinfo) -> Interval | None:
    """A time in UTC for a column of moments; twice a year a clock shows a time that it shows again, or never."""
    moment = _time(value)
    if moment is None:
        return None
    meanings = [moment] if moment.tzinfo else [moment.replace(tzinfo=zone, fold=fold) for fold in (0, 1)]
    try:
        utc = [meaning.astimezone(UTC) for meaning in meanings]
    except OverflowError:
        return None
    return Interval(min(utc), max(utc))


def _wall_clock(column: Column, value: Any, zone: tzinfo) -> Interval | None:
    """A time without a zone for a column of such times."""
    moment = _time(value)
    return None if moment is None or moment.tzinfo else Interval(moment, moment)


def _time(value: Any) -> datetime | None:
    if isinstance(value, str):
        return parsed_time(value)
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime.combine(value, time())
    return value if isinstance(value, datetime) else None


def _boolean(column: Column, value: Any, zone: tzinfo) -> Interval | None:
    return Interval(value, value) if isinstance(value, bool) else None


_READERS: dict[str, Callable[[Column, Any, tzinfo], Interval | None]] = {
    **dict.fromkeys(("integer", "double", "float", "decimal"), _number),
    "string": _string,
    "date": _date,
    "timestamp": _moment,
    "timestamp_ntz": _wall_clock,
    "boolean": _boolean,
}


def parsed_date(text: str) -> date | None:
    """A date as ISO 8601 writes it in full; None for anything else."""
    try:
        return date.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        return None


def parsed_time(text: str) -> datetime | None:
    """A date, or a time to the microsecond at most, with or without a zone; None for anything else."""
    try:
        return datetime.fromisoformat(text.replace(" +", "+").replace(" -", "-")) if _TIME.fullmatch(text) else None
    except ValueError:
        return None


def successor(prefix: str) -> str | None:
    """The least string that is greater than every string with this prefix; None when there is none."""
    for end in range(len(prefix) - 1, -1, -1):
        point = ord(prefix[end]) + 1
        if point == 0xD800:
            point = 0xE000
        if point <= 0x10FFFF:
            return prefix[:end] + chr(point)
    return None
