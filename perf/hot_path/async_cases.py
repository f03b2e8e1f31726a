"""The cases in an event loop: psycopg's asynchronous connections, many statements in one task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg

from perf.hot_path import files_table as files
from perf.hot_path.case import Case
from perf.hot_path.complaints import hits_only, no_hits
from perf.hot_path.goals import AtMost, Faster
from proxydb import Config, aio
from tests.driven import Loop, undriven

if TYPE_CHECKING:
    from collections.abc import Callable

BATCH = 20
"""Statements that a task executes, one after the other, before the loop is left again."""


def _connections(dsn: str, config: Config) -> tuple[Loop, Any, Any]:
    loop = Loop()
    raw = loop.run(psycopg.AsyncConnection.connect(dsn, autocommit=True))
    return loop, raw, loop.run(aio.connect(dsn, config=config, autocommit=True))


def _batch(loop: Loop, connection: Any, sql: str, parameters: tuple[Any, ...]) -> Callable[[], object]:
    cursor, statement = undriven(connection).cursor(), sql.replace("?", "%s")

    async def execute() -> None:
        for _ in range(BATCH):
            await cursor.execute(statement, parameters)
            await cursor.fetchall()

    return lambda: loop.run(execute())


def by_key(dsn: str) -> Case:
    """As for the synchronous connections, admission is told not to keep it."""
    loop, raw, proxied = _connections(dsn, Config(admission=1e6))
    calls = (_batch(loop, each, files.BY_KEY, (4711,)) for each in (raw, proxied))
    title = f"Postgres awaited, {BATCH} primary-key reads, not cached"
    return Case(title, *calls, AtMost(1.10), no_hits(proxied), (raw, proxied, loop))


def listing_hit(dsn: str) -> Case:
    """The round trip through the event loop, which a hit has to make as well, limits what it can gain."""
    loop, raw, proxied = _connections(dsn, Config())
    calls = (_batch(loop, each, files.OF_TABLE, (7,)) for each in (raw, proxied))
    title = f"Postgres awaited, {BATCH} 400-row reads, hits"
    return Case(title, *calls, Faster(3), hits_only(proxied), (raw, proxied, loop))


CASES = (by_key, listing_hit)
