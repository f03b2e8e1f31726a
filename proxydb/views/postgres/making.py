"""Makes everything that keeps a view: tables and views of ours, triggers, indexes, rows; and removes it again."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from proxydb.errors import NotSupportedError, ProgrammingError
from proxydb.sql.tokens import quoted, tokenize
from proxydb.views.obstacle import Obstacle
from proxydb.views.postgres import catalog, modes
from proxydb.views.postgres.facts import PostgresCatalogue, dependencies, members
from proxydb.views.postgres.meaning import definition_of
from proxydb.views.postgres.part import EQUAL, named, select
from proxydb.views.postgres.transactions import lock
from proxydb.views.postgres.triggers import Settings, functions, rehearsals, triggers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proxydb.views.definition import Arm, Definition
    from proxydb.views.postgres.catalog import Record
    from proxydb.views.postgres.facts import Execute
    from proxydb.views.postgres.part import Part

_SETTINGS = ("TimeZone", "DateStyle", "IntervalStyle", "extra_float_digits", "bytea_output")


def make(connection: Any, execute: Execute, record: Record, wanted: str | None) -> None:
    """Everything that keeps a view; its catalogue row is there already."""
    _check_words(record.sql)
    execute(f"CREATE VIEW {record.query} AS {record.sql}", binary=True)  # one statement only, by the protocol
    record.tables = dependencies(execute, record.query)
    lock(execute, record.tables, "SHARE ROW EXCLUSIVE")  # keeps writers out until the view is filled
    record.maintenance, record.refreshed_at = wanted or "", time.time()
    if wanted == "full":
        definition = definition_of(execute, record)
        record.kind, record.obstacle, record.why = definition.kind, definition.obstacle, modes.METHODS["full"]
        execute(f"CREATE MATERIALIZED VIEW {record.shown} AS SELECT * FROM {record.query}")
        for columns in record.indexes:
            _install_index(execute, record, (), columns)
    else:
        _make_incremental(connection, execute, record, wanted)
    record.fingerprint = catalog.fingerprint(execute, record)
    catalog.save(execute, record)


def _check_words(sql: str) -> None:
    """What only Postgres' own parser could make harmless."""
    words = {token.text for token in tokenize(sql, "postgresql")}
    if ";" in words:
        raise ProgrammingError("a view is one SELECT statement")


def _make_incremental(connection: Any, execute: Execute, record: Record, wanted: str | None) -> None:
    definition = definition_of(execute, record)
    record.kind = definition.kind
    try:
        if definition.obstacle:
            raise Obstacle(definition.obstacle)
        choice = _choice(connection, execute, record, definition, wanted)
    except Obstacle as obstacle:
        raise NotSupportedError(
            f"the view {record.name!r} cannot be kept incrementally: {obstacle}; maintenance='full' keeps it by refresh"
        ) from None
    record.maintenance, record.why = choice.maintenance, choice.why
    record.folds = [part.fold for part in choice.parts if part.fold]
    record.refills = [part.refill for part in choice.parts if part.fold]
    record.logs = [log for part in choice.parts for log in part.logs]
    _install(execute, record, definition, choice.parts)


def _choice(
    connection: Any, execute: Execute, record: Record, definition: Definition, wanted: str | None
) -> modes.Choice:
    def types(arm: Arm, texts: Sequence[str]) -> list[int]:
        if not texts:
            return []
        cursor = execute(f"{select(definition, arm, named(texts, 't'))} LIMIT 0")
        return [column.type_code for column in cursor.description]

    partitioned = PostgresCatalogue(execute, record.tables).partitioned
    facts = modes.Facts(types, partitioned, connection.info.server_version)
    return modes.choose(f"proxydb.{record.prefix}a", definition, wanted, facts)


def _install(execute: Execute, record: Record, definition: Definition, parts: Sequence[Part]) -> None:
    """Tables and views, then triggers, then the rows."""
    for part in parts:
        for statement in part.create:
            execute(statement)
    execute(f"CREATE VIEW {record.shown} AS {_shown(execute, record, definition, parts)}")
    _check_columns(execute, record)
    _install_triggers(execute, record, parts)
    for part in parts:
        for statement in part.fill:
            execute(statement)
    for columns in record.indexes:
        _install_index(execute, record, parts, columns)
    for (name,) in execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'proxydb'::regnamespace AND starts_with(relname, %s) "
        "AND relkind = 'r'",
        (record.prefix,),
    ).fetchall():
        execute(f"ANALYZE proxydb.{name}")


