"""CREATE, REFRESH and DROP INCREMENTAL MATERIALIZED VIEW through cursors on Postgres; plain ones stay Postgres' own."""

from __future__ import annotations

import asyncio
from contextlib import closing
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import IsolationLevel

import proxydb
from proxydb.psycopg import AsyncConnection

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def connection(postgres_dsn: str) -> Iterator[Any]:
    """A proxied connection to a database with a table."""
    with closing(proxydb.connect(postgres_dsn)) as connection:
        connection.execute("CREATE TABLE t (id integer PRIMARY KEY, g text, x integer)")
        connection.execute("INSERT INTO t VALUES (1, 'a', 1), (2, 'b', 2), (3, 'a', 4)")
        connection.commit()
        yield connection


def test_create(connection: Any) -> None:
    """A view is made in the connection's transaction, and kept from then on."""
    connection.execute("CREATE INCREMENTAL MATERIALIZED VIEW v AS SELECT g, sum(x) AS s FROM t GROUP BY g")
    connection.execute("DELETE FROM t WHERE id = 3")
    assert sorted(connection.execute("SELECT * FROM v").fetchall()) == [("a", 1), ("b", 2)]
    connection.rollback()
    with pytest.raises(psycopg.errors.UndefinedTable):
        connection.execute("SELECT * FROM v")


def test_without_a_transaction(connection: Any) -> None:
    """In autocommit mode each statement is a transaction of its own; options and IF [NOT] EXISTS are understood."""
    connection.autocommit = True
    made = "CREATE INCREMENTAL MATERIALIZED VIEW IF NOT EXISTS v WITH (maintenance = overlay) AS SELECT id FROM t"
    for _ in range(2):
        connection.execute(made)
    connection.execute("INSERT INTO t VALUES (4)")
    (view,) = connection.proxydb.views.list()
    assert (view.maintenance, view.state) == ("overlay", "overlay")
    connection.execute("REFRESH INCREMENTAL MATERIALIZED VIEW v")
    assert connection.proxydb.views.list()[0].state == "fresh"
    for _ in range(2):
        connection.execute("DROP INCREMENTAL MATERIALIZED VIEW IF EXISTS v")
    assert connection.proxydb.views.list() == []


def test_an_error(connection: Any) -> None:
    """An error is one of the driver's classes, and the transaction goes on."""
    connection.execute("INSERT INTO t VALUES (9)")
    with pytest.raises(psycopg.NotSupportedError, match="maintenance='full'"):
        connection.execute("CREATE INCREMENTAL MATERIALIZED VIEW v AS SELECT random() AS r FROM t")
    with pytest.raises(psycopg.ProgrammingError, match="no materialized view"):
        connection.execute("DROP INCREMENTAL MATERIALIZED VIEW v")
    assert connection.execute("SELECT count(*) FROM t").fetchone() == (4,)


def test_outside_read_committed(connection: Any) -> None:
    """A transaction whose snapshot is older than what it would wait for makes no view."""
    connection.isolation_level = IsolationLevel.REPEATABLE_READ
    with pytest.raises(psycopg.NotSupportedError, match="READ COMMITTED"):
        connection.execute("CREATE INCREMENTAL MATERIALIZED VIEW v AS SELECT id FROM t")


def test_a_plain_one(connection: Any) -> None:
    """A materialized view without INCREMENTAL is Postgres' own."""
    connection.execute("CREATE MATERIALIZED VIEW v AS SELECT id FROM t")
    connection.execute("DELETE FROM t")
    assert connection.execute("SELECT count(*) FROM v").fetchone() == (3,)
    connection.execute("REFRESH MATERIALIZED VIEW v")
    assert connection.execute("SELECT count(*) FROM v").fetchone() == (0,)
    connection.execute("DROP MATERIALIZED VIEW v")


def test_awaited(connection: Any, postgres_dsn: str) -> None:
    """In autocommit mode an asynchronous cursor makes views, too, and is told the driver's errors."""

    async def main() -> list[Any]:
        async with await AsyncConnection.connect(postgres_dsn, autocommit=True) as other:
            await other.execute("CREATE INCREMENTAL MATERIALIZED VIEW v AS SELECT g, sum(x) AS s FROM t GROUP BY g")
            await other.execute("DELETE FROM t WHERE id = 3")
            with pytest.raises(psycopg.ProgrammingError, match="no materialized view"):
                await other.execute("DROP INCREMENTAL MATERIALIZED VIEW w")
            return await (await other.execute("SELECT * FROM v ORDER BY g")).fetchall()

    assert asyncio.run(main()) == [("a", 1), ("b", 2)]


def test_awaited_in_a_transaction(connection: Any, postgres_dsn: str) -> None:
    """In a transaction it is refused, with the way out, and the transaction goes on."""

    async def main() -> Any:
        async with await AsyncConnection.connect(postgres_dsn) as other:
            await other.execute("DELETE FROM t WHERE id = 3")
            with pytest.raises(psycopg.NotSupportedError, match="set autocommit"):
                await other.execute("CREATE INCREMENTAL MATERIALIZED VIEW v AS SELECT id FROM t")
            return await (await other.execute("SELECT count(*) FROM t")).fetchone()

    assert asyncio.run(main()) == (2,)
