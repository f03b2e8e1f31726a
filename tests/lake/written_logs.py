"""Delta logs and lake tables written by hand, action by action, for what no writer produces on request."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from proxydb.lake import Lake, Table

SCHEMA = {"type": "struct", "fields": [{"name": "id", "type": "long", "nullable": True, "metadata": {}}]}
PROTOCOL: dict[str, Any] = {
    "protocol": {
        "minReaderVersion": 3,
        "minWriterVersion": 7,
        "readerFeatures": ["deletionVectors"],
        "writerFeatures": ["deletionVectors", "domainMetadata"],
    }
}
METADATA: dict[str, Any] = {
    "metaData": {
        "id": "0d5f1c9e-6d3a-4a0e-8a0b-1f6c1e0f2a11",
        "format": {"provider": "parquet", "options": {}},
        "schemaString": json.dumps(SCHEMA),
        "partitionColumns": [],
        "configuration": {},
    }
}


def add(path: str, dv: str = "", **fields: Any) -> dict[str, Any]:
    """An add of a file, with the deletion vector `dv` at offset 1 if one is named."""
    body = {"path": path, "partitionValues": {}, "size": 100, "modificationTime": 1, "dataChange": True}
    return {"add": body | _vector(dv) | fields}


def remove(path: str, dv: str = "") -> dict[str, Any]:
    """A remove of a file with the deletion vector `dv`."""
    return {"remove": {"path": path, "deletionTimestamp": 1, "dataChange": True} | _vector(dv)}


def _vector(dv: str) -> dict[str, Any]:
    if not dv:
        return {}
    described = {"storageType": "u", "pathOrInlineDv": dv, "offset": 1, "sizeInBytes": 36, "cardinality": 2}
    return {"deletionVector": described}


def write_log(directory: Path, *commits: list[dict[str, Any]]) -> Path:
    """A table whose version 0 holds protocol, metaData and the first of `commits`, version 1 the second, …"""
    log = directory / "_delta_log"
    log.mkdir(parents=True)
    for version, actions in enumerate(commits):
        write_commit(log, version, [PROTOCOL, METADATA, *actions] if version == 0 else actions)
    return directory


def write_commit(log: Path, version: int, actions: list[dict[str, Any]]) -> Path:
    """One commit file."""
    file = commit_file(log, version)
    file.write_text("".join(json.dumps(action) + "\n" for action in actions), encoding="utf-8")
    return file


def commit_file(log: Path, version: int) -> Path:
    """The path of a commit."""
    return log / f"{version:020}.json"


def create(lake: Lake, *actions: dict[str, Any], name: str = "t", **metadata: Any) -> Table:
    """A table made by a commit, whose version 0 holds protocol, metaData and `actions`."""
    described = {"metaData": METADATA["metaData"] | metadata}
    return lake.create_table(name, f"/data/{name}", [PROTOCOL, described, *actions])
