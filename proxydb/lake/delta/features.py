"""Which Delta reader versions and reader features the lake understands."""

from __future__ import annotations

from typing import Any

from proxydb.lake.errors import UnsupportedTable

READER_VERSION = 3
# Each of these changes how data files are read or how a checkpoint is laid out, not how the actions of the log
# reconcile; the lake keeps the actions, so it may read the log.
READER_FEATURES = frozenset(
    {
        "columnMapping",
        "deletionVectors",
        "timestampNtz",
        "typeWidening",
        "typeWidening-preview",
        "v2Checkpoint",
        "vacuumProtocolCheck",
        "variantShredding-preview",
        "variantShredding",
        "variantType",
        "variantType-preview",
    }
)


def check_protocol(protocol: dict[str, Any]) -> None:
    """Refuse a table that asks for more than is understood here.

    Parameters
    ----------
    protocol
        The body of a `protocol` action.

    Raises
    ------
    proxydb.lake.errors.UnsupportedTable
        Its reader version is too high or one of its reader features is unknown.

    References
    ----------
    Delta PROTOCOL: Protocol Evolution, Table Features, Reader Version Requirements.
    """
    needed = protocol["minReaderVersion"]
    if needed > READER_VERSION:
        raise UnsupportedTable(
            f"the table needs Delta reader version {needed}, proxydb knows up to {READER_VERSION}: upgrade proxydb"
        )
    if unknown := sorted(set(protocol.get("readerFeatures") or ()) - READER_FEATURES):
        raise UnsupportedTable(
            f"the table uses reader features that proxydb does not know: {', '.join(unknown)}: "
            "upgrade proxydb, or drop them with the writer (ALTER TABLE … DROP FEATURE …)"
        )
