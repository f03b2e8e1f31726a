"""The metadata operations of the lake by number: SQL, and parameters drawn from a table's own values."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from proxydb.lake import queries
from proxydb.lake.json_paths import json_text, partition_expressions
from proxydb.lake.statement import bind, marker_names, render

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from proxydb.lake.ranges import ParameterRanges

_MIB = 1024 * 1024
_TOKEN = re.compile(r"{(\w+)}")


@dataclass(frozen=True, slots=True)
class Operation:
    """A metadata operation.

    Parameters
    ----------
    number
        Its number, such as ``"08"``; operations are ordered by it.
    title
        What it asks, in a few words.
    sql
        The statement, with a `:name` marker for each parameter; ``{partition}``, ``{min}`` and their like stand for
        expressions that take a value of a table's own columns out of JSON.
    """

    number: str
    title: str
    sql: str

    def applies(self, ranges: ParameterRanges) -> bool:
        """Whether the table has what the operation asks about: a partition column, a column with statistics."""
        return all(_COLUMN[token](ranges) for token in _TOKEN.findall(self.sql) if token in _COLUMN)

    def statement(self, system: str, ranges: ParameterRanges) -> str:
        """The statement as ``"sqlite"`` (``?``) or ``"postgresql"`` (``%s``) takes it, for the table of `ranges`."""
        text = _TOKEN.sub(lambda found: _expression(found[1], ranges, system), self.sql)
        return render(text, system)

    def parameters(self, ranges: ParameterRanges, rng: Random) -> tuple[Any, ...]:
        """One set of parameters, drawn from the table's own values; the same `rng` state draws the same."""
        values = {name: _DRAWN[name](ranges, rng) for name in dict.fromkeys(marker_names(self.sql))}
        for low, high in (("low", "high"), ("time_low", "time_high"), ("since", "until")):
            if high in values:
                values[low], values[high] = sorted((values[low], values[high]))
        return bind(self.sql, values)


def _recent_partition(ranges: ParameterRanges, rng: Random) -> str:
    """Mostly one of the last seven: the newest data is asked for most."""
    values = ranges.partition_values or ("",)
    return rng.choice(values[-7:] if rng.random() < 0.7 else values)


def _recent_version(ranges: ParameterRanges, rng: Random) -> int:
    """A version a few commits before the head, as a committer has read it."""
    first, last = ranges.versions
    return max(first, last - rng.randint(1, 10))


_DRAWN: dict[str, Callable[[ParameterRanges, Random], Any]] = {
    "table_id": lambda ranges, rng: ranges.table_id,
    "version": lambda ranges, rng: rng.randint(*ranges.versions),
    "since": _recent_version,
    "until": lambda ranges, rng: ranges.versions[1],
    "timestamp": lambda ranges, rng: rng.randint(*sorted(ranges.committed)),
    "cutoff": lambda ranges, rng: max(ranges.committed) + 1,
    "partition": _recent_partition,
    "low": _recent_partition,
    "high": _recent_partition,
    "number": lambda ranges, rng: rng.randint(*ranges.statistics),
    "least": lambda ranges, rng: ranges.statistics[0],
    "time_low": lambda ranges, rng: rng.choice(ranges.timestamps or ("",)),
    "time_high": lambda ranges, rng: rng.choice(ranges.timestamps or ("",)),
    "threshold": lambda ranges, rng: rng.choice((8, 16, 32, 64, 128)) * _MIB,
    "app_id": lambda ranges, rng: rng.choice(ranges.applications or ("",)),
    "path": lambda ranges, rng: rng.choice(ranges.paths or ("",)),
}

# What a token asks of the table.
_COLUMN: dict[str, Callable[[ParameterRanges], str]] = {
    "partition": lambda ranges: ranges.partition_column,
    "min": lambda ranges: ranges.statistics_column,
    "max": lambda ranges: ranges.statistics_column,
    "time_min": lambda ranges: ranges.timestamp_column,
    "time_max": lambda ranges: ranges.timestamp_column,
    "nulls": lambda ranges: ranges.nullable_column,
}
_STATISTIC = {
    "min": "minValues",
    "max": "maxValues",
    "time_min": "minValues",
    "time_max": "maxValues",
    "nulls": "nullCount",
}


def _expression(token: str, ranges: ParameterRanges, system: str) -> str:
    if token == "partitions":
        return ", ".join(partition_expressions((ranges.partition_column,), system))
    if token == "partition":
        return json_text("f.partition_values", [ranges.partition_column], system)
    return json_text("f.stats", [_STATISTIC[token], _COLUMN[token](ranges)], system)


OPERATIONS = (
    Operation("01", "head version", queries.HEAD_VERSION),
    Operation("02", "active files", queries.FILES_AT_HEAD),
    Operation("02n", "active files by NOT EXISTS", queries.FILES_NOT_EXISTS),
    Operation("03", "count and bytes at head", queries.COUNT_AND_BYTES_AT_HEAD),
    Operation("04", "active files at an older version", queries.FILES_AT_VERSION),
    Operation("04c", "count at an older version", queries.COUNT_AT_VERSION),
    Operation("05", "timestamp to version", queries.VERSION_AT_TIME),
    Operation("06", "schema and properties", queries.METADATA_AT_HEAD),
    Operation("07", "protocol", queries.PROTOCOL_AT_HEAD),
    Operation("08", "partition equality", queries.FILES_OF_PARTITION),
    Operation("09", "partition range", queries.FILES_OF_PARTITION_RANGE),
    Operation("10", "stats point", queries.FILES_THAT_MAY_HOLD),
    Operation("11", "stats range on a timestamp", queries.FILES_WITHIN_TIME),
    Operation("12", "partition and IS NULL", queries.FILES_OF_PARTITION_WITH_NULLS),
    Operation("13", "unselective stats", queries.FILES_ABOVE_LEAST),
    Operation("14", "history", queries.HISTORY),
    Operation("15", "table listing", queries.LISTING),
    Operation("16", "files and bytes per partition", queries.BYTES_PER_PARTITION),
    Operation("17", "version of an application's transaction", queries.TRANSACTION_AT_HEAD),
    Operation("18", "small files per partition", queries.SMALL_FILES),
    Operation("19", "conflict check", queries.CONFLICT_CHECK),
    Operation("20", "vacuum candidates", queries.VACUUM_CANDIDATES),
    Operation("21", "actions of a path", queries.ACTIONS_OF_PATH),
    Operation("22", "changes between versions", queries.CHANGES),
    Operation("23", "growth per day", queries.GROWTH_PER_DAY),
    Operation("24", "top 20 tables by bytes", queries.FLEET_BY_BYTES),
)
