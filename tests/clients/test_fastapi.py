"""A FastAPI application on SQLAlchemy's asyncio answers its requests the same on raw and on proxied connections."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from httpx import ASGITransport, AsyncClient

from tests.clients.shop import shop

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.clients.conftest import Addresses

WRITES = (
    ("/items", {"name": "pen", "price": 3}),
    ("/items", {"name": "ink", "price": 7}),
    ("/items", {"name": "pen", "price": 5}),
    ("/items", {"name": "paper"}),
    ("/items/1/orders?count=4", None),
    ("/items/2/orders?count=1", None),
    ("/items/9/orders?count=1", None),
    ("/items/1/orders?count=2", None),
)
READS = ("/items", "/items?at_most=5", "/sales")


@asynccontextmanager
async def running(url: str) -> AsyncIterator[tuple[AsyncClient, Any]]:
    """The application, started, with a client and its engine."""
    app = shop(url)
    async with (
        app.router.lifespan_context(app),
        AsyncClient(transport=ASGITransport(app), base_url="http://shop") as client,
    ):
        yield client, app.state.engine


async def hits(engine: Any) -> int:
    async with engine.connect() as connection:
        return int((await connection.get_raw_connection()).driver_connection.proxydb.stats().hits)


async def answer(client: AsyncClient, path: str) -> Any:
    response = await client.get(path)
    return response.status_code, response.json()


async def told(client: AsyncClient) -> list[Any]:
    """The answers to each write, and to each read after it, asked again and again and at once."""
    found = []
    for path, body in WRITES:
        response = await client.post(path, json=body)
        found.append((response.status_code, response.json()))
        for read in READS:
            answers = [await answer(client, read) for _ in range(3)]
            answers += await asyncio.gather(*(answer(client, read) for _ in range(5)))
            assert answers == answers[:1] * 8
            found.append(answers[0])
    return found


def test_the_same_answers(addresses: Addresses) -> None:
    """Status and body of every answer are equal, and most reads are answered from memory."""

    async def both() -> None:
        async with (
            running(addresses.raw.replace("+pysqlite:", "+aiosqlite:")) as (raw, _),
            running(addresses.proxied) as (proxied, engine),
        ):
            expected = await told(raw)
            assert await told(proxied) == expected
            assert {status for status, _ in expected} == {200, 201, 404, 409, 422}
            assert await hits(engine) > len(WRITES) * len(READS)

    asyncio.run(both())


def test_fresh_after_another_program(addresses: Addresses) -> None:
    """The answer after another program's commit has what that wrote."""
    foreign = sa.create_engine(addresses.foreign)

    async def prices() -> None:
        async with running(addresses.proxied) as (client, engine):
            await client.post("/items", json={"name": "pen", "price": 3})
            for price in range(10, 14):
                with foreign.begin() as connection:
                    connection.execute(sa.text("UPDATE item SET price = :price"), {"price": price})
                answers = [(await client.get("/items")).json()[0]["price"] for _ in range(4)]
                assert answers == [price] * 4
            assert await hits(engine) > 0

    asyncio.run(prices())
    foreign.dispose()
