"""What the metadata operations answer, as frozen values."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from proxydb.lake.snapshot import parsed

if TYPE_CHECKING:
    from collections.abc import Sequence


class Totals(NamedTuple):
    """How many active files there are, and their bytes."""

    files: int
    bytes: int


class Metadata(NamedTuple):
    """What a table is.

    Parameters
    ----------
    schema
        The parsed Delta schema, a struct type.
    partition_columns
        Their names, in order.
    properties
        The table properties (`configuration`).
    id, name, description, created_time
        Those of the `metaData` action; None where it does not say, the time in ms since the epoch.
    """

    schema: dict[str, Any]
    partition_columns: tuple[str, ...]
    properties: dict[str, str]
    id: str | None
    name: str | None
    description: str | None
    created_time: int | None


class HistoryEntry(NamedTuple):
    """Who made a version, when (ms since the epoch), and how; None where the commit does not say."""

    version: int
    committed_at: int
    committer: str | None
    operation: str | None
    operation_parameters: dict[str, Any] | None
    is_blind_append: bool | None
    operation_metrics: dict[str, Any] | None


class PartitionTotals(NamedTuple):
    """Files and bytes of one partition; `values` by column, None is NULL; empty for a table without partitions."""

    values: dict[str, str | None]
    files: int
    bytes: int


class FileAction(NamedTuple):
    """That a version added or removed a path, with the id of the deletion vector."""

    version: int
    kind: Literal["add", "remove"]
    deletion_vector_id: str


class Change(NamedTuple):
    """One file action between two versions; `size` is None where a remove does not say."""

    version: int
    kind: Literal["add", "remove"]
    path: str
    deletion_vector_id: str
    size: int | None
    data_change: bool


class VacuumCandidate(NamedTuple):
    """A data file that no active file needs: when its last row went (ms since the epoch), and its bytes if known."""

    path: str
    deleted_at: int
    size: int | None


class DayGrowth(NamedTuple):
    """Files and bytes of new data that were committed on a UTC day."""

    day: date
    files: int
    bytes: int


class TableEntry(NamedTuple):
    """A line of the listing: the table, its newest version, and the commit that made it."""

    name: str
    location: str
    version: int
    committed_at: int
    operation: str | None


class TableTotals(NamedTuple):
    """Active files and bytes of one table of the fleet."""

    name: str
    files: int
    bytes: int


Row = tuple[Any, ...]


def metadata(row: Row) -> Metadata:
    """A row of `METADATA_AT_HEAD` or `METADATA_AT_VERSION`."""
    schema, partition_columns, properties, extra = map(parsed, row)
    more = extra or {}
    described = (more.get(name) for name in ("id", "name", "description", "createdTime"))
    return Metadata(schema, tuple(partition_columns), properties, *described)


def history_entry(row: Row) -> HistoryEntry:
    """A row of `HISTORY`."""
    version, committed_at, committer, operation, parameters, blind, metrics = row
    flag = None if blind is None else bool(blind)
    return HistoryEntry(version, committed_at, committer, operation, parsed(parameters), flag, parsed(metrics))


def partition_totals(columns: Sequence[str], row: Row) -> PartitionTotals:
    """A row of `BYTES_PER_PARTITION` or `SMALL_FILES`, of a table with these partition columns."""
    *values, files, size = row
    return PartitionTotals(dict(zip(columns, values, strict=False)), files, size)


def change(row: Row) -> Change:
    """A row of `CHANGES`."""
    version, kind, path, deletion_vector_id, size, data_change = row
    return Change(version, kind, path, deletion_vector_id, size, bool(data_change))


def day_growth(row: Row) -> DayGrowth:
    """A row of `GROWTH_PER_DAY`: days are counted from the epoch."""
    return DayGrowth(datetime.fromtimestamp(row[0] * 86400, UTC).date(), *row[1:])
