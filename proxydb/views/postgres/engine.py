"""Creates, refreshes, checks and drops views in a Postgres database; each is one transaction."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from proxydb.errors import NotSupportedError, ProgrammingError
from proxydb.sql.tokens import WORD, quoted, tokenize
from proxydb.views.clauses import Cutter
from proxydb.views.obstacle import Obstacle
from proxydb.views.postgres import catalog, modes
from proxydb.views.postgres.facts import PostgresCatalogue, check_functions, dependencies, members
from proxydb.views.postgres.part import EQUAL, named, select
from proxydb.views.postgres.triggers import Settings, functions, rehearsals, triggers
from proxydb.views.records import DISABLED, View, ViewCheck, ViewExplanation, compared
from proxydb.views.understand import understand

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from proxydb.views.definition import Arm, Definition
    from proxydb.views.postgres.catalog import Record
    from proxydb.views.postgres.facts import Execute
    from proxydb.views.postgres.part import Part

OLDEST = 140000
"""The first server version that hashes records."""

_SETTINGS = ("TimeZone", "DateStyle", "IntervalStyle", "extra_float_digits", "bytea_output")


def create(
    connection: Any,
    name: str,
    sql: str,
    maintenance: str | None,
    max_staleness: float | None,
    *,
    indexes: tuple[tuple[str, ...], ...] = (),
    exists_ok: bool = False,
) -> View:
    """Make a view and fill it."""
    if not name or "\0" in name:
        raise ProgrammingError(f"{name!r} cannot be the name of a view: choose another")
    if connection.info.server_version < OLDEST:
        raise NotSupportedError("views are kept on Postgres 14 and later")
    with writing(connection) as execute:
        if exists_ok and (found := catalog.find(execute, name)):
            return catalog.as_view(execute, found)
        schema = _free_schema(execute, name)
        record = catalog.add(execute, schema, name, sql.strip().rstrip(";").rstrip())
        record.path = execute("SHOW search_path").fetchone()[0]
        record.max_staleness, record.indexes = max_staleness, [list(columns) for columns in indexes]
        _make(connection, execute, record, maintenance)
        return catalog.as_view(execute, record)


def drop(connection: Any, name: str, *, missing_ok: bool = False) -> None:
    """Remove a view and everything that was made for it."""
    with writing(connection) as execute:
        if missing_ok and catalog.find(execute, name) is None:
            return
        record = catalog.get(execute, name)
        _remove(execute, record)
        catalog.remove(execute, record)


def refresh(connection: Any, name: str) -> View:
    """Compute a view as a whole, or take in what was logged for it."""
    with writing(connection) as execute:
        record = catalog.get(execute, name)
        if catalog.as_view(execute, record).state == DISABLED:
            raise ProgrammingError(f"the view {name!r} is broken: views.repair({name!r}) makes it again")
        for oid in record.tables:
            _lock(execute, oid, "ACCESS SHARE")  # before ours, as TRUNCATE does
        for log in record.logs:
            execute(f"LOCK TABLE {log} IN SHARE UPDATE EXCLUSIVE MODE")
        for fold in record.folds:
            execute(fold)
        if record.maintenance == "full":
            execute(f"REFRESH MATERIALIZED VIEW {_concurrently(execute, record)}{record.shown}")
        record.refreshed_at = time.time()
        catalog.save(execute, record)
        return catalog.as_view(execute, record)


def repair(connection: Any, name: str | None) -> list[View]:
    """Make those views again that are broken."""
    with writing(connection) as execute:
        chosen = catalog.records(execute) if name is None else [catalog.get(execute, name)]
        broken = [each for each in chosen if catalog.as_view(execute, each).state == DISABLED]
        for record in broken:
            _remove(execute, record)
            execute("SELECT pg_catalog.set_config('search_path', %s, true)", (record.path,))
            _make(connection, execute, record, record.maintenance)
        return [catalog.as_view(execute, each) for each in broken]


def views(connection: Any) -> list[View]:
    """All views, in the states that they are really in."""
    execute = _executor(connection)
    return [catalog.as_view(execute, record) for record in catalog.records(execute)]


def check(connection: Any, name: str) -> ViewCheck:
    """Compare a view with its query, both read by one statement, and so in one snapshot."""
    execute = _executor(connection)
    record = catalog.get(execute, name)
    rows = execute(
        f"SELECT true, q.* FROM {record.query} AS q UNION ALL SELECT false, v.* FROM {record.shown} AS v"
    ).fetchall()
    expected, found = ([row[1:] for row in rows if row[0] is side] for side in (True, False))
    return compared(record.name, expected, found)


def explain(connection: Any, name: str) -> ViewExplanation:
    """How a view is kept."""
    execute = _executor(connection)
    record = catalog.get(execute, name)
    tables = execute(
        "SELECT 'proxydb.' || relname FROM pg_catalog.pg_class WHERE relnamespace = 'proxydb'::regnamespace "
        "AND starts_with(relname, %s) AND relkind = 'r' ORDER BY 1",
        (record.prefix,),
    ).fetchall()
    fired = execute(
        "SELECT DISTINCT t.tgname FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid "
        "WHERE p.pronamespace = 'proxydb'::regnamespace AND starts_with(p.proname, %s) ORDER BY 1",
        (record.prefix,),
    ).fetchall()
    view = catalog.as_view(execute, record)
    return ViewExplanation(
        view, record.why, record.obstacle, tuple(row[0] for row in tables), tuple(row[0] for row in fired), ()
    )


@contextmanager
def writing(connection: Any) -> Iterator[Execute]:
    """One transaction, alone in making, dropping and refreshing views; a savepoint where the application has begun one.

    Only READ COMMITTED sees what it has waited for.
    """
    execute = _executor(connection)
    nested = not connection.autocommit or connection.info.transaction_status != 0
    execute("SAVEPOINT proxydb_views" if nested else "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE")
    try:
        if execute("SHOW transaction_isolation").fetchone()[0] != "read committed":
            raise NotSupportedError("views are made, refreshed and dropped in READ COMMITTED")
        catalog.prepare(execute)
        yield execute
    except BaseException:
        if not connection.closed:
            execute("ROLLBACK TO SAVEPOINT proxydb_views; RELEASE SAVEPOINT proxydb_views" if nested else "ROLLBACK")
        raise
    execute("RELEASE SAVEPOINT proxydb_views" if nested else "COMMIT")


def _executor(connection: Any) -> Execute:
    """Runs statements on a connection as the driver does, whatever form of rows the application wants."""
    import psycopg
    from psycopg.rows import tuple_row

    def execute(sql: str, parameters: Any = None, **options: Any) -> Any:
        return psycopg.Cursor(connection, row_factory=tuple_row).execute(sql, parameters, **options)

    return execute


def _free_schema(execute: Execute, name: str) -> str:
    """The schema in which a view is made: the first of the search path."""
    (schema,) = execute("SELECT pg_catalog.current_schema()::text").fetchone()
    if schema is None:
        raise ProgrammingError("the search path names no schema in which a view could be made")
    taken = execute("SELECT to_regclass(%s)::text", (f"{quoted(schema)}.{quoted(name)}",)).fetchone()[0]
    if taken is not None or any((each.schema, each.name) == (schema, name) for each in catalog.records(execute)):
        raise ProgrammingError(f"there is a relation {name!r} already: drop it first, or choose another name")
    return str(schema)


def _make(connection: Any, execute: Execute, record: Record, wanted: str | None) -> None:
    """Everything that keeps a view; its catalogue row is there already."""
    _check_words(record.sql)
    execute(f"CREATE VIEW {record.query} AS {record.sql}", binary=True)  # one statement only, by the protocol
    record.tables = dependencies(execute, record.query)
    for oid in record.tables:
        _lock(execute, oid, "SHARE ROW EXCLUSIVE")  # keeps writers out until the view is filled
    record.maintenance, record.refreshed_at = wanted or "", time.time()
    if wanted == "full":
        definition = _definition(execute, record)
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


def _lock(execute: Execute, oid: int, mode: str) -> None:
    """Lock a table, if it is one, until the transaction ends."""
    kind, name = execute("SELECT relkind::text, oid::regclass::text FROM pg_class WHERE oid = %s", (oid,)).fetchone()
    if kind in ("r", "p"):
        execute(f"LOCK TABLE {name} IN {mode} MODE")


def _definition(execute: Execute, record: Record) -> Definition:
    """The query, taken apart; with an obstacle where that, or Postgres' own catalogue, says so."""
    from dataclasses import replace

    catalogue = PostgresCatalogue(execute, record.tables)
    words = frozenset(token.text for token in tokenize(record.sql, "postgresql") if token.kind == WORD)
    definition = understand(record.sql, "postgresql", catalogue, pure=words)
    try:
        tree = check_functions(execute, record.query, catalogue)
        for table in catalogue.tables:
            if table.obstacle:
                raise Obstacle(table.obstacle)
        if not definition.obstacle:
            _check_agreement(definition, tree, catalogue)
    except Obstacle as obstacle:
        return replace(definition, obstacle=str(obstacle))
    return definition


