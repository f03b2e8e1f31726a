"""`proxydb.aio.connect` opens both kinds of database, shares what is kept, and refuses what it cannot open."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

import pytest

import proxydb
from proxydb import Config, aio
from proxydb.errors import MissingExtra, TargetError

if TYPE_CHECKING:
    from collections.abc import Coroutine

KEEP_ALL = Config(admission=0)
READ = "SELECT count(*), sum(x) FROM t"


def run(main: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine in an event loop of its own."""
    return asyncio.run(main)


async def _filled(connection: Any) -> None:
    await connection.execute("CREATE TABLE t (id integer PRIMARY KEY, x integer)")
    for number in range(20):
        await connection.execute(f"INSERT INTO t VALUES ({number}, {number})")
    await connection.commit()


async def _rows(connection: Any, sql: str = READ) -> Any:
    return await (await connection.execute(sql)).fetchall()


def test_awaited(target: str) -> None:
    """What `connect` returns can be awaited; the connection has the process's `Database`."""

    async def main() -> Any:
        connection = await aio.connect(target, config=KEEP_ALL)
        await _filled(connection)
        rows = [await _rows(connection) for _ in range(5)]
        hits = connection.proxydb.stats().hits
        await connection.close()
        return rows, hits > 0

    assert run(main()) == ([[(20, 190)]] * 5, True)


def test_entered(target: str) -> None:
    """What `connect` returns can be entered; the connection is closed at the end of the block."""

    async def main() -> Any:
        async with aio.connect(target, config=KEEP_ALL) as connection:
            rows = await _rows(connection, "SELECT 1")
        try:
            await connection.execute("SELECT 1")
        except Exception:
            return rows
        raise AssertionError("still open")

    assert run(main()) == [(1,)]


def test_shared_with_synchronous_connections(target: str) -> None:
    """What a synchronous connection of the process has kept is a hit for an asynchronous one, and vice versa."""

    async def main() -> list[bool]:
        async with aio.connect(target, config=KEEP_ALL) as connection:
            await _filled(connection)
            gained = []
            for sql in (READ, "SELECT max(x) FROM t"):
                before = beside.proxydb.stats().hits
                for _ in range(4 if sql == READ else 1):
                    beside.execute(sql).fetchall()
                for _ in range(1 if sql == READ else 4):
                    await _rows(connection, sql)
                beside.execute(sql).fetchall()
                gained.append(beside.proxydb.stats().hits > before)
            return [*gained, connection.proxydb is beside.proxydb]

    beside = proxydb.connect(target, config=KEEP_ALL)
    assert run(main()) == [True, True, True]
    beside.close()


def test_explained(target: str) -> None:
    """A statement is explained off the event loop, on a connection of its own."""

    async def main() -> Any:
        async with aio.connect(target, config=KEEP_ALL) as connection:
            await _filled(connection)
            return await asyncio.to_thread(connection.proxydb.explain, READ)

    explanation = run(main())
    assert (explanation.cacheable, len(explanation.reads)) == (True, 1)


def test_unknown_target() -> None:
    """A target that is neither kind of database is refused at once."""
    with pytest.raises(TargetError):
        aio.connect("mysql://localhost/app")


@pytest.mark.parametrize(
    ("target", "missing", "extra"),
    [("app.db", "proxydb.dbapi.sqlite_async", "aio"), ("dbname=app", "proxydb.dbapi.postgres_async", "postgres")],
)
def test_missing_driver(target: str, missing: str, extra: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the driver the error names the extra that brings it."""
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(MissingExtra, match=f"proxydb\\[{extra}\\]"):
        aio.connect(target)
