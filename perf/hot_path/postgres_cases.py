"""The cases on a Postgres server of this run's own, over a Unix socket."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import proxydb
from perf.hot_path import files_table as files
from perf.hot_path.case import Case
from perf.hot_path.complaints import fills_only, hits_only, no_hits
from perf.hot_path.goals import AtMost, Faster
from proxydb import Config

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def source() -> Iterator[str]:
    """The conninfo of a server on which the cases' table stands."""
    from tests.postgres_search import find_all
    from tests.postgres_server import Cluster

    server = Cluster(find_all()[0])
    try:
        dsn = server.start().dsn()
        _fill(dsn)
        yield dsn
    finally:
        server.stop()


def _fill(dsn: str) -> None:
    import psycopg

    with psycopg.connect(dsn, autocommit=True) as connection, connection.cursor() as cursor:
        for statement in files.DDL:
            cursor.execute(statement)
        with cursor.copy("COPY files FROM STDIN") as copy:
            for row in files.rows():
                copy.write_row(row)
        cursor.execute("VACUUM ANALYZE files")


def _connections(dsn: str, config: Config) -> tuple[Any, Any]:
    import psycopg

    return psycopg.connect(dsn, autocommit=True), proxydb.connect(dsn, config=config, autocommit=True)


def _statement(sql: str) -> str:
    return sql.replace("?", "%s")


def _all(connection: Any, sql: str, parameters: tuple[Any, ...] = ()) -> Callable[[], object]:
    cursor, statement = connection.cursor(), _statement(sql)
    return lambda: cursor.execute(statement, parameters).fetchall()


def by_key(dsn: str) -> Case:
    """Reading by key takes a few times as long as the version check, so it would be kept: admission is told not to."""
    raw, proxied = sides = _connections(dsn, Config(admission=1e6))
    calls = _all(raw, files.BY_KEY, (4711,)), _all(proxied, files.BY_KEY, (4711,))
    return Case("Postgres primary-key read, not cached", *calls, AtMost(1.10), no_hits(proxied), sides)


def listing_hit(dsn: str) -> Case:
    raw, proxied = sides = _connections(dsn, Config())
    calls = _all(raw, files.OF_TABLE, (7,)), _all(proxied, files.OF_TABLE, (7,))
    return Case("Postgres 400-row read, hit", *calls, Faster(8), hits_only(proxied), sides)


def aggregate_hit(dsn: str) -> Case:
    raw, proxied = sides = _connections(dsn, Config())
    calls = _all(raw, files.BY_PARTITION), _all(proxied, files.BY_PARTITION)
    return Case("Postgres aggregate over 20,000 rows, hit", *calls, Faster(80), hits_only(proxied), sides)


def miss(dsn: str) -> Case:
    """The entry is dropped before each run; dropping it is a part of the proxied time.

    Nobody asks for what is kept, so by itself admission would soon leave the statement alone.
    """
    raw, proxied = sides = _connections(dsn, Config(admission=0))
    read, forget = _all(proxied, files.OF_TABLE, (7,)), proxied.proxydb.cache.clear

    def missed() -> None:
        forget()
        read()

    calls = _all(raw, files.OF_TABLE, (7,)), missed
    return Case("Postgres 400-row read, miss that is kept", *calls, AtMost(1.25), fills_only(proxied), sides)


CASES = (by_key, listing_hit, aggregate_hit, miss)
