"""Which `Database` a Postgres connection belongs to, and what it has there."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from psycopg.conninfo import make_conninfo

from proxydb.database import Database, join, leaving, options_of_environment, take
from proxydb.drivers.postgres import wording
from proxydb.drivers.postgres.session import PostgresSession

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from proxydb.drivers.base import Analysis
    from proxydb.drivers.postgres.catalog import Verdict
    from proxydb.executor.context import Context
    from proxydb.executor.routes import Routes


class PostgresDriver:
    """What the process's connections to one Postgres database share: the verdicts of the catalog."""

    def __init__(self, borrow: Callable[[], Any]) -> None:
        self.verdicts: dict[Any, Verdict] = {}
        self._borrow = borrow

    def analyse(self, sql: str) -> Analysis:
        """What the text alone says; the catalog is asked when the statement has shown to be worth it."""
        return wording.analyse(sql)

    def query_plan(self, sql: str, parameters: Any) -> list[str]:
        """The lines of EXPLAIN, asked on a connection of its own; none when there is no telling."""
        try:
            with self._borrow() as connection:
                return [row[0] for row in connection.execute(f"EXPLAIN {sql}", parameters)]
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
    borrow = _borrow_another(connection, kind)
    shared = take(
        ("postgresql", namespace),
        lambda: Database("postgresql", namespace, config, PostgresDriver(borrow), borrow),
    )
    session = PostgresSession(shared.driver.verdicts)
    context = join(shared, session, execute, execute, config, routes)
    context.parameters_in = _parameters_in
    context.leave = leaving(connection, context)
    return context


def _parameters_in(arguments: Any) -> Any:
    return arguments and arguments[0]


def _borrow_another(connection: Any, kind: Any) -> Callable[[], Any]:
    config = connection._config
    conninfo = make_conninfo(connection.info.dsn, password=connection.info.password or None)

    @contextmanager
    def borrow() -> Iterator[Any]:
        other = kind.connect(conninfo, autocommit=True)
        other._config = config
        try:
            yield other
        finally:
            other.close()

    return borrow
