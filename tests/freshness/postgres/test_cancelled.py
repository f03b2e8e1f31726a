"""A task that is cancelled at any of its suspensions leaves the connection usable, and nothing half-kept."""

from __future__ import annotations

import asyncio
from contextlib import closing, suppress
from itertools import count
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import waiting

from proxydb import aio
from tests.freshness.postgres.conftest import EMPTY
from tests.freshness.postgres.twins import KEEP_ALL, SCHEMA, T, U
from tests.freshness.stale import verify
from tests.interrupted import cancelled_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Work = Callable[[Any], Any]

BUMP = "UPDATE u SET x = x + 1 WHERE id < 4"
ENOUGH = 4


@pytest.fixture(autouse=True)
def every_wait_suspends(monkeypatch: pytest.MonkeyPatch) -> None:
    """psycopg looks whether a socket is ready before it suspends; here it never is, so each wait can be cancelled."""
    monkeypatch.setattr(waiting, "_ready", lambda *_: 0, raising=False)


@pytest.fixture
def dsn(emptied: tuple[str, str]) -> str:
    """A database with two tables."""
    with closing(psycopg.connect(emptied[1], autocommit=True)) as beside:
        beside.execute(EMPTY + SCHEMA)
    return emptied[1]


@pytest.fixture
def beside(dsn: str) -> Iterator[Any]:
    """A connection of a program that never heard of proxydb."""
    with closing(psycopg.connect(dsn, autocommit=True)) as beside:
        yield beside


async def _read(connection: Any, sql: str = U) -> Any:
    cursor = await connection.execute(sql)
    return await cursor.fetchall()


async def _known(connection: Any) -> None:
    """Let the rows be kept."""
    for _ in range(ENOUGH):
        await _read(connection)


async def _to_be_filled(connection: Any) -> None:
    """Let the next read be a run that is kept."""
    await _known(connection)
    connection.proxydb.cache.clear()


async def _changed(connection: Any) -> None:
    """Let the next read find that the rows have changed, and the catalog moved on."""
    await _known(connection)
    async with await psycopg.AsyncConnection.connect(connection.info.dsn) as other:
        await other.execute(BUMP)
        await other.execute("COMMENT ON TABLE u IS 'changed'")


async def _nothing(_connection: Any) -> None:
    """Let the connection be new."""


async def _transaction(connection: Any) -> None:
    async with connection.transaction():
        await _read(connection)
        await connection.execute(BUMP)
        await _read(connection)


async def _stream(connection: Any) -> None:
    async for _row in connection.cursor().stream("SELECT x FROM u"):
        pass


STORIES: dict[str, tuple[Work, Work, int]] = {
    "first read": (_nothing, _read, 10),
    "hit": (_known, _read, 1),
    "run that is kept": (_to_be_filled, _read, 5),
    "read after a change": (_changed, _read, 6),
    "transaction": (_known, _transaction, 5),
    "write": (_known, lambda connection: connection.execute(BUMP), 1),
    "stream": (_known, _stream, 1),
}


@pytest.mark.parametrize("autocommit", [True, False], ids=["autocommit", "transactions"])
@pytest.mark.parametrize("story", STORIES)
def test_cancelled_everywhere(dsn: str, beside: Any, story: str, autocommit: bool) -> None:
    """Wherever the work is cancelled: afterwards the connection reads what is there, and others do, too."""
    before, work, at_least = STORIES[story]

    async def main() -> int:
        async with aio.connect(dsn, config=KEEP_ALL, autocommit=True) as other:
            for suspension in count():
                async with aio.connect(dsn, config=KEEP_ALL, autocommit=autocommit) as connection:
                    await before(connection)
                    reached = await cancelled_at(suspension, work(connection))
                    await _verify(connection, other, beside)
                if not reached:
                    return suspension
        raise AssertionError("no end")

    assert asyncio.run(main()) >= at_least


async def _verify(connection: Any, other: Any, beside: Any) -> None:
    """The connection is as the raw driver would have left it, and reads what is there, before and after a commit."""
    assert (connection.closed, connection._pipeline, connection.lock.locked()) == (False, None, False)
    assert connection.proxydb.cache._flights == {}
    with suppress(psycopg.errors.QueryCanceled):  # a late request to cancel
        await connection.rollback()
    await connection.rollback()
    for _ in range(2):
        for sql in (T, U):
            truth = beside.execute(sql).fetchall()
            for each in (connection, other):
                verify(truth, await _read(each, sql))
                verify(truth, await _read(each, sql))
        await connection.rollback()
        beside.execute(BUMP)


def test_cancelled_pilot(dsn: str, beside: Any) -> None:
    """When the task that runs a statement for all who miss it is cancelled, the others run it themselves."""
    slow = "SELECT count(*), sum(a.x) FROM u a, t b, generate_series(1, 20) c"

    async def main() -> tuple[list[Any], int]:
        connections = [await aio.connect(dsn, config=KEEP_ALL, autocommit=True) for _ in range(4)]
        pilot, *others = connections
        for _ in range(3):
            await _read(pilot, slow)
        pilot.proxydb.cache.clear()
        flying = asyncio.create_task(_read(pilot, slow))
        while not pilot.proxydb.cache._flights:
            await asyncio.sleep(0)
        waiting = [asyncio.create_task(_read(each, slow)) for each in others]
        await asyncio.sleep(0.02)
        flying.cancel()
        rows = [await task for task in waiting]
        misses = pilot.proxydb.stats().misses
        for connection in connections:
            await connection.close()
        return rows, misses

    rows, misses = asyncio.run(main())
    assert (rows, misses >= 4) == ([beside.execute(slow).fetchall()] * 3, True)
