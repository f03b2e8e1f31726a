"""Writes the files of a Delta log: commits in JSON, and a classic checkpoint in Parquet."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from proxydb.errors import MissingExtra

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    Action = dict[str, dict[str, Any]]


def write_commit(log: Path, version: int, actions: Iterable[Action], committed_at: int) -> None:
    """Write one commit.

    Parameters
    ----------
    log
        The `_delta_log` directory.
    version
        Its version.
    actions
        Its actions, commitInfo first.
    committed_at
        The modification time of the file in ms since the epoch, by which readers find a version for a time.
    """
    file = log / f"{version:020}.json"
    lines = [json.dumps(action, ensure_ascii=False, separators=(",", ":")) + "\n" for action in actions]
    file.write_text("".join(lines), encoding="utf-8", newline="\n")
    os.utime(file, ns=(committed_at * 1_000_000, committed_at * 1_000_000))


def write_checkpoint(log: Path, version: int, actions: list[Action]) -> None:
    """Write a classic checkpoint and the pointer to it.

    Parameters
    ----------
    log
        The `_delta_log` directory.
    version
        The version whose whole state `actions` are.
    actions
        Without commitInfo and change files.

    Raises
    ------
    proxydb.errors.MissingExtra
        `pyarrow` is not installed.

    References
    ----------
    Delta PROTOCOL: Checkpoints, Checkpoint Schema, Last Checkpoint File.
    """
    try:
        import pyarrow as pa  # type: ignore[import-untyped]
        import pyarrow.parquet as pq  # type: ignore[import-untyped]
    except ImportError as error:
        raise MissingExtra.named("lake", "writing the Parquet checkpoint of a Delta log") from error
    rows = pa.Table.from_pylist([_with_pairs(action) for action in actions], _schema(pa))
    pq.write_table(rows, log / f"{version:020}.checkpoint.parquet")
    pointer = {"version": version, "size": len(actions)}
    (log / "_last_checkpoint").write_text(json.dumps(pointer), encoding="utf-8")


_MAPS = ("partitionValues", "tags", "configuration", "options")


def _with_pairs(body: Any) -> Any:
    """Maps as lists of pairs, as Arrow takes them."""
    if not isinstance(body, dict):
        return body
    return {
        name: list(value.items()) if name in _MAPS and isinstance(value, dict) else _with_pairs(value)
        for name, value in body.items()
    }


def _schema(pa: Any) -> Any:
    text, number, flag, texts = pa.string(), pa.int64(), pa.bool_(), pa.list_(pa.string())
    strings = pa.map_(text, text)
    vector = {"storageType": text, "pathOrInlineDv": text, "offset": pa.int32(), "sizeInBytes": pa.int32()}
    file = {
        "path": text,
        "partitionValues": strings,
        "size": number,
        "dataChange": flag,
        "stats": text,
        "tags": strings,
        "deletionVector": pa.struct(vector | {"cardinality": number}),
        "baseRowId": number,
        "defaultRowCommitVersion": number,
    }
    structs = {
        "txn": {"appId": text, "version": number, "lastUpdated": number},
        "add": {**file, "modificationTime": number, "clusteringProvider": text},
        "remove": {**file, "deletionTimestamp": number, "extendedFileMetadata": flag},
        "metaData": {
            "id": text,
            "name": text,
            "description": text,
            "format": pa.struct({"provider": text, "options": strings}),
            "schemaString": text,
            "partitionColumns": texts,
            "configuration": strings,
            "createdTime": number,
        },
        "protocol": {
            "minReaderVersion": pa.int32(),
            "minWriterVersion": pa.int32(),
            "readerFeatures": texts,
            "writerFeatures": texts,
        },
        "domainMetadata": {"domain": text, "configuration": text, "removed": flag},
    }
    return pa.schema({name: pa.struct(fields) for name, fields in structs.items()})
