"""The metadata operations of the lake by number: SQL, and parameters drawn from a table's own values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from proxydb.lake import queries
from proxydb.lake.statement import bind, marker_names, render

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from proxydb.lake.ranges import ParameterRanges

_MIB = 1024 * 1024


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
        The statement, with a `:name` marker for each parameter; ``{partition}`` and ``{column}`` stand for the
        names of a table's columns, as string literals.
    """

    number: str
    title: str
    sql: str

    def statement(self, system: str, ranges: ParameterRanges) -> str:
        """The statement as ``"sqlite"`` (``?``) or ``"postgresql"`` (``%s``) takes it, for the table of `ranges`."""
        text = render(self.sql, system)
        for name, column in (("{partition}", ranges.partition_column), ("{column}", ranges.statistics_column)):
            text = text.replace(name, _literal(column, system))
        return text

    def parameters(self, ranges: ParameterRanges, rng: Random) -> tuple[Any, ...]:
        """One set of parameters, drawn from the table's own values; the same `rng` state draws the same."""
        values = {name: _DRAWN[name](ranges, rng) for name in dict.fromkeys(marker_names(self.sql))}
        if "high" in values:
            values["low"], values["high"] = sorted((values["low"], values["high"]))
        return bind(self.sql, values)


def _recent_partition(ranges: ParameterRanges, rng: Random) -> str:
    """Mostly one of the last seven: the newest data is asked for most."""
    values = ranges.partition_values or ("",)
    return rng.choice(values[-7:] if rng.random() < 0.7 else values)


_DRAWN: dict[str, Callable[[ParameterRanges, Random], Any]] = {
    "table_id": lambda ranges, rng: ranges.table_id,
    "version": lambda ranges, rng: rng.randint(*ranges.versions),
    "timestamp": lambda ranges, rng: rng.randint(*sorted(ranges.committed)),
    "partition": _recent_partition,
    "low": _recent_partition,
    "high": _recent_partition,
    "number": lambda ranges, rng: rng.randint(*ranges.statistics),
    "threshold": lambda ranges, rng: rng.choice((8, 16, 32, 64, 128)) * _MIB,
    "app_id": lambda ranges, rng: rng.choice(ranges.applications or ("",)),
    "path": lambda ranges, rng: rng.choice(ranges.paths or ("",)),
}


def _literal(text: str, system: str) -> str:
    quoted = text.replace("'", "''")
    return f"'{quoted.replace('%', '%%') if system == 'postgresql' else quoted}'"


OPERATIONS = (
    Operation("01", "head version", queries.HEAD_VERSION),
    Operation("02", "active files", queries.FILES_AT_HEAD),
    Operation("03", "count and bytes at head", queries.COUNT_AND_BYTES_AT_HEAD),
    Operation("04", "active files at an older version", queries.FILES_AT_VERSION),
    Operation("04c", "count at an older version", queries.COUNT_AT_VERSION),
    Operation("05", "timestamp to version", queries.VERSION_AT_TIME),
    Operation("06", "schema and properties", queries.METADATA_AT_HEAD),
    Operation("07", "protocol", queries.PROTOCOL_AT_HEAD),
    Operation("08", "partition equality", queries.FILES_OF_PARTITION),
    Operation("09", "partition range", queries.FILES_OF_PARTITION_RANGE),
    Operation("10", "stats point", queries.FILES_THAT_MAY_HOLD),
    Operation("14", "history", queries.HISTORY),
    Operation("15", "table listing", queries.LISTING),
    Operation("16", "files and bytes per partition", queries.BYTES_PER_PARTITION),
    Operation("17", "version of an application's transaction", queries.TRANSACTION_AT_HEAD),
    Operation("18", "small files per partition", queries.SMALL_FILES),
    Operation("21", "actions of a path", queries.ACTIONS_OF_PATH),
    Operation("23", "growth per day", queries.GROWTH_PER_DAY),
    Operation("24", "top 20 tables by bytes", queries.FLEET_BY_BYTES),
)
