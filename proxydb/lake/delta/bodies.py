"""Turns rows of the lake tables back into actions of the log: the way back from `proxydb.lake.delta.rows`."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

from proxydb.lake.errors import UnsupportedTable

if TYPE_CHECKING:
    from collections.abc import Callable

Row = dict[str, Any]
Body = dict[str, Any]
_NAMESPACE = uuid.UUID("6a1f5b0e-2f5e-4f0e-9a53-0d6f4f1c7b11")


def action(table: str, row: Row) -> dict[str, Body]:
    """The action that a row of a lake table holds.

    Parameters
    ----------
    table
        The lake table.
    row
        Column → value, JSON columns as text.

    Raises
    ------
    proxydb.lake.errors.UnsupportedTable
        The row has a deletion vector without its descriptor.
    """
    kind, body = _BODIES[table]
    found = {name: value for name, value in body(row).items() if value is not None}
    return {kind: found | (json.loads(row["extra"]) if row.get("extra") else {})}


def _add(row: Row) -> Body:
    _check_vector(row)
    return {
        "path": row["path"],
        "partitionValues": json.loads(row["partition_values"]),
        "size": row["size_bytes"],
        "modificationTime": row["modification_time"],
        "dataChange": bool(row["data_change"]),
        "stats": row["stats"],
    }


def _remove(row: Row) -> Body:
    _check_vector(row)
    return {
        "path": row["path"],
        "deletionTimestamp": row["deletion_timestamp"],
        "dataChange": bool(row["data_change"]),
        "partitionValues": _parsed(row["partition_values"]),
        "size": row["size_bytes"],
    }


def _check_vector(row: Row) -> None:
    """Tables that an older proxydb imported have only the ids of deletion vectors."""
    if row["dv_id"] and "deletionVector" not in (_parsed(row["extra"]) or {}):
        raise UnsupportedTable(
            f"the deletion vector of {row['path']} was not kept by the proxydb that imported it: import the table again"
        )


def _change_file(row: Row) -> Body:
    values = json.loads(row["partition_values"])
    return {"path": row["path"], "partitionValues": values, "size": row["size_bytes"], "dataChange": False}


def _metadata(row: Row) -> Body:
    """What the protocol requires and the lake does not have is the same each time."""
    extra = _parsed(row["extra"]) or {}
    return {
        "id": extra.get("id") or str(uuid.uuid5(_NAMESPACE, str(row["table_id"]))),
        "format": extra.get("format") or {"provider": "parquet", "options": {}},
        "schemaString": row["schema_json"],
        "partitionColumns": json.loads(row["partition_columns"]),
        "configuration": json.loads(row["table_properties"]),
    }


def _protocol(row: Row) -> Body:
    """Features are listed only from the versions on that have them (Delta PROTOCOL, Table Features)."""
    reader, writer = row["min_reader_version"], row["min_writer_version"]
    return {
        "minReaderVersion": reader,
        "minWriterVersion": writer,
        "readerFeatures": json.loads(row["reader_features"]) if reader >= 3 else None,
        "writerFeatures": json.loads(row["writer_features"]) if writer >= 7 else None,
    }


def _transaction(row: Row) -> Body:
    return {"appId": row["app_id"], "version": row["txn_version"], "lastUpdated": row["last_updated"]}


def _domain(row: Row) -> Body:
    return {"domain": row["domain"], "configuration": row["configuration"], "removed": bool(row["removed"])}


def _info(row: Row) -> Body:
    blind = row["is_blind_append"]
    return {
        "timestamp": row["committed_at"],
        "operation": row["operation"],
        "operationParameters": _parsed(row["operation_params"]),
        "isBlindAppend": None if blind is None else bool(blind),
        "operationMetrics": _parsed(row["operation_metrics"]),
    }


def _parsed(text: str | None) -> Any:
    return None if text is None else json.loads(text)


# In the order in which a commit holds them: commitInfo has to be first (Delta PROTOCOL, In-Commit Timestamps).
_BODIES: dict[str, tuple[str, Callable[[Row], Body]]] = {
    "dl_table_versions": ("commitInfo", _info),
    "dl_protocol_updates": ("protocol", _protocol),
    "dl_metadata_updates": ("metaData", _metadata),
    "dl_domain_metadata": ("domainMetadata", _domain),
    "dl_txn_actions": ("txn", _transaction),
    "dl_remove_files": ("remove", _remove),
    "dl_add_files": ("add", _add),
    "dl_cdc_files": ("cdc", _change_file),
}
TABLES = tuple(_BODIES)
