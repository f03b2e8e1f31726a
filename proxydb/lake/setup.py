"""Makes, migrates and indexes the lake's tables, safely between processes, and refuses newer ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

from proxydb.errors import ConfigError
from proxydb.lake import schema
from proxydb.lake.errors import SchemaTooNew
from proxydb.lake.migrations import steps_from

if TYPE_CHECKING:
    from proxydb.lake.session import Session

Indexes = Literal["none", "hand"]

# to_regclass() would answer from a cache that waiting for the lock below does not refresh.
_EXISTS = {
    "sqlite": "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = 'dl_schema_version'",
    "postgresql": "SELECT COUNT(*) FROM pg_catalog.pg_tables "
    "WHERE tablename = 'dl_schema_version' AND schemaname = ANY (current_schemas(false))",
}
# Two Postgres processes that create the same table at once fail on the catalog's own unique index, even with
# IF NOT EXISTS, so creation is one at a time; the number is only ours. SQLite's write lock does the same.
_ALONE = {"sqlite": "", "postgresql": "SELECT pg_advisory_xact_lock(7305526137210142)"}


def ensure_schema(session: Session, indexes: Indexes | None) -> None:
    """Create the lake's tables unless they exist, and bring older ones up to date, in one transaction.

    Parameters
    ----------
    session
        Where.
    indexes
        ``"hand"`` makes the indexes of `proxydb.lake.schema.INDEXES` where they are missing, ``"none"`` drops them, and
        None leaves them as they are.

    Raises
    ------
    proxydb.errors.ConfigError
        `indexes` is none of these.
    proxydb.lake.errors.SchemaTooNew
        The tables have a version that this proxydb does not know.
    """
    if indexes is not None and indexes not in get_args(Indexes):
        raise ConfigError(f"indexes is {indexes!r}: choose one of 'none', 'hand'")
    if _version(session) == schema.SCHEMA_VERSION and indexes is None:
        return
    with session.transaction():
        if _ALONE[session.system]:
            session.rows(_ALONE[session.system])
        _bring_up_to_date(session, _version(session))
        _arrange_indexes(session, indexes)


def _version(session: Session) -> int | None:
    """The schema version of the tables; None where there are none."""
    if not session.rows(_EXISTS[session.system])[0][0]:
        return None
    [(found,)] = session.rows("SELECT MAX(version) FROM dl_schema_version")
    if found > schema.SCHEMA_VERSION:
        raise SchemaTooNew(
            f"the lake tables of this database have schema version {found}, this proxydb knows "
            f"{schema.SCHEMA_VERSION}: upgrade proxydb"
        )
    return int(found)


def _bring_up_to_date(session: Session, found: int | None) -> None:
    if found is None:
        for statement in schema.statements(session.system):
            session.execute(statement)
        session.execute(schema.INSERTS["dl_schema_version"], version=schema.SCHEMA_VERSION)
        return
    for version, statements in steps_from(found, session.system):
        for statement in statements:
            session.execute(statement)
        session.execute("UPDATE dl_schema_version SET version = :version", version=version)


def _arrange_indexes(session: Session, indexes: Indexes | None) -> None:
    for index in schema.INDEXES if indexes else ():
        session.execute(index.ddl() if indexes == "hand" else f"DROP INDEX IF EXISTS {index.name}")
