"""The bodies of the actions that are not about files: schema, protocol, who made a commit, domains."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from random import Random

    from proxydb.lake.synthetic.styles import Style

Body = dict[str, Any]

_DEVICE = {"type": "struct", "fields": [{"name": "build", "type": "long", "nullable": True, "metadata": {}}]}
_COLUMNS: tuple[tuple[str, Any], ...] = (
    ("event_id", "long"),
    ("event_time", "timestamp"),
    ("country", "string"),
    ("amount", "double"),
    ("url", "string"),
    ("device", _DEVICE),
)
_PARTITION_TYPES = {"date": "date", "region": "string", "city": "string"}


def protocol(style: Style) -> Body:
    """What the table asks of readers and writers."""
    vectors = ["deletionVectors"] if style.deletion_vectors else []
    return {
        "minReaderVersion": 3,
        "minWriterVersion": 7,
        "readerFeatures": vectors,
        "writerFeatures": [*vectors, "domainMetadata", "appendOnly", "invariants"],
    }


def metadata(style: Style, name: str, evolved: int, created: int) -> Body:
    """Schema and properties after `evolved` changes."""
    partitions = [(column, _PARTITION_TYPES[column]) for column in style.partition_columns]
    columns = [*_COLUMNS, *partitions, *((f"extra_{n}", "string") for n in range(evolved))]
    fields = [{"name": column, "type": kind, "nullable": True, "metadata": {}} for column, kind in columns]
    return {
        "id": "5f0c1d2e-6d7a-4b3c-9e8f-000000000000",
        "name": name,
        "format": {"provider": "parquet", "options": {}},
        "schemaString": json.dumps({"type": "struct", "fields": fields}),
        "partitionColumns": list(style.partition_columns),
        "configuration": {
            "delta.enableDeletionVectors": str(style.deletion_vectors).lower(),
            "schema.revision": str(evolved),
        },
        "createdTime": created,
    }


def commit_info(rng: Random, operation: str, parameters: Body, timestamp: int) -> Body:
    """Who made the commit, when and how."""
    return {
        "timestamp": timestamp,
        "userName": f"user-{rng.randrange(5)}",
        "operation": operation,
        "operationParameters": parameters,
        "isBlindAppend": operation == "WRITE",
        "operationMetrics": {"executionTimeMs": str(rng.randrange(100, 10_000))},
    }


def transaction(application: str, version: int, timestamp: int) -> Body:
    """How far a stream has come."""
    return {"appId": application, "version": version, "lastUpdated": timestamp}


def clustering(columns: list[str] | None) -> Body:
    """The clustering columns in the domain metadata, or that they are gone."""
    configuration = json.dumps({"clusteringColumns": [[column] for column in columns or ()]})
    return {"domain": "delta.clustering", "configuration": configuration, "removed": columns is None}
