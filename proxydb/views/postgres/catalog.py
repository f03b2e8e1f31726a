"""The table in the user's database in which its materialized views are written down."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from proxydb.sql.tokens import quoted
from proxydb.views.postgres.facts import statement
from proxydb.views.records import DIRTY, DISABLED, FRESH, OVERLAY, View, check_format, no_view

if TYPE_CHECKING:
    from proxydb.views.postgres.facts import Execute

FORMAT = 1
"""Of the catalogue and of everything that is written for a view."""


@dataclass(slots=True)
class Record:
    """A row of the catalogue.

    Parameters
    ----------
    id
        Its number, which is in the names of everything that was made for the view.
    schema, name
        The view that people read.
    sql, path
        Its query, and the search path by which its names were meant.
    kind, maintenance, why, obstacle, max_staleness
        As they are explained.
    tables
        The numbers of the tables that it reads, in pg_class.
    folds, refills, logs
        The statements that take in what was logged, those that compute all anew instead, or nothing where there is
        none, and the tables that hold what was logged.
    indexes
        For each index of the view its columns.
    fingerprint
        Of everything that the view stands on.
    refreshed_at
        In seconds since 1970.
    """

    id: int
    schema: str
    name: str
    sql: str
    path: str
    kind: str
    maintenance: str
    why: str
    obstacle: str
    max_staleness: float | None
    tables: list[int]
    folds: list[str]
    refills: list[str]
    logs: list[str]
    indexes: list[list[str]]
    fingerprint: str
    refreshed_at: float

    @property
    def shown(self) -> str:
        """The view that people read, with its schema."""
        return f"{quoted(self.schema)}.{quoted(self.name)}"

    @property
    def prefix(self) -> str:
        """What the names of everything begin with that was made for it."""
        return f"v{self.id}_"

    @property
    def meant(self) -> str:
        """A plain view of the spelling of its query that is taken apart, where that is another one."""
        return f"proxydb.{self.prefix}meant"

    @property
    def query(self) -> str:
        """A plain view of its query."""
        return f"proxydb.{self.prefix}query"


_FIELDS = [field.name for field in fields(Record)]
_COLUMNS = ", ".join(_FIELDS)


def prepare(execute: Execute) -> None:
    """Make the catalogue if there is none; until the transaction ends, nobody else makes, drops or refreshes a view."""
    execute("SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtext('proxydb.views'))")
    if not _exists(execute):
        execute(statement("catalogue"))


def add(execute: Execute, schema: str, name: str, sql: str) -> Record:
    """A new row, as yet without facts."""
    row = execute(
        "INSERT INTO proxydb.views (schema, name, sql, format, path, kind, maintenance, why, obstacle, tables, folds, "
        "refills, logs, fingerprint, refreshed_at) "
        "VALUES (%s, %s, %s, %s, '', '', '', '', '', '{}', '{}', '{}', '{}', '', 0) RETURNING id",
        (schema, name, sql, FORMAT),
    ).fetchone()
    return Record(row[0], schema, name, sql, "", "", "", "", "", None, [], [], [], [], [], "", 0.0)


def save(execute: Execute, record: Record) -> None:
    """Write the facts of a row down."""
    names = [name for name in _FIELDS if name != "id"]
    changed = ", ".join(f"{name} = %s" for name in names)
    values = [json.dumps(record.indexes) if name == "indexes" else getattr(record, name) for name in names]
    execute(f"UPDATE proxydb.views SET {changed} WHERE id = %s", (*values, record.id))


def note_refresh(execute: Execute, record: Record) -> None:
    """Write down when a view was refreshed."""
    execute("UPDATE proxydb.views SET refreshed_at = %s WHERE id = %s", (record.refreshed_at, record.id))


def remove(execute: Execute, record: Record) -> None:
    """Cross a view out."""
    execute("DELETE FROM proxydb.views WHERE id = %s", (record.id,))


def records(execute: Execute) -> list[Record]:
    """All views, in the order in which they were made."""
    if not _exists(execute):
        return []
    check_format(execute("SELECT max(format) FROM proxydb.views").fetchone()[0], FORMAT)
    return [Record(*row) for row in execute(f"SELECT {_COLUMNS} FROM proxydb.views ORDER BY id").fetchall()]


def find(execute: Execute, name: str) -> Record | None:
    """The view of a name; of several, the one that the search path finds first."""
    found = [record for record in records(execute) if record.name == name]
    (schemas,) = execute("SELECT pg_catalog.current_schemas(false)::text[]").fetchone()
    order = {schema: place for place, schema in enumerate(schemas)}
    return min(found, key=lambda record: order.get(record.schema, len(order)), default=None)


def get(execute: Execute, name: str) -> Record:
    """The view of a name.

    Raises
    ------
    proxydb.errors.ProgrammingError
        There is none.
    """
    record = find(execute, name)
    if record is None:
        raise no_view(name)
    return record


def readers(execute: Execute, record: Record) -> list[Record]:
    """The views whose queries read a view."""
    rows = execute(
        "SELECT DISTINCT d.classid, c.relname FROM pg_catalog.pg_depend d "
        "JOIN pg_catalog.pg_rewrite r ON r.oid = d.objid JOIN pg_catalog.pg_class c ON c.oid = r.ev_class "
        "WHERE d.refobjid = to_regclass(%s) AND c.relnamespace = 'proxydb'::regnamespace",
        (record.shown,),
    ).fetchall()
    names = {f"proxydb.{name}" for _, name in rows}
    return [each for each in records(execute) if each.query in names]


def fingerprint(execute: Execute, record: Record) -> str:
    """A digest of the tables that a view reads, of the triggers on them, and of everything that was made for it."""
    given = {"prefix": record.prefix, "tables": record.tables, "view": record.shown}
    return str(execute(statement("fingerprint"), given).fetchone()[0])


def is_standing(execute: Execute, record: Record) -> bool:
    """Whether all that a view stands on is what it was when it was made."""
    return fingerprint(execute, record) == record.fingerprint


def as_view(execute: Execute, record: Record, *, stands: bool | None = None) -> View:
    """The view in the state that it is really in; whether it still `stands` is looked up unless it is known."""
    names = execute("SELECT relname FROM pg_catalog.pg_class WHERE oid = ANY (%s::oid[]) ORDER BY 1", (record.tables,))
    tables = tuple(name for (name,) in names.fetchall())
    state, reason = _state(execute, record, is_standing(execute, record) if stands is None else stands)
    return View(
        record.name,
        record.sql,
        record.kind,
        record.maintenance,
        record.max_staleness,
        state,
        reason,
        tables,
        record.refreshed_at,
        tuple(map(tuple, record.indexes)),
    )


def _state(execute: Execute, record: Record, stands: bool) -> tuple[str, str]:
    if not stands:
        return DISABLED, "a table that it reads, or what keeps it, is no longer what it was: repair it"
    if record.maintenance == "full":
        return DIRTY, "kept by refresh alone"
    logged = " OR ".join(f"EXISTS (SELECT FROM {log})" for log in record.logs) or "false"
    if execute(f"SELECT {logged}").fetchone()[0]:
        return OVERLAY, "changes are logged, and are read together with what is kept"
    return FRESH, ""


def _exists(execute: Execute) -> bool:
    return execute("SELECT pg_catalog.to_regclass('proxydb.views') IS NOT NULL").fetchone()[0] is True
