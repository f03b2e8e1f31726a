"""A table as it was at one version: frozen values, and the reading of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from proxydb.lake import queries

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

    @property
    def decoded_path(self) -> str:
        """The path with its percent-encoding taken off (RFC 2396), as a file system knows it."""
        return unquote(self.path)


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
    [protocol] = session.rows(queries.PROTOCOL_AT_VERSION, **at)
    schema, partition_columns, properties = map(parsed, metadata)
    return Snapshot(
        version=version,
        files=_files(session.rows(queries.FILES_AT_VERSION, **at)),
        schema=schema,
        partition_columns=tuple(partition_columns),
        protocol=Protocol(*protocol[:2], *(tuple(parsed(features)) for features in protocol[2:])),
        properties=properties,
        transactions=dict(session.rows(queries.TRANSACTIONS_AT_VERSION, **at)),
        domain_metadata=dict(session.rows(queries.DOMAINS_AT_VERSION, **at)),
    )


def _files(rows: list[tuple[Any, ...]]) -> tuple[File, ...]:
    return tuple(sorted(map(_file, rows), key=lambda file: (file.path, file.deletion_vector_id)))


def _file(row: tuple[Any, ...]) -> File:
    path, dv_id, size, partition_values, stats, modification_time, data_change, version = row
    return File(
        path=path,
        size=size,
        partition_values=parsed(partition_values),
        stats=parsed(stats),
        deletion_vector_id=dv_id,
        modification_time=modification_time,
        data_change=bool(data_change),
        version=version,
    )


def parsed(value: Any) -> Any:
    """A JSON column's value: text on SQLite, parsed already on Postgres."""
    return json.loads(value) if isinstance(value, str) else value
