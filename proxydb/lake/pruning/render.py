"""Writes a condition over files as SQL, which knows the same three values; what SQL cannot ask surely stays NULL.

A condition holds no NOT, so replacing an arm by NULL, or by something weaker, only ever keeps more files. What is
surely true is asked in the same way with stronger arms.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from math import ceil, floor, isfinite
from typing import TYPE_CHECKING, Any

from proxydb.lake.json_paths import is_plain, json_text, json_type, partition_expressions
from proxydb.lake.pruning.conditions import Above, All, Among, Any_, Below, Condition, Fixed, HasNulls, HasValues

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxydb.lake.pruning.columns import Column

UNKNOWN = "CAST(NULL AS BOOLEAN)"
_NUMBER = {"sqlite": "IN ('integer', 'real')", "postgresql": "= 'number'"}
_STRING = {"sqlite": "= 'text'", "postgresql": "= 'string'"}
# A list of more intervals is asked as the one that spans them all.
_MOST_INTERVALS = 16
# Beyond this many tests the statement would outgrow what SQLite parses (SQLITE_MAX_EXPR_DEPTH).
_MOST_TESTS = 200
_INT64 = range(-(2**63), 2**63)
# How far a number may be off after it went through text and back, by kind; and below which size not even that is sure.
_SLACK = {"double": Decimal(2) ** -50, "decimal": Decimal(2) ** -50, "float": Decimal(2) ** -22}
_TINY = Decimal("1e-290")


class Renderer:
    """Writes conditions for one statement and collects the values of its markers.

    Parameters
    ----------
    system
        ``"sqlite"`` or ``"postgresql"``.
    compares_text
        Whether the database can compare text byte by byte as UTF-8.
    values
        Marker → value, to which those of this renderer are added.
    surely
        Whether what is written may be false or unknown where the condition is true, instead of true or unknown where
        it is false.
    """

    def __init__(self, system: str, values: dict[str, Any], *, compares_text: bool, surely: bool = False) -> None:
        self._system = system
        self._values = values
        self._compares_text = compares_text
        self._surely = surely
        self._tests = 0

    def sql(self, condition: Condition) -> str:
        """A condition on the row `f` of `dl_add_files`."""
        self._tests += 1
        if self._tests > _MOST_TESTS:
            return UNKNOWN
        return _WRITERS[type(condition)](self, condition)

    def joined(self, arms: tuple[Condition, ...], word: str, of_none: bool) -> str:
        """Arms with AND or OR between them."""
        if not arms:
            return str(of_none).upper()
        return f"({f' {word} '.join(dict.fromkeys(map(self.sql, arms)))})"

    def fixed(self, condition: Fixed) -> str:
        """TRUE, FALSE or NULL."""
        return UNKNOWN if condition.value is None else str(condition.value).upper()

    def has_nulls(self, condition: HasNulls) -> str:
        """A partition value that is NULL, or a count above zero."""
        column = condition.column
        if column.is_partition:
            return f"({self._partition(column)} IS NULL)"
        return f"({self._statistic('nullCount', column, _NUMBER)} > 0)" if is_plain(column.path) else UNKNOWN

    def has_values(self, condition: HasValues) -> str:
        """A partition value that is not NULL, or fewer NULLs than rows."""
        column = condition.column
        if column.is_partition:
            return f"({self._partition(column)} IS NOT NULL)"
        if not is_plain(column.path):
            return UNKNOWN
        rows = self._guarded(["numRecords"], _NUMBER)
        return f"({self._statistic('nullCount', column, _NUMBER)} <> {rows})"

    def below(self, condition: Below) -> str:
        """The least value against a bound."""
        return self._down(condition.column, condition.bound, condition.strict)

    def above(self, condition: Above) -> str:
        """The greatest value against a bound."""
        return self._up(condition.column, condition.bound, condition.strict)

    def among(self, condition: Among) -> str:
        """The span of values against intervals."""
        column, intervals = condition.column, condition.intervals
        if len(intervals) > _MOST_INTERVALS:
            if self._surely:
                return UNKNOWN
            lows, highs = zip(*intervals, strict=True)
            intervals = (type(intervals[0])(min(lows), max(highs)),)
        tests = [f"({self._down(column, each.high)} AND {self._up(column, each.low)})" for each in intervals]
        return f"({' OR '.join(tests)})" if tests else "FALSE"

    def _down(self, column: Column, bound: Any, strict: bool = False) -> str:
        """Whether the least value is below a bound; a time is asked to the second."""
        low, marker = self._side(column, "minValues"), self._marker(column, bound, floor if self._surely else ceil)
        if low is None or marker is None:
            return UNKNOWN
        return f"({low} {'<' if self._is_strict(column, strict) else '<='} {marker})"

    def _up(self, column: Column, bound: Any, strict: bool = False) -> str:
        """Whether the greatest value is above a bound; of a string only the beginning may be known."""
        high, marker = self._side(column, "maxValues"), self._marker(column, bound, ceil if self._surely else floor)
        if high is None or marker is None:
            return UNKNOWN
        above = f"{high} {'>' if self._is_strict(column, strict) else '>='} {marker}"
        if column.kind == "string" and not column.is_partition and not self._surely:
            above = f"{above} OR SUBSTR({marker}, 1, LENGTH({high})) = {high}"
        return f"({above})"

    def _is_strict(self, column: Column, strict: bool) -> bool:
        """Whether to ask for a difference: of a time only the seconds are compared."""
        return self._surely if column.kind in _TIMES else strict

    def _side(self, column: Column, statistic: str) -> str | None:
        """The least or greatest value, NULL where it is not known; None where the kind cannot be asked."""
        if column.kind == "string" and not self._compares_text:
            return None
        if column.is_partition:
            writer = _PARTITION_SIDES.get(column.kind or "")
            return writer(self._partition(column), self._system) if writer else None
        if column.kind in _NUMBERS:
            return self._statistic(statistic, column, _NUMBER)
        if column.kind == "string":
            return _bytewise(self._statistic(statistic, column, _STRING), self._system)
        writer = _TEXT_SIDES.get(column.kind or "")
        if writer is None or not is_plain(column.path):
            return None
        return writer(json_text("f.stats", [statistic, *column.path], self._system), self._system)

    def _partition(self, column: Column) -> str:
        [expression] = partition_expressions(column.path, self._system)
        return expression

    def _statistic(self, statistic: str, column: Column, types: dict[str, str]) -> str:
        if not is_plain(column.path):
            return "NULL"
        return self._guarded([statistic, *column.path], types)

    def _guarded(self, path: list[str], types: dict[str, str]) -> str:
        """A value of the statistics if it has the right JSON type, else NULL."""
        value = json_text("f.stats", path, self._system)
        if self._system == "postgresql" and types is _NUMBER:
            value = f"CAST({value} AS NUMERIC)"
        return f"CASE WHEN {json_type('f.stats', path, self._system)} {types[self._system]} THEN {value} END"

    def _marker(self, column: Column, bound: Any, away: Callable[[Any], int]) -> str | None:
        """A marker for a bound, moved `away` where it cannot be asked exactly; None where it cannot be asked at all."""
        value = self._integer(bound, away) if column.kind == "integer" else self._fraction(column, bound, away)
        if column.kind in _TEXTS:
            value = _TEXTS[column.kind](bound)
        if value is None:
            return None
        known = (name for name, other in self._values.items() if (type(other), other) == (type(value), value))
        name = next(known, f"p{len(self._values)}")
        self._values[name] = value
        return f"CAST(:{name} AS TEXT)" if isinstance(value, str) else f":{name}"

    def _integer(self, bound: Any, away: Callable[[Any], int]) -> Any:
        try:
            whole = away(bound)
        except OverflowError:
            return None
        if whole in _INT64:
            return whole
        return Decimal(whole) if self._system == "postgresql" else None

    def _fraction(self, column: Column, bound: Any, away: Callable[[Any], int]) -> Any:
        if column.kind not in _SLACK:
            return None
        exact = Decimal(bound)
        if not exact.is_finite():
            return None
        slack = abs(exact) * _SLACK[column.kind] + _TINY
        moved = exact + slack if away is ceil else exact - slack
        if self._system == "postgresql":
            return moved
        return float(moved) if isfinite(float(moved)) else None


def _bytewise(text: str, system: str) -> str:
    return f'({text}) COLLATE "C"' if system == "postgresql" else text


def _date_side(text: str, system: str) -> str:
    return f"CASE WHEN {_has_shape(text, '9999-99-99', system)} THEN {_bytewise(text, system)} END"


def _moment_side(text: str, system: str) -> str:
    """The first 19 characters of a time in UTC."""
    ends = f"SUBSTR({text}, 20, 1) IN ('.', 'Z')"
    shape = _has_shape(text, "9999-99-99?99:99:99*Z", system)
    return f"CASE WHEN {shape} AND {ends} THEN {_to_second(text, system)} END"


def _wall_clock_side(text: str, system: str) -> str:
    """The first 19 characters of a time without a zone."""
    rest = f"SUBSTR({text}, 20)"
    ends = f"({rest} = '' OR {rest} LIKE '.%') AND NOT ({rest} LIKE '%Z' OR {rest} LIKE '%+%' OR {rest} LIKE '%-%')"
    shape = _has_shape(text, "9999-99-99?99:99:99*", system)
    return f"CASE WHEN {shape} AND {ends} THEN {_to_second(text, system)} END"


def _has_shape(text: str, shape: str, system: str) -> str:
    """Whether a text has digits where `shape` has a 9, one character for its ? and any for its *."""
    if system == "postgresql":
        pattern = shape.replace("9", "[0-9]").replace("?", ".").replace("*", ".*")
        return f"{text} ~ '^{pattern}$'"
    return f"{text} GLOB '{shape.replace('9', '[0-9]')}'"


def _to_second(text: str, system: str) -> str:
    return _bytewise(f"REPLACE(SUBSTR({text}, 1, 19), ' ', 'T')", system)


def _integer_side(text: str, system: str) -> str:
    if system == "postgresql":
        return f"CASE WHEN {text} ~ '^-?[0-9]{{1,17}}$' THEN CAST({text} AS BIGINT) END"
    digits = f"LTRIM({text}, '-') NOT GLOB '*[^0-9]*' AND LENGTH({text}) <= 17 AND SUBSTR({text}, 2) NOT LIKE '%-%'"
    return f"CASE WHEN {digits} THEN CAST({text} AS BIGINT) END"


_NUMBERS = frozenset(("integer", "double", "float", "decimal"))
_TIMES = frozenset(("timestamp", "timestamp_ntz"))
_TEXTS: dict[str | None, Callable[[Any], str]] = {
    "string": str,
    "date": date.isoformat,
    **dict.fromkeys(_TIMES, lambda moment: datetime.isoformat(moment)[:19]),
}
_TEXT_SIDES: dict[str, Callable[[str, str], str]] = {
    "date": _date_side,
    "timestamp": _moment_side,
    "timestamp_ntz": _wall_clock_side,
}
_PARTITION_SIDES: dict[str, Callable[[str, str], str]] = {
    "string": _bytewise,
    "date": _date_side,
    "integer": _integer_side,
}
_WRITERS: dict[type[Condition], Callable[[Renderer, Any], str]] = {
    All: lambda renderer, condition: renderer.joined(condition.arms, "AND", True),
    Any_: lambda renderer, condition: renderer.joined(condition.arms, "OR", False),
    Fixed: Renderer.fixed,
    HasNulls: Renderer.has_nulls,
    HasValues: Renderer.has_values,
    Below: Renderer.below,
    Above: Renderer.above,
    Among: Renderer.among,
}
