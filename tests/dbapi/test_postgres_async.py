"""Postgres in an event loop: who misses the same key waits without holding up the loop; the slow log asks elsewhere."""

from __future__ import annotations

import asyncio
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
import structlog

import proxydb
import proxydb.psycopg
from proxydb import Config, aio

if TYPE_CHECKING:
    from collections.abc import Iterator

KEEP_ALL = Config(admission=0, slow_ms=0)
SLOW = "SELECT count(*), sum(a.x) FROM t a, t b, generate_series(1, 100) WHERE a.x < %s"


@pytest.fixture
def dsn(postgres_dsn: str) -> Iterator[str]:
    """A database with a table of 2,000 rows, known throughout the test."""
    with closing(psycopg.connect(postgres_dsn, autocommit=True)) as beside:
        beside.execute("CREATE TABLE t AS SELECT n AS x FROM generate_series(1, 2000) n")
    with proxydb.database(postgres_dsn, config=KEEP_ALL):
        yield postgres_dsn


async def _rows(connection: Any, value: int) -> Any:
    return await (await connection.execute(SLOW, (value,))).fetchall()


async def _opened(dsn: str, number: int) -> list[Any]:
    """Connections that have looked at the label, to a database in which the statement is known to be worth keeping."""
    connections = [await aio.connect(dsn, config=KEEP_ALL, autocommit=True) for _ in range(number)]
    for connection in connections:
        await _rows(connection, 1)
    await _rows(connections[0], 1)
    return connections


async def _close(connections: list[Any]) -> None:
    for connection in connections:
        await connection.close()


def test_single_flight(dsn: str) -> None:
    """Tasks of one loop that miss the same key at once run its statement once, and the loop goes on meanwhile."""

    async def main() -> tuple[Any, int, int, int]:
        connections = await _opened(dsn, 5)
        before = connections[0].proxydb.stats()
        reading = asyncio.gather(*(_rows(connection, 3) for connection in connections))
        turns = 0
        while not reading.done():
            await asyncio.sleep(0)
            turns += 1
        after = connections[0].proxydb.stats()
        await _close(connections)
        return await reading, after.misses - before.misses, after.hits - before.hits, turns

    rows, misses, hits, turns = asyncio.run(main())
    assert (rows, misses, hits, turns > 100) == ([[(400_000, 600_000)]] * 5, 1, 4, True)


def test_nobody_waits_for_what_will_not_be_kept(dsn: str) -> None:
    """Tasks that run the same statement run it at the same time, unless its rows are known to be kept."""

    async def main() -> list[bool]:
        connections = await _opened(dsn, 2)
        beside = await psycopg.AsyncConnection.connect(dsn, autocommit=True)
        at_once = []
        for _ in range(3):
            sleeping = asyncio.gather(*(connection.execute("SELECT pg_sleep(0.4)") for connection in connections))
            most = 0
            while not sleeping.done():
                cursor = await beside.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
                most = max(most, (await cursor.fetchone() or (0,))[0])
            await sleeping
            at_once.append(most == 2)
        await _close([*connections, beside])
        return at_once

    assert any(asyncio.run(main()))


def test_flight_of_another_thread(dsn: str) -> None:
    """A task waits for what a thread with a synchronous connection is running."""
    rows: list[Any] = []

    def read() -> None:
        with closing(proxydb.connect(dsn, config=KEEP_ALL, autocommit=True)) as connection:
            rows.append(connection.execute(SLOW, (4,)).fetchall())

    async def main() -> tuple[int, int]:
        (connection,) = await _opened(dsn, 1)
        before = connection.proxydb.stats()
        thread = threading.Thread(target=read)
        thread.start()
        while not connection.proxydb.cache._flights and not rows:
            await asyncio.sleep(0)
        rows.append(await _rows(connection, 4))
        thread.join(20)
        after = connection.proxydb.stats()
        await _close([connection])
        return after.misses - before.misses, after.hits - before.hits

    assert (asyncio.run(main()), rows) == ((1, 1), [[(600_000, 1_200_000)]] * 2)


def test_synchronous_reader_in_the_loops_thread(dsn: str) -> None:
    """A synchronous read does not wait for a task that cannot go on before it has returned."""

    async def main() -> Any:
        connections = await _opened(dsn, 1)
        with closing(proxydb.connect(dsn, config=KEEP_ALL, autocommit=True)) as blocking:
            flying = asyncio.create_task(_rows(connections[0], 5))
            while not blocking.proxydb.cache._flights:
                await asyncio.sleep(0)
            assert blocking.proxydb.cache.join(next(iter(blocking.proxydb.cache._flights))) is None
            rows = blocking.execute(SLOW, (5,)).fetchall(), await flying
        await _close(connections)
        return rows

    assert asyncio.run(main()) == ([(800_000, 2_000_000)],) * 2


def test_slow_log_asks_in_another_thread(dsn: str) -> None:
    """A slow statement is logged with its plan and the line of the task, by a thread that may wait for the plan."""
    threads: list[str] = []

    def note(_logger: Any, _name: str, event: dict[str, Any]) -> dict[str, Any]:
        threads.append(threading.current_thread().name)
        return event

    async def main() -> None:
        async with aio.connect(dsn, config=Config(slow_ms=0.001), autocommit=True) as connection:
            await connection.execute("SELECT count(*) FROM t")

    with structlog.testing.capture_logs(processors=[note]) as events:
        asyncio.run(main())
    [event] = [event for event in events if "count(*)" in event["db.query.text"]]
    assert ("Aggregate" in event["plan"][0], __file__ in event["call_site"]) == (True, True)
    assert threading.current_thread().name not in threads


@pytest.mark.parametrize("name", ["AsyncCursor", "AsyncClientCursor", "AsyncRawCursor"])
def test_own_cursor_class(dsn: str, name: str) -> None:
    """An application's own class of cursors gives kept rows, and stays its own."""
    own = type("Own", (getattr(proxydb.psycopg, name),), {"greet": lambda _self: "hello"})

    async def main() -> tuple[Any, ...]:
        connection = await aio.connect(dsn, config=KEEP_ALL, autocommit=True, cursor_factory=own)
        for _ in range(4):
            cursor = await connection.execute("SELECT count(*), sum(x) FROM t")
            rows = await cursor.fetchall()
        hits = connection.proxydb.stats().hits
        await connection.close()
        return rows, cursor.greet(), isinstance(cursor, own), hits > 0

    assert asyncio.run(main()) == ([(2000, 2001000)], "hello", True, True)


def test_generic_classes() -> None:
    """The asynchronous classes are generic, as psycopg's are."""
    for kind in ("Connection", "Cursor", "ClientCursor", "RawCursor", "ServerCursor", "RawServerCursor"):
        assert getattr(proxydb.psycopg, f"Async{kind}")[tuple]
