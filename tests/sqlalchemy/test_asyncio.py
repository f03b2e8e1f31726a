"""`create_async_engine` on the same URLs: awaited reads of the ORM application come from memory, and are fresh."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import Session

from proxydb import Config, aiosqlite, psycopg
from tests.sqlalchemy.application import AUTHORS, READS, Author, Base, Book, fill, prices
from tests.sqlalchemy.conftest import opened
from tests.sqlalchemy.urls import url_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from sqlalchemy import Engine

CONNECTIONS = {"sqlite": aiosqlite.Connection, "postgresql": psycopg.AsyncConnection}


@pytest.fixture
def foreign(target: str) -> Iterator[Engine]:
    """The application's database through SQLAlchemy's own synchronous dialect."""
    with opened(target, "raw", {}) as engine:
        Base.metadata.create_all(engine)
        with Session(engine) as session:
            fill(session)
        yield engine


def run(target: str, story: Callable[[AsyncEngine], Awaitable[Any]], driver: str = "proxydb", **options: Any) -> Any:
    """Tell a story to an engine in an event loop."""

    async def told() -> Any:
        engine = create_async_engine(url_of(target, driver, proxydb_admission="0"), **options)
        try:
            return await story(engine)
        finally:
            await engine.dispose()

    return asyncio.run(told())


async def hits(engine: AsyncEngine) -> int:
    """How many reads were answered from memory."""
    async with engine.connect() as connection:
        driver_connection: Any = (await connection.get_raw_connection()).driver_connection
        return int(driver_connection.proxydb.stats().hits)


async def everything(engine: AsyncEngine) -> list[Any]:
    """What each read of the application gives in a session of its own."""
    found = []
    for read in READS:
        async with AsyncSession(engine) as session:
            found.append(await session.run_sync(read))
    return found


def seen_by(foreign: Engine) -> list[Any]:
    """The same for a program that knows nothing of proxydb."""
    with Session(foreign) as session:
        return [read(session) for read in READS]


@pytest.mark.parametrize("driver", ["proxydb", "proxydb_async"])
def test_engine(target: str, driver: str) -> None:
    """The URL gives an asynchronous engine, whose connections are proxydb's and have the URL's options."""

    async def story(engine: AsyncEngine) -> None:
        async with engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
            driver_connection: Any = (await connection.get_raw_connection()).driver_connection
        assert isinstance(driver_connection, CONNECTIONS[engine.name])
        assert driver_connection.proxydb.config == Config(admission=0, ring=5)

    run(target, story, driver, connect_args={"proxydb_ring": 5})


def test_repeated_reads(target: str, foreign: Engine) -> None:
    """Reads are repeated, are each time what a foreign connection sees, and are answered from memory."""

    async def story(engine: AsyncEngine) -> None:
        for price in range(3):
            with Session(foreign) as session, session.begin():
                session.execute(update(Book).values(price=price))
            expected = seen_by(foreign)
            assert [await everything(engine) for _ in range(4)] == [expected] * 4
        assert await hits(engine) > 3 * 7

    run(target, story)


def test_writes(target: str, foreign: Engine) -> None:
    """A session reads what it wrote; what it rolled back is gone, what it committed everybody sees."""

    async def story(engine: AsyncEngine) -> None:
        before = await everything(engine)
        for end in ("rollback", "commit"):
            async with AsyncSession(engine) as session:
                await session.execute(update(Book).values(price=Book.price + 1))
                assert await session.run_sync(prices) != before[1]
                await getattr(session, end)()
            assert await everything(engine) == seen_by(foreign)
            assert (await everything(engine) == before) is (end == "rollback")

    run(target, story)


def test_tasks_beside_each_other(target: str, foreign: Engine) -> None:
    """Many tasks read at once, each in its own session, and all read the same."""

    async def story(engine: AsyncEngine) -> None:
        expected = seen_by(foreign)
        found = await asyncio.gather(*(everything(engine) for _ in range(8)))
        assert found == [expected] * 8
        assert await everything(engine) == expected
        assert await hits(engine) > 0

    run(target, story)


def test_streamed_rows(target: str, foreign: Engine) -> None:
    """`stream` gives the rows one by one."""

    async def story(engine: AsyncEngine) -> None:
        for _ in range(4):
            async with engine.connect() as connection:
                rows = await connection.stream(select(Author.name).order_by(Author.id))
                assert [row.name async for row in rows] == [f"author {number}" for number in range(AUTHORS)]

    run(target, story)


def test_errors(target: str, foreign: Engine) -> None:
    """A violated constraint is SQLAlchemy's own error, and the session goes on after its rollback."""

    async def story(engine: AsyncEngine) -> None:
        async with AsyncSession(engine) as session:
            session.add(Author(id=1, name="again"))
            with pytest.raises(IntegrityError):
                await session.flush()
            await session.rollback()
            assert len((await session.scalars(select(Author))).all()) == AUTHORS

    run(target, story)


def test_a_cancelled_read(target: str, foreign: Engine) -> None:
    """After a read that was cancelled, at whatever point, the engine works, and reads what is there."""

    async def story(engine: AsyncEngine) -> None:
        expected, cancelled = seen_by(foreign), 0
        for delay in (0, 0.001, 0.002, 0.005, 0.01):
            reading = asyncio.create_task(everything(engine))
            await asyncio.sleep(delay)
            cancelled += reading.cancel()
            await asyncio.wait([reading])
            assert await everything(engine) == expected
        assert cancelled > 0

    run(target, story)
