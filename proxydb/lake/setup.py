"""Makes the lake's tables where they are missing, safely between processes, and refuses newer ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxydb.lake import schema
from proxydb.lake.errors import SchemaTooNew

if TYPE_CHECKING:
    from proxydb.lake.session import Session

# to_regclass() would answer from a cache that waiting for the lock below does not refresh.
_EXISTS = {
    "sqlite": "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = 'dl_schema_version'",
    "postgresql": "SELECT COUNT(*) FROM pg_catalog.pg_tables "
    "WHERE tablename = 'dl_schema_version' AND schemaname = ANY (current_schemas(false))",
}
# Two Postgres processes that create the same table at once fail on the catalog's own unique index, even with
# IF NOT EXISTS, so creation is one at a time; the number is only ours. SQLite's write lock does the same.
_ALONE = {"sqlite": "", "postgresql": "SELECT pg_advisory_xact_lock(7305526137210142)"}


def ensure_schema(session: Session) -> None:
    """Create every table of the lake unless they exist.

    Raises
    ------
    proxydb.lake.errors.SchemaTooNew
        The tables have a version that this proxydb does not know.
    """
    if not _exists(session):
        _create(session)
    _check_version(session)


def _exists(session: Session) -> bool:
    return bool(session.rows(_EXISTS[session.system])[0][0])


def _create(session: Session) -> None:
    with session.transaction():
        if _ALONE[session.system]:
            session.rows(_ALONE[session.system])
        if _exists(session):
            return
        for statement in schema.statements(session.system):
            session.execute(statement)
        session.execute(schema.INSERTS["dl_schema_version"], version=schema.SCHEMA_VERSION)


def _check_version(session: Session) -> None:
    [(found,)] = session.rows("SELECT MAX(version) FROM dl_schema_version")
    if found != schema.SCHEMA_VERSION:
        raise SchemaTooNew(
            f"the lake tables of this database have schema version {found}, this proxydb knows "
            f"{schema.SCHEMA_VERSION}: upgrade proxydb"
        )