def _check_agreement(definition: Definition, tree: str, catalogue: PostgresCatalogue) -> None:
    """What was made of the words must be what Postgres made of them."""
    arms = definition.arms
    read = {(each.table.schema, each.table.name) for arm in arms for each in arm.sources}
    read |= {(each.source.table.schema, each.source.table.name) for arm in arms for each in arm.subqueries}
    if read != {(table.schema, table.name) for table in catalogue.tables}:
        raise Obstacle("its tables are not those that its words seem to name")
    sub_queries = any(arm.subqueries for arm in arms)
    for mark, there in (
        (":hasAggs true", any(arm.grouped for arm in arms)),
        (":hasWindowFuncs true", any(arm.windowed for arm in arms)),
    ):
        if mark in tree and not there and not sub_queries:
            raise Obstacle("it calls an aggregate or a window function that is not taken apart")
    if len(arms) > 1 and definition.order:
        raise Obstacle("it orders a compound: order what is read from the view")
    last = Cutter(definition.sql, "postgresql").arms()[0][-1].clauses
    if "offset" in last and ("limit" not in last or last["offset"].start < last["limit"].start):
        raise Obstacle("it has OFFSET without LIMIT before it")
    if "only" in {token.text for token in tokenize(definition.sql, "postgresql") if token.kind == WORD}:
        raise Obstacle("it says ONLY")


def _make_incremental(connection: Any, execute: Execute, record: Record, wanted: str | None) -> None:
    definition = _definition(execute, record)
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
        + f"SELECT {texts} FROM ({union}) AS proxydb_v"
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


def _concurrently(execute: Execute, record: Record) -> str:
    """Whether a unique index lets readers go on meanwhile: one on columns, without a condition."""
    found = execute(
        "SELECT EXISTS (SELECT FROM pg_catalog.pg_index WHERE indrelid = %s::regclass AND indisunique AND indisvalid "
        "AND indpred IS NULL AND indexprs IS NULL)",
        (record.shown,),
    ).fetchone()[0]
    return "CONCURRENTLY " if found else ""


def _remove(execute: Execute, record: Record) -> None:
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