def _install_index(execute: Execute, record: Record, parts: Sequence[Part], columns: Sequence[str]) -> None:
    """An index on each table that holds the view, or on the materialized view itself."""
    names = [column.name for column in execute(f"SELECT * FROM {record.query} LIMIT 0").description]
    if unknown := [column for column in columns if column not in names]:
        raise ProgrammingError(f"{record.name!r} has no column {unknown[0]!r}: it has {', '.join(names)}")
    if not parts:
        execute(f"CREATE INDEX ON {record.shown} ({', '.join(map(quoted, columns))})")
    for part in parts:
        held = [part.held[names.index(column)] for column in columns]
        if not all(held):
            raise NotSupportedError(f"a column of {record.name!r} is computed when it is read: index its keys")
        execute(f"CREATE INDEX ON {part.table} ({', '.join(held)})")


def _install_triggers(execute: Execute, record: Record, parts: Sequence[Part]) -> None:
    changes = [change for part in parts for change in part.changes]
    settings = _settings(execute)
    for statement in rehearsals(changes):
        execute(statement)
    guard = f"UPDATE proxydb.views SET refreshed_at = refreshed_at WHERE id {EQUAL} {record.id}"
    before = any(change.before for change in changes)
    for table, name, function in functions(f"proxydb.{record.prefix}", changes, settings, guard):
        execute(function)
        for member in members(execute, table):
            for statement in triggers(member, name, before=before):
                execute(statement)


def _settings(execute: Execute) -> Settings:
    (schemas,) = execute("SELECT pg_catalog.current_schemas(true)::text[]").fetchone()
    path = [quoted(schema) for schema in schemas if not schema.startswith("pg_temp")]
    others = {name: execute(f"SHOW {name}").fetchone()[0] for name in _SETTINGS}
    return Settings(", ".join([*path, "pg_temp"]), others)


def _shown(execute: Execute, record: Record, definition: Definition, parts: Sequence[Part]) -> str:
    """The query of the view that people read."""
    names = [column.name for column in execute(f"SELECT * FROM {record.query} LIMIT 0").description]
    shared = ", ".join(f"{name} AS MATERIALIZED ({query})" for part in parts for name, query in part.shared)
    texts = ", ".join(f"proxydb_v.o{number} AS {quoted(name)}" for number, name in enumerate(names))
    order = ", ".join(f"proxydb_v.o{each.number} {each.direction}".strip() for each in definition.order)
    union = " UNION ALL ".join(part.shown for part in parts)
    return (
        (f"WITH {shared} " if shared else "")
        + f"SELECT {'DISTINCT ' if definition.united else ''}{texts} FROM ({union}) AS proxydb_v"
        + (f" ORDER BY {order}" if order else "")
        + (f" LIMIT {definition.limit}" if definition.limit else "")
    )


def _check_columns(execute: Execute, record: Record) -> None:
    """The view must have the columns that its query has, of the same types."""
    wanted, found = (
        execute(
            "SELECT attname, format_type(atttypid, atttypmod), attcollation::bigint FROM pg_catalog.pg_attribute "
            "WHERE attrelid = %s::regclass AND attnum > 0 ORDER BY attnum",
            (name,),
        ).fetchall()
        for name in (record.query, record.shown)
    )
    if wanted != found:
        raise NotSupportedError(f"the columns of {record.name!r} would be {found} instead of {wanted}")


def remove(execute: Execute, record: Record) -> None:
    """Everything that was made for a view; its catalogue row stays."""
    kind = execute("SELECT relkind::text FROM pg_class WHERE oid = to_regclass(%s)", (record.shown,)).fetchone()
    if kind is not None and kind[0] in ("v", "m"):
        execute(f"DROP {'MATERIALIZED ' if kind[0] == 'm' else ''}VIEW {record.shown}")
    for (name,) in execute(
        "SELECT proname FROM pg_catalog.pg_proc "
        "WHERE pronamespace = 'proxydb'::regnamespace AND starts_with(proname, %s)",
        (record.prefix,),
    ).fetchall():
        execute(f"DROP FUNCTION proxydb.{name} CASCADE")  # takes its triggers with it, wherever they are
    for kind_, word in (("v", "VIEW"), ("r", "TABLE")):
        for (name,) in execute(
            "SELECT relname FROM pg_catalog.pg_class WHERE relnamespace = 'proxydb'::regnamespace "
            "AND starts_with(relname, %s) AND relkind = %s",
            (record.prefix, kind_),
        ).fetchall():
            execute(f"DROP {word} IF EXISTS proxydb.{name} CASCADE")
