"""Libraries that speak SQL through SQLAlchemy, on its own dialects and on ours: pandas, PyIceberg, FastAPI."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from httpx import ASGITransport, AsyncClient
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.schema import Schema
from pyiceberg.types import LongType, NestedField
from sqlalchemy import create_engine

from perf.hot_path.case import Case
from perf.hot_path.complaints import mostly_hits_from_now_on
from perf.hot_path.files_table import BY_PARTITION
from perf.hot_path.goals import AtMost, Faster
from tests.clients.shop import shop
from tests.sqlalchemy.urls import url_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import URL

    from perf.hot_path.goals import Goal

    Call = Callable[[], object]

NAMESPACES, TABLES = 5, 40
ITEMS, ORDERS = 100, 3


def cases(system: str, target: str) -> Iterator[Case]:
    """The cases on a database that holds the hot path's table."""
    for title, make, goal, complaining in CASES:
        stack = ExitStack()
        raw, proxied = make(url_of(target, "raw"), stack), make(url_of(target, "proxydb"), stack)
        watching = create_engine(url_of(target, "proxydb"))
        watched = watching.raw_connection()  # its counters are those of the database
        stack.callback(watching.dispose)
        stack.callback(watched.close)
        complaint = complaining(watched.driver_connection)
        yield Case(f"{system}, {title}", raw, proxied, goal, complaint, (stack,))


def _frame(url: URL, stack: ExitStack) -> Call:
    engine = create_engine(url)
    stack.callback(engine.dispose)
    return lambda: pd.read_sql_query(BY_PARTITION, engine)


def _catalog(url: URL, stack: ExitStack) -> SqlCatalog:
    """A catalog of its own, since its name is part of every row, with some tables."""
    warehouse = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    address = url.render_as_string(hide_password=False)
    catalog = SqlCatalog(f"{url.get_driver_name()} {warehouse.name}", uri=address, warehouse=warehouse.as_uri())
    stack.callback(catalog.engine.dispose)
    for namespace in range(NAMESPACES):
        catalog.create_namespace(f"n{namespace}")
        for table in range(TABLES // NAMESPACES):
            catalog.create_table(f"n{namespace}.t{table}", Schema(NestedField(1, "id", LongType())))
    return catalog


def _names(url: URL, stack: ExitStack) -> Call:
    catalog = _catalog(url, stack)
    return lambda: [catalog.list_tables(namespace) for namespace in catalog.list_namespaces()]


def _table(url: URL, stack: ExitStack) -> Call:
    catalog = _catalog(url, stack)
    return lambda: catalog.load_table("n0.t0")


def _requests(path: str) -> Callable[[URL, ExitStack], Call]:
    def make(url: URL, stack: ExitStack) -> Call:
        driver = {"pysqlite": "sqlite+aiosqlite"}.get(url.get_driver_name(), url.drivername)
        app = shop(url.set(drivername=driver).render_as_string(hide_password=False))
        runner = stack.enter_context(asyncio.Runner())
        client = runner.run(_started(app, stack, runner))
        return lambda: runner.run(client.get(path))

    return make


async def _started(app: Any, stack: ExitStack, runner: asyncio.Runner) -> AsyncClient:
    """A client of the started application, whose shop has been filled."""
    lifespan = app.router.lifespan_context(app)
    await lifespan.__aenter__()
    stack.callback(lambda: runner.run(lifespan.__aexit__(None, None, None)))
    client = AsyncClient(transport=ASGITransport(app), base_url="http://shop")
    if not (await client.get("/items")).json():
        for item in range(ITEMS):
            added = (await client.post("/items", json={"name": f"item {item}", "price": item})).json()
            for _ in range(ORDERS):
                await client.post(f"/items/{added['id']}/orders?count=1")
    return client


def _whatever(_proxied: Any) -> Callable[[], str]:
    """On SQLite the statement is too cheap to be kept, on Postgres it is kept."""
    return lambda: ""


CASES: tuple[tuple[str, Callable[[URL, ExitStack], Call], Goal, Callable[[Any], Callable[[], str]]], ...] = (
    ("pandas: a frame of 336 groups of 20,000 rows, hit", _frame, Faster(2), mostly_hits_from_now_on),
    ("PyIceberg: names of 40 tables in 5 namespaces, hit", _names, AtMost(1.05), mostly_hits_from_now_on),
    ("PyIceberg: load_table, as it comes", _table, AtMost(1.05), _whatever),
    ("FastAPI: 100 items with their orders, hit", _requests("/items"), AtMost(1.05), mostly_hits_from_now_on),
    ("FastAPI: the sum of 300 orders, hit", _requests("/sales"), AtMost(1.05), mostly_hits_from_now_on),
)
