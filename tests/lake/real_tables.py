"""Real Delta tables, written and read by the package `deltalake`: input, and the oracle to compare with."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, TableFeatures, Transaction, write_deltalake

if TYPE_CHECKING:
    from pathlib import Path

    from proxydb.lake import Snapshot

CHECKPOINT = 9


def write_real_table(path: Path) -> Path:
    """A table of sixteen versions, 0 to 15: every kind of commit, and a checkpoint at version `CHECKPOINT`."""
    write_deltalake(
        path,
        rows(0, ["a", "b"]),
        partition_by=["part"],
        configuration={"delta.appendOnly": "false", "delta.setTransactionRetentionDuration": "interval 900 days"},
        commit_properties=_said_by("loader", 1),
    )
    write_deltalake(path, rows(10, ["a", "c"]), mode="append", commit_properties=_said_by("loader", 2))
    write_deltalake(path, rows(20, ["sp ace/ü%", None]), mode="append")
    table = DeltaTable(path)
    table.delete("id = 11")
    write_deltalake(path, rows(30, ["a"], extra=True), mode="append", schema_mode="merge")
    write_deltalake(path, rows(40, ["b"], extra=True), mode="overwrite", predicate="part = 'b'")
    DeltaTable(path).optimize.compact()
    DeltaTable(path).alter.set_table_properties({"delta.checkpointInterval": "7"})
    write_deltalake(path, rows(50, ["c"], extra=True), mode="append", commit_properties=_said_by("other", 5))
    DeltaTable(path).update(updates={"value": "value + 1"}, predicate="part = 'c'")
    DeltaTable(path).create_checkpoint()
    write_deltalake(path, rows(60, ["a", "b", "c"], extra=True), mode="overwrite")
    DeltaTable(path).restore(4)
    write_deltalake(path, rows(70, ["d"], extra=True), mode="append", commit_properties=_said_by("loader", 9))
    DeltaTable(path).alter.add_constraint({"positive": "id >= 0"})
    DeltaTable(path).alter.add_feature(TableFeatures.ChangeDataFeed, allow_protocol_versions_increase=True)
    DeltaTable(path).delete("part = 'd'")
    return path


def rows(first: int, parts: list[str | None], *, extra: bool = False) -> pa.Table:
    """Four rows for each of `parts`, with ids from `first`."""
    ids = range(first, first + 4 * len(parts))
    columns: dict[str, Any] = {
        "id": pa.array(ids, pa.int64()),
        "part": pa.array([part for part in parts for _ in range(4)], pa.string()),
        "value": pa.array([float(number) for number in ids]),
    }
    return pa.table(columns | ({"extra": pa.array([str(number) for number in ids])} if extra else {}))


def _said_by(application: str, version: int) -> CommitProperties:
    return CommitProperties(app_transactions=[Transaction(application, version)])


def facts_by_deltalake(path: Path, version: int) -> dict[str, Any]:
    """What `deltalake` says about a version."""
    table = DeltaTable(path, version=version)
    adds = pa.RecordBatchReader.from_stream(table.get_add_actions()).read_all().to_pylist()
    protocol, applications = table.protocol(), ("loader", "other")
    transactions = {name: table.transaction_version(name) for name in applications}
    return {
        "files": {(add["path"], add["size_bytes"], add["modification_time"], add["num_records"]) for add in adds},
        "partitions": {add["path"]: add.get("partition") or {} for add in adds},
        "schema": json.loads(table.schema().to_json()),
        "partition_columns": tuple(table.metadata().partition_columns),
        "properties": table.metadata().configuration,
        "protocol": (protocol.min_reader_version, protocol.min_writer_version),
        "features": (set(protocol.reader_features or ()), set(protocol.writer_features or ())),
        "transactions": {name: number for name, number in transactions.items() if number is not None},
    }


def facts(snapshot: Snapshot) -> dict[str, Any]:
    """The same facts about a snapshot of the lake."""
    protocol = snapshot.protocol
    return {
        "files": {
            (file.path, file.size, file.modification_time, (file.stats or {}).get("numRecords"))
            for file in snapshot.files
        },
        "partitions": {file.path: file.partition_values for file in snapshot.files},
        "schema": snapshot.schema,
        "partition_columns": snapshot.partition_columns,
        "properties": snapshot.properties,
        "protocol": (protocol.min_reader_version, protocol.min_writer_version),
        "features": (set(protocol.reader_features), set(protocol.writer_features)),
        "transactions": snapshot.transactions,
    }
