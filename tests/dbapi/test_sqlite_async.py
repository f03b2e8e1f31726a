"""SQLite in an event loop: tasks share a connection, a cancelled await leaves worker and cache right."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from proxydb import Config, aio
from tests.interrupted import cancelled_at

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEEP_ALL = Config(admission=0)
READ = "SELECT count(*), sum(x) FROM t"
BUMP = "UPDATE t SET x = x + 1"


@pytest.fixture
def beside(sqlite_wal_path: Path) -> Iterator[Any]:
    """A connection of a program that never heard of proxydb, to a database with a table."""
    with closing(sqlite3.connect(sqlite_wal_path, isolation_level=None)) as beside:
        beside.execute("CREATE TABLE t (x)")
        beside.executemany("INSERT INTO t VALUES (?)", [(number,) for number in range(100)])
        yield beside


async def _read(connection: Any) -> Any:
    return await connection.execute_fetchall(READ)


async def _change(connection: Any) -> None:
    await connection.execute(BUMP)
    await _read(connection)
    await connection.commit()


async def _iterate(connection: Any) -> None:
    async with connection.execute("SELECT x FROM t") as cursor:
        async for _row in cursor:
            pass


@pytest.mark.parametrize("work", [_read, _change, _iterate])
def test_cancelled_everywhere(sqlite_wal_path: Path, beside: Any, work: Any) -> None:
    """Wherever a task is cancelled, afterwards the connection reads what is there, before and after a commit."""

    async def main() -> int:
        async with aio.connect(sqlite_wal_path, config=KEEP_ALL, timeout=20) as connection:
            for _ in range(3):
                await _read(connection)
            for suspension in count():
                reached = await cancelled_at(suspension, work(connection))
                await connection.rollback()
                for _ in range(3):
                    truth = beside.execute(READ).fetchall()
                    assert [truth] * 2 == [await _read(connection) for _ in range(2)]
                    beside.execute(BUMP)
                if not reached:
                    assert connection.proxydb.stats().hits > 0
                    return suspension
        raise AssertionError("no end")

    assert asyncio.run(main()) >= 1


def test_tasks_share_a_connection(sqlite_wal_path: Path, beside: Any) -> None:
    """Tasks of one connection read and write in turns, and read what is there."""

    async def main() -> list[Any]:
        async with aio.connect(sqlite_wal_path, config=KEEP_ALL, isolation_level=None) as connection:
            await asyncio.gather(*(work(connection) for work in [_read, _change, _iterate] * 5))
            return [await _read(connection) for _ in range(3)]

    assert asyncio.run(main()) == [beside.execute(READ).fetchall()] * 3


def test_other_thread_sets_isolation_level(sqlite_wal_path: Path, beside: Any) -> None:
    """An attribute that is set from the event loop's thread does what it does with aiosqlite."""

    async def main() -> list[Any]:
        async with aio.connect(sqlite_wal_path, config=KEEP_ALL) as connection:
            connection.isolation_level = "IMMEDIATE"
            await connection.execute(BUMP)
            seen = [connection.in_transaction, connection.isolation_level, connection.total_changes]
            await connection.rollback()
            return [*seen, *[await _read(connection) for _ in range(2)]]

    assert asyncio.run(main()) == [True, "IMMEDIATE", 100, *[beside.execute(READ).fetchall()] * 2]


class Counted(sqlite3.Connection):
    """Knows how many of its kind are open."""

    open = 0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        Counted.open += 1

    def close(self) -> None:
        super().close()
        Counted.open -= 1


def test_what_was_opened_for_a_cancelled_task_is_closed(sqlite_wal_path: Path) -> None:
    """A task that is cancelled while its connection is opened leaves none behind; aiosqlite's own leaves one."""

    async def cancelled(task: Any) -> None:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    async def main() -> None:
        for _ in range(20):
            connection = aio.connect(sqlite_wal_path, config=KEEP_ALL, factory=Counted)
            opening = asyncio.ensure_future(connection.__aenter__())
            await asyncio.sleep(0)  # it has asked its thread, and waits
            await cancelled(opening)
            await asyncio.to_thread(connection._thread.join, 20)

    asyncio.run(main())
    assert Counted.open == 0
