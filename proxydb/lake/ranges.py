"""What the parameters of the operations on one table are drawn from, found once from its head."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from proxydb.lake import queries
from proxydb.lake.snapshot import physical_name

if TYPE_CHECKING:
    from proxydb.lake.session import Session
    from proxydb.lake.snapshot import Snapshot

_INTEGERS = ("long", "integer", "short", "byte")
_TIMESTAMPS = ("timestamp", "timestamp_ntz")


@dataclass(frozen=True, slots=True)
class ParameterRanges:
    """The values that occur in a table; made by `Table.parameter_ranges`.

    Parameters
    ----------
    table_id
        The table's key.
    versions
        The first and the newest version.
    committed
        When those two were committed, in ms since the epoch.
    partition_column
        The first partition column, by the name that the log uses; empty for a table without partitions.
    partition_values
        Its values that are not NULL, sorted as text.
    statistics_column
        The first integer column that has statistics, by the name that the log uses; empty when there is none.
    statistics
        The least minimum and the greatest maximum of that column.
    timestamp_column
        The first timestamp column that has statistics, by the name that the log uses; empty when there is none.
    timestamps
        Its distinct minima, sorted, as text down to the second.
    nullable_column
        The first column that has NULLs in some file by its statistics, by the name that the log uses; else the first
        that has a count of NULLs; empty when there is none.
    applications
        The ids of applications that recorded transactions, sorted.
    paths
        Paths of active files, sorted.
    """

    table_id: int
    versions: tuple[int, int]
    committed: tuple[int, int]
    partition_column: str
    partition_values: tuple[str, ...]
    statistics_column: str
    statistics: tuple[int, int]
    timestamp_column: str
    timestamps: tuple[str, ...]
    nullable_column: str
    applications: tuple[str, ...]
    paths: tuple[str, ...]


def read_ranges(session: Session, table_id: int, head: Snapshot) -> ParameterRanges:
    """The ranges of the table whose newest snapshot is `head`."""
    [(first, last, begin, end)] = session.rows(queries.HISTORY_RANGE, table_id=table_id)
    partition_column = _log_name(head, head.partition_columns[0]) if head.partition_columns else ""
    statistics_column = _column_with_bounds(head, _INTEGERS)
    timestamp_column = _column_with_bounds(head, _TIMESTAMPS)
    return ParameterRanges(
        table_id=table_id,
        versions=(first, last),
        committed=(begin, end),
        partition_column=partition_column,
        partition_values=_partition_values(head, partition_column),
        statistics_column=statistics_column,
        statistics=(
            min(_bounds(head, "minValues", statistics_column), default=0),
            max(_bounds(head, "maxValues", statistics_column), default=0),
        ),
        timestamp_column=timestamp_column,
        timestamps=tuple(sorted({bound[:19] for bound in _bounds(head, "minValues", timestamp_column)})),
        nullable_column=_nullable_column(head),
        applications=tuple(sorted(head.transactions)),
        paths=tuple(file.path for file in head.files),
    )


def _partition_values(head: Snapshot, column: str) -> tuple[str, ...]:
    return tuple(sorted({value for file in head.files if (value := file.partition_values.get(column))}))


def _column_with_bounds(head: Snapshot, types: tuple[str, ...]) -> str:
    """The first column of one of these types that has statistics."""
    candidates = (_log_name(head, field["name"]) for field in head.schema["fields"] if field["type"] in types)
    return next((name for name in candidates if _bounds(head, "minValues", name)), "")


def _nullable_column(head: Snapshot) -> str:
    counts = {name: _bounds(head, "nullCount", name) for name in _top_level_names(head)}
    counted = [name for name, found in counts.items() if found and isinstance(found[0], int)]
    return next((name for name in counted if any(counts[name])), counted[0] if counted else "")


def _top_level_names(head: Snapshot) -> list[str]:
    return [_log_name(head, field["name"]) for field in head.schema["fields"]]


def _bounds(head: Snapshot, kind: str, column: str) -> list[Any]:
    return [file.stats[kind][column] for file in head.files if file.stats and column in file.stats.get(kind, {})]


def _log_name(head: Snapshot, name: str) -> str:
    return physical_name(head.schema, name)
