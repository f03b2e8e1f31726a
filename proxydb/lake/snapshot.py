"""A table as it was at one version: frozen values, and the reading of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from proxydb.lake import queries
from proxydb.lake.lazy_json import parse_on_demand

if TYPE_CHECKING:
    from proxydb.lake.session import Session


@dataclass(frozen=True, slots=True)
class File:
    """A logical file: a data file together with its deletion vector.

    Parameters
    ----------
    path
        As the log has it: relative to the table or absolute, percent-encoded. See `decoded_path`.
    size
        Bytes of the data file.
    partition_values
        Partition column → value as Delta serialises it; None is NULL, and so is the empty string.
    stats
        The parsed statistics (``numRecords``, ``minValues``, ``maxValues``, ``nullCount``), or None.
    deletion_vector_id
        The unique id of the deletion vector; empty when there is none.
    modification_time
        When the file was made, in ms since the epoch.
    data_change
        False when the commit only rearranged data or added statistics.
    version
        The version that added it in this form; for what a checkpoint brought, the checkpoint's.
    extra
        The fields of the add that have no name here: ``deletionVector``, ``tags``, ``baseRowId`` and their like.

    References
    ----------
    Delta PROTOCOL: Add File and Remove File; Per-file Statistics; Deletion Vectors, Derived Fields.
    """

    path: str
    size: int
    partition_values: dict[str, str | None]
    stats: dict[str, Any] | None
    deletion_vector_id: str
    modification_time: int
    data_change: bool
    version: int
    extra: dict[str, Any]

    @property
    def deletion_vector(self) -> dict[str, Any] | None:
        """The descriptor of the deletion vector, or None (Delta PROTOCOL, Deletion Vector Descriptor Schema)."""
        return self.extra.get("deletionVector")

    @property
    def decoded_path(self) -> str:
        """The path with its percent-encoding taken off (RFC 2396), as a file system knows it."""
        return unquote(self.path)


parse_on_demand(File, "partition_values", "stats")  # most readers of a long list look at neither


@dataclass(frozen=True, slots=True)
class Protocol:
    """What a reader and a writer of the table have to understand.

    References
    ----------
    Delta PROTOCOL: Protocol Evolution.
    """

    min_reader_version: int
    min_writer_version: int
    reader_features: tuple[str, ...]
    writer_features: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A table at one version.

    Parameters
    ----------
    version
        The version.
    files
        The active files, sorted by path and deletion-vector id.
    schema
        The parsed Delta schema, a struct type.
    partition_columns
        Their names, in order.
    protocol
        What the table asks of readers and writers.
    properties
        The table properties (`configuration`).
    transactions
        Application id → the newest version that the application recorded.
    domain_metadata
        Domain → configuration, without removed domains.

    References
    ----------
    Delta PROTOCOL: Action Reconciliation.
    """

    version: int
    files: tuple[File, ...]
    schema: dict[str, Any]
    partition_columns: tuple[str, ...]
    protocol: Protocol
    properties: dict[str, str]
    transactions: dict[str, int]
    domain_metadata: dict[str, str]


def read_snapshot(session: Session, table_id: int, version: int) -> Snapshot:
    """The snapshot of a version that exists; what a version holds never changes, so the statements agree."""
    at = {"table_id": table_id, "version": version}
    [metadata] = session.rows(queries.METADATA_AT_VERSION, **at)
    schema, partition_columns, properties = map(parsed, metadata[:3])
    return Snapshot(
        version=version,
        files=read_files(session, table_id, version),
        schema=schema,
        partition_columns=tuple(partition_columns),
        protocol=read_protocol(session, table_id, version),
        properties=properties,
        transactions=dict(session.rows(queries.TRANSACTIONS_AT_VERSION, **at)),
        domain_metadata=dict(session.rows(queries.DOMAINS_AT_VERSION, **at)),
    )


def read_files(session: Session, table_id: int, version: int) -> tuple[File, ...]:
    """The active files of a version that exists, sorted by path and deletion-vector id."""
    rows = session.rows(queries.FILES_AT_VERSION, table_id=table_id, version=version)
    return tuple(sorted(map(file_of_row, rows), key=lambda file: (file.path, file.deletion_vector_id)))


def read_protocol(session: Session, table_id: int, version: int) -> Protocol:
    """The protocol of a version that exists."""
    [row] = session.rows(queries.PROTOCOL_AT_VERSION, table_id=table_id, version=version)
    return Protocol(*row[:2], *(tuple(parsed(features)) for features in row[2:]))


def physical_name(schema: dict[str, Any], name: str) -> str:
    """The name by which the log knows a top-level column of `schema`; other than `name` under column mapping.

    References
    ----------
    Delta PROTOCOL: Column Mapping.
    """
    column: dict[str, Any] = next((field for field in schema["fields"] if field["name"] == name), {})
    return str(column.get("metadata", {}).get("delta.columnMapping.physicalName", name))


def file_of_row(row: tuple[Any, ...]) -> File:
    """A row of the columns `queries.FILE`."""
    path, dv_id, size, partition_values, stats, modification_time, data_change, version, extra = row
    return File(
        path=path,
        size=size,
        partition_values=partition_values,
        stats=stats,
        deletion_vector_id=dv_id,
        modification_time=modification_time,
        data_change=bool(data_change),
        version=version,
        extra=parsed(extra) or {},
    )


def parsed(value: Any) -> Any:
    """A JSON column's value: text on SQLite, parsed already on Postgres."""
    return json.loads(value) if isinstance(value, str) else value
