"""Creates, refreshes, checks and drops views in a Postgres database; each is one transaction."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from proxydb.errors import NotSupportedError, ProgrammingError
from proxydb.sql.tokens import quoted
from proxydb.views.postgres import catalog
from proxydb.views.postgres.making import make, remove
from proxydb.views.postgres.scans import scans
from proxydb.views.postgres.transactions import executor, lock, tuned, undone, writing
from proxydb.views.records import DISABLED, View, ViewCheck, ViewExplanation, compared

if TYPE_CHECKING:
    from proxydb.views.postgres.catalog import Record
    from proxydb.views.postgres.facts import Execute

MUCH = 0.2
"""Which part of a table has to have changed for its views to be computed anew by `refresh`."""

OLDEST = 140000
"""The first server version that hashes records."""


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
        make(connection, execute, record, maintenance)
        return catalog.as_view(execute, record)


def drop(connection: Any, name: str, *, missing_ok: bool = False) -> None:
    """Remove a view and everything that was made for it."""
    with writing(connection) as execute:
        if missing_ok and catalog.find(execute, name) is None:
            return
        record = catalog.get(execute, name)
        if readers := catalog.readers(execute, record):
            first = readers[0].name
            raise ProgrammingError(f"{name!r} is read by the materialized view {first!r}: drop that one first")
        remove(execute, record)
        catalog.remove(execute, record)


def refresh(connection: Any, name: str) -> View:
    """Compute a view as a whole, or take in what was logged for it."""
    with writing(connection) as execute:
        record = catalog.get(execute, name)
        if not catalog.is_standing(execute, record):
            raise ProgrammingError(f"the view {name!r} is broken: views.repair({name!r}) makes it again")
        lock(execute, record.tables, "ACCESS SHARE")  # before ours, as TRUNCATE does
        if record.logs:
            execute(f"LOCK TABLE {', '.join(record.logs)} IN SHARE UPDATE EXCLUSIVE MODE")
        with tuned(execute):
            much = _is_much(execute, record)
            for fold, refill in zip(record.folds, record.refills, strict=True):
                execute(refill if much and refill else fold)
        if record.maintenance == "full":
            execute(f"REFRESH MATERIALIZED VIEW {_concurrently(execute, record)}{record.shown}")
        record.refreshed_at = time.time()
        catalog.note_refresh(execute, record)
        return catalog.as_view(execute, record, stands=True)


def _is_much(execute: Execute, record: Record) -> bool:
    """Whether more is logged than a part of the largest table, as its statistics have it: then all is computed anew."""
    if not record.logs:
        return False
    most = "SELECT max(reltuples) FROM pg_catalog.pg_class WHERE oid = ANY (%s::oid[])"
    (rows,) = execute(most, (record.tables,)).fetchone()
    if rows is None or rows < 0:
        return False
    logged = " UNION ALL ".join(f"SELECT FROM {log}" for log in record.logs)
    count = f"SELECT count(*) FROM (SELECT FROM ({logged}) AS l LIMIT %s) AS n"
    limit = int(rows * MUCH) + 1
    return bool(execute(count, (limit,)).fetchone()[0] == limit)


def repair(connection: Any, name: str | None) -> list[View]:
    """Make those views again that are broken, and those that read them."""
    with writing(connection) as execute:
        chosen = catalog.records(execute) if name is None else [catalog.get(execute, name)]
        broken = [each for each in chosen if not catalog.is_standing(execute, each)]
        for record in broken:
            broken += [each for each in catalog.readers(execute, record) if each not in broken]
        broken.sort(key=lambda record: record.id)
        for record in reversed(broken):
            remove(execute, record)
        for record in broken:
            execute("SELECT pg_catalog.set_config('search_path', %s, true)", (record.path,))
            make(connection, execute, record, record.maintenance)
        return [catalog.as_view(execute, each) for each in broken]


def views(connection: Any) -> list[View]:
    """All views, in the states that they are really in."""
    execute = executor(connection)
    return [catalog.as_view(execute, record) for record in catalog.records(execute)]


def check(connection: Any, name: str) -> ViewCheck:
    """Compare a view with its query, both read by one statement, and so in one snapshot."""
    execute = executor(connection)
    record = catalog.get(execute, name)
    rows = execute(
        f"SELECT true, q.* FROM {record.query} AS q UNION ALL SELECT false, v.* FROM {record.shown} AS v"
    ).fetchall()
    expected, found = ([row[1:] for row in rows if row[0] is side] for side in (True, False))
    return compared(record.name, expected, found)


def explain(connection: Any, name: str) -> ViewExplanation:
    """How a view is kept."""
    execute = executor(connection)
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
    scanned: tuple[str, ...] = ()
    if view.state != DISABLED:
        with undone(connection) as planning:
            scanned = scans(planning, record)
    names, triggers = (tuple(row[0] for row in rows) for rows in (tables, fired))
    return ViewExplanation(view, record.why, record.obstacle, names, triggers, scanned)


def _free_schema(execute: Execute, name: str) -> str:
    """The schema in which a view is made: the first of the search path."""
    (schema,) = execute("SELECT pg_catalog.current_schema()::text").fetchone()
    if schema is None:
        raise ProgrammingError("the search path names no schema in which a view could be made")
    taken = execute("SELECT to_regclass(%s)::text", (f"{quoted(schema)}.{quoted(name)}",)).fetchone()[0]
    if taken is not None or any((each.schema, each.name) == (schema, name) for each in catalog.records(execute)):
        raise ProgrammingError(f"there is a relation {name!r} already: drop it first, or choose another name")
    return str(schema)


def _concurrently(execute: Execute, record: Record) -> str:
    """Whether a unique index lets readers go on meanwhile: one on columns, without a condition."""
    found = execute(
        "SELECT EXISTS (SELECT FROM pg_catalog.pg_index WHERE indrelid = %s::regclass AND indisunique AND indisvalid "
        "AND indpred IS NULL AND indexprs IS NULL)",
        (record.shown,),
    ).fetchone()[0]
    return "CONCURRENTLY " if found else ""
