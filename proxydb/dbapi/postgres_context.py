"""Which `Database` a Postgres connection belongs to, and what it has there."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg as driver
from psycopg.conninfo import make_conninfo

from proxydb.database import Database, join, leaving, options_of_environment, take
from proxydb.drivers.postgres import wording
from proxydb.drivers.postgres.query_plans import without_literals
from proxydb.drivers.postgres.session import PostgresSession

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from proxydb.drivers.base import Analysis
    from proxydb.drivers.postgres.catalog import Verdict
    from proxydb.executor.context import Context
    from proxydb.executor.routes import Routes


_PATIENCE = 2
"""Seconds that a connection for a query plan may take to open."""


class PostgresDriver:
    """What the process's connections to one Postgres database share: the verdicts of the catalog."""

    def __init__(self, conninfo: str) -> None:
        self.verdicts: dict[Any, Verdict] = {}
        self._conninfo = conninfo

    def analyse(self, sql: str) -> Analysis:
        """What the text alone says; the catalog is asked when the statement has shown to be worth it."""
        return wording.analyse(sql)

    def query_plan(self, sql: str, parameters: Any) -> list[str]:
        """The lines of EXPLAIN without literals, asked on a connection of its own; none when there is no telling.

        The application may itself hold the lock that EXPLAIN waits for, so it waits for none.
        """
        try:
            with driver.Connection.connect(self._conninfo, autocommit=True, connect_timeout=_PATIENCE) as connection:
                connection.execute("SET lock_timeout = '50ms'")
                return without_literals(row[0] for row in connection.execute(f"EXPLAIN {sql}", parameters))
        except Exception:  # the slow log does without
            return []

    def release(self) -> None:
        """Nothing is held open."""

    def abandon(self) -> None:
        """After a fork: what the catalog said may still be true, and is checked before it is used."""


def open_context(connection: Any, kind: Any, execute: Callable[..., Any], routes: Routes) -> Context:
    """What proxydb keeps for a connection.

    Parameters
    ----------
    connection
        The connection, synchronous or not.
    kind
        The synchronous class by which others to the same database are opened.
    execute, routes
        Its cursors' own way to the server, and the classes of its statements.
    """
    config = connection._config or options_of_environment()
    info = connection.info
    namespace = f"{info.host}:{info.port}/{info.dbname}"
    conninfo = make_conninfo(info.dsn, password=info.password or None)
    shared = take(
        ("postgresql", namespace),
        lambda: Database(
            "postgresql", namespace, config, PostgresDriver(conninfo), _borrow_another(connection, kind, conninfo)
        ),
    )
    session = PostgresSession(shared.driver.verdicts)
    context = join(shared, session, execute, execute, config, routes)
    context.parameters_in = _parameters_in
    context.leave = leaving(connection, context)
    return context


def _parameters_in(arguments: Any) -> Any:
    return arguments and arguments[0]


def _borrow_another(connection: Any, kind: Any, conninfo: str) -> Callable[[], Any]:
    config = connection._config

    @contextmanager
    def borrow() -> Iterator[Any]:
        other = kind.connect(conninfo, autocommit=True)
        other._config = config
        try:
            yield other
        finally:
            other.close()

    return borrow
