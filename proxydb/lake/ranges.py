"""What the parameters of the operations on one table are drawn from, found once from its head."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from proxydb.lake import queries

if TYPE_CHECKING:
    from proxydb.lake.session import Session
    from proxydb.lake.snapshot import Snapshot

_INTEGERS = ("long", "integer", "short", "byte")


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
    applications: tuple[str, ...]
    paths: tuple[str, ...]


def read_ranges(session: Session, table_id: int, head: Snapshot) -> ParameterRanges:
    """The ranges of the table whose newest snapshot is `head`."""
    [(first, last, begin, end)] = session.rows(queries.HISTORY_RANGE, table_id=table_id)
    partition_column = _log_name(head, head.partition_columns[0]) if head.partition_columns else ""
    statistics_column = _statistics_column(head)
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
        applications=tuple(sorted(head.transactions)),
        paths=tuple(file.path for file in head.files),
    )


def _partition_values(head: Snapshot, column: str) -> tuple[str, ...]:
    return tuple(sorted({value for file in head.files if (value := file.partition_values.get(column))}))


def _statistics_column(head: Snapshot) -> str:
    integers = (field["name"] for field in head.schema["fields"] if field["type"] in _INTEGERS)
    names = (_log_name(head, name) for name in integers)
    return next((name for name in names if _bounds(head, "minValues", name)), "")


def _bounds(head: Snapshot, kind: str, column: str) -> list[int]:
    return [file.stats[kind][column] for file in head.files if file.stats and column in file.stats.get(kind, {})]


def _log_name(head: Snapshot, name: str) -> str:
    """The physical name of a column, by which statistics and partition values know it (Column Mapping)."""
    metadata: dict[str, Any] = next(field["metadata"] for field in head.schema["fields"] if field["name"] == name)
    return str(metadata.get("delta.columnMapping.physicalName", name))
