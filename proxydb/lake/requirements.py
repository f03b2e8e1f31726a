"""What a commit asks of its table: the features of its protocol, and a property that forbids removing rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proxydb.lake import queries
from proxydb.lake.errors import InvalidAction
from proxydb.lake.snapshot import parsed

if TYPE_CHECKING:
    from proxydb.lake.prepared import PreparedCommit
    from proxydb.lake.session import Session


def check_requirements(session: Session, table_id: int, commit: PreparedCommit) -> None:
    """Refuse a commit that the newest protocol and properties of the table do not allow.

    Asks the database only when the commit holds something that needs it.

    Raises
    ------
    proxydb.lake.errors.InvalidAction
        A deletion vector or a metadata domain without its writer feature, or a removal of rows from a table whose
        property `delta.appendOnly` is true.

    References
    ----------
    Delta PROTOCOL: Deletion Vectors, Domain Metadata, Append-only Tables.
    """
    needed = {
        "deletionVectors": any(commit.column("dl_add_files", "dv_id")),
        "domainMetadata": bool(commit.domains),
    }
    if any(needed.values()):
        features = _writer_features(session, table_id, commit)
        for feature in (name for name, used in needed.items() if used and name not in features):
            raise InvalidAction(f"the protocol of the table lacks the writer feature {feature!r}: commit it first")
    if any(commit.column("dl_remove_files", "data_change")) and _is_append_only(session, table_id, commit):
        raise InvalidAction("the table is append-only (delta.appendOnly): its rows cannot be removed")


def _writer_features(session: Session, table_id: int, commit: PreparedCommit) -> Any:
    if own := commit.column("dl_protocol_updates", "writer_features"):
        return parsed(own[0])
    return parsed(session.rows(queries.PROTOCOL_AT_HEAD, table_id=table_id)[0][3])


def _is_append_only(session: Session, table_id: int, commit: PreparedCommit) -> bool:
    own = commit.column("dl_metadata_updates", "table_properties")
    properties = own[0] if own else session.rows(queries.METADATA_AT_HEAD, table_id=table_id)[0][2]
    return bool(parsed(properties).get("delta.appendOnly", "").lower() == "true")
