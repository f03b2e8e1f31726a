"""Turns one action of the log into the row of the lake table that holds its kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from proxydb.lake.delta import fields

if TYPE_CHECKING:
    from collections.abc import Callable

Values = tuple[Any, ...]


class ActionKind(NamedTuple):
    """How one kind of action is stored.

    Parameters
    ----------
    table
        The lake table.
    values
        The row after ``table_id, version``, in the order of the table's columns.
    family, identity
        Two actions of one family that agree in the first `identity` of their `values` reconcile with each other, and
        must not stand in one commit.
    """

    table: str
    values: Callable[[dict[str, Any]], Values]
    family: str
    identity: int


def _add(body: dict[str, Any]) -> Values:
    return (
        fields.text(body, "path"),
        fields.deletion_vector_id(body),
        fields.integer(body, "size"),
        fields.string_map(body, "partitionValues"),
        fields.statistics(body),
        fields.integer(body, "modificationTime"),
        fields.optional_flag(body, "dataChange") is not False,
    )


def _remove(body: dict[str, Any]) -> Values:
    return (
        fields.text(body, "path"),
        fields.deletion_vector_id(body),
        fields.optional_integer(body, "deletionTimestamp"),
        fields.optional_integer(body, "size"),
        None if body.get("partitionValues") is None else fields.string_map(body, "partitionValues"),
        fields.optional_flag(body, "dataChange") is not False,
    )


def _metadata(body: dict[str, Any]) -> Values:
    return (
        fields.json_object(body, "schemaString"),
        fields.string_list(body, "partitionColumns"),
        fields.string_map(body, "configuration"),
    )


def _protocol(body: dict[str, Any]) -> Values:
    return (
        fields.integer(body, "minReaderVersion"),
        fields.integer(body, "minWriterVersion"),
        fields.string_list(body, "readerFeatures"),
        fields.string_list(body, "writerFeatures"),
    )


def _transaction(body: dict[str, Any]) -> Values:
    return (
        fields.text(body, "appId"),
        fields.integer(body, "version"),
        fields.optional_integer(body, "lastUpdated"),
    )


def _domain(body: dict[str, Any]) -> Values:
    return (
        fields.text(body, "domain"),
        fields.text(body, "configuration"),
        fields.optional_flag(body, "removed") is True,
    )


KINDS = {
    "add": ActionKind("dl_add_files", _add, "file", identity=2),
    "remove": ActionKind("dl_remove_files", _remove, "file", identity=2),
    "metaData": ActionKind("dl_metadata_updates", _metadata, "metaData", identity=0),
    "protocol": ActionKind("dl_protocol_updates", _protocol, "protocol", identity=0),
    "txn": ActionKind("dl_txn_actions", _transaction, "txn", identity=1),
    "domainMetadata": ActionKind("dl_domain_metadata", _domain, "domainMetadata", identity=1),
}


def version_row(committed_at: int, info: dict[str, Any]) -> Values:
    """The row of `dl_table_versions` after ``table_id, version``.

    Parameters
    ----------
    committed_at
        When the commit file was written, in ms since the epoch; used when the commit itself does not say.
    info
        The body of its `commitInfo`, empty when it has none.

    References
    ----------
    Delta PROTOCOL: Commit Provenance Information, In-Commit Timestamps.
    """
    said = next((info[name] for name in ("inCommitTimestamp", "timestamp") if type(info.get(name)) is int), None)
    committer = next((info[name] for name in ("userName", "userId", "engineInfo") if info.get(name)), None)
    operation = info.get("operation")
    return (
        committed_at if said is None else said,
        None if committer is None else str(committer),
        None if operation is None else str(operation),
        fields.any_json(info, "operationParameters"),
        info["isBlindAppend"] if isinstance(info.get("isBlindAppend"), bool) else None,
        fields.any_json(info, "operationMetrics"),
    )
