"""Turns one action of the log into the row of the lake table that holds its kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from proxydb.lake.delta import fields
from proxydb.lake.delta.features import check_protocol

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
        fields.rest(body, ("path", "size", "partitionValues", "stats", "modificationTime", "dataChange")),
    )


def _remove(body: dict[str, Any]) -> Values:
    return (
        fields.text(body, "path"),
        fields.deletion_vector_id(body),
        fields.optional_integer(body, "deletionTimestamp"),
        fields.optional_integer(body, "size"),
        None if body.get("partitionValues") is None else fields.string_map(body, "partitionValues"),
        fields.optional_flag(body, "dataChange") is not False,
        fields.rest(body, ("path", "deletionTimestamp", "size", "partitionValues", "dataChange")),
    )


def _change_file(body: dict[str, Any]) -> Values:
    return (
        fields.text(body, "path"),
        fields.integer(body, "size"),
        fields.string_map(body, "partitionValues"),
        fields.rest(body, ("path", "size", "partitionValues", "dataChange")),
    )


def _metadata(body: dict[str, Any]) -> Values:
    return (
        fields.json_object(body, "schemaString"),
        fields.string_list(body, "partitionColumns"),
        fields.string_map(body, "configuration"),
        fields.rest(body, ("schemaString", "partitionColumns", "configuration")),
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
    "cdc": ActionKind("dl_cdc_files", _change_file, "cdc", identity=1),
    "metaData": ActionKind("dl_metadata_updates", _metadata, "metaData", identity=0),
    "protocol": ActionKind("dl_protocol_updates", _protocol, "protocol", identity=0),
    "txn": ActionKind("dl_txn_actions", _transaction, "txn", identity=1),
    "domainMetadata": ActionKind("dl_domain_metadata", _domain, "domainMetadata", identity=1),
}


def checked_values(kind: str, body: dict[str, Any]) -> Values:
    """The row of an action of one of `KINDS`, after ``table_id, version``.

    Raises
    ------
    proxydb.lake.delta.fields.FieldError
        A field is missing or wrong.
    proxydb.lake.errors.UnsupportedTable
        A `protocol` action asks for more than is understood here.
    """
    try:
        values = KINDS[kind].values(body)
    except fields.FieldError as error:
        raise fields.FieldError(f"in the action {kind!r}: {error}") from None
    if kind == "protocol":
        check_protocol(body)
    return values


class CommitRows:
    """Turns the actions of one commit into rows, and refuses two of which either could win.

    Attributes
    ----------
    info
        The body of the first `commitInfo`; empty while there was none.
    """

    def __init__(self) -> None:
        self.info: dict[str, Any] = {}
        self._seen: set[Values] = set()

    @property
    def families(self) -> set[str]:
        """The families of the actions so far."""
        return {identity[0] for identity in self._seen}

    def take(self, kind: str, body: dict[str, Any]) -> tuple[str, Values] | None:
        """The lake table and the row of an action; None for `commitInfo` and for kinds that are not kept.

        The errors are those of `checked_values`.
        """
        if kind == "commitInfo":
            self.info = self.info or body
        if (known := KINDS.get(kind)) is None:
            return None
        values = checked_values(kind, body)
        self._refuse_repetition((known.family, *values[: known.identity]))
        return known.table, values

    def _refuse_repetition(self, identity: Values) -> None:
        if identity in self._seen:
            described = " ".join(str(part) for part in identity if part)
            raise fields.FieldError(
                f"the commit holds two actions for the same {described}, which the Delta protocol forbids"
            )
        self._seen.add(identity)


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
        fields.rest(info, _HELD_INFO if "inCommitTimestamp" in info else (*_HELD_INFO, "timestamp")),
    )


_HELD_INFO = ("operation", "operationParameters", "isBlindAppend", "operationMetrics")
