"""The transaction in which views are made, refreshed and dropped, and how statements are run in it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from proxydb.errors import NotSupportedError
from proxydb.views.postgres import catalog

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from proxydb.views.postgres.facts import Execute


@contextmanager
def writing(connection: Any) -> Iterator[Execute]:
    """One transaction, alone in making, dropping and refreshing views; a savepoint where the application has begun one.

    Only READ COMMITTED sees what it has waited for.
    """
    execute = executor(connection)
    nested = _is_open(connection)
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


_WORK_MEMORY = "64MB"


@contextmanager
def tuned(execute: Execute) -> Iterator[None]:
    """Room for sorting and hashing what was logged, and no time spent on compiling statements that run once."""
    (memory, compiled) = execute(
        "SELECT pg_catalog.current_setting('work_mem'), pg_catalog.current_setting('jit')"
    ).fetchone()
    set_both = (
        "SELECT pg_catalog.set_config('jit', %s, true), pg_catalog.set_config('work_mem', CASE WHEN "
        "pg_catalog.pg_size_bytes(%s) > pg_catalog.pg_size_bytes(%s) THEN %s ELSE %s END, true)"
    )
    execute(set_both, ("off", memory, _WORK_MEMORY, memory, _WORK_MEMORY))
    yield
    execute(set_both, (compiled, memory, "0", memory, memory))  # for what the application does in its transaction


@contextmanager
def undone(connection: Any) -> Iterator[Execute]:
    """A transaction, or a part of the application's, of which nothing stays."""
    execute = executor(connection)
    nested = _is_open(connection)
    execute("SAVEPOINT proxydb_plans" if nested else "BEGIN")
    try:
        yield execute
    finally:
        if not connection.closed:
            execute("ROLLBACK TO SAVEPOINT proxydb_plans; RELEASE SAVEPOINT proxydb_plans" if nested else "ROLLBACK")


def _is_open(connection: Any) -> bool:
    """Whether what is executed becomes part of a transaction of the application's."""
    return not connection.autocommit or connection.info.transaction_status != 0


def executor(connection: Any) -> Execute:
    """Runs statements on a connection as the driver does, whatever form of rows the application wants."""
    import psycopg
    from psycopg.rows import tuple_row

    def execute(sql: str, parameters: Any = None, **options: Any) -> Any:
        return psycopg.Cursor(connection, row_factory=tuple_row).execute(sql, parameters, **options)

    return execute


def attempt(execute: Execute, sql: str) -> bool:
    """Run a statement, or leave everything as it was if it fails; whether it succeeded."""
    import psycopg

    execute("SAVEPOINT proxydb_attempt")
    try:
        execute(sql)
    except psycopg.Error:
        execute("ROLLBACK TO SAVEPOINT proxydb_attempt")
        return False
    execute("RELEASE SAVEPOINT proxydb_attempt")
    return True


def lock(execute: Execute, oids: Sequence[int], mode: str) -> None:
    """Lock those relations that are tables, until the transaction ends."""
    rows = execute(
        "SELECT oid::regclass::text FROM pg_class WHERE oid = ANY (%s::oid[]) AND relkind IN ('r', 'p') ORDER BY oid",
        (list(oids),),
    ).fetchall()
    if rows:
        execute(f"LOCK TABLE {', '.join(name for (name,) in rows)} IN {mode} MODE")
