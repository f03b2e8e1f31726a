"""A Postgres statement takes few function calls more than psycopg's own, awaited or not."""

from __future__ import annotations

import asyncio
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

import proxydb
from proxydb import Config, aio

if TYPE_CHECKING:
    from collections.abc import Iterator

BY_KEY, ALL = "SELECT x FROM t WHERE x = %s", "SELECT x FROM t WHERE x < %s"
MORE = {"pass-through": 18, "awaited pass-through": 26, "hit": 34}
"""Calls, of Python's and of C, more than the raw driver takes for the primary-key read."""


class _Calls:
    """Counts the function calls in its block."""

    def __enter__(self) -> _Calls:
        self.number = 0
        sys.setprofile(self._count)
        return self

    def __exit__(self, *_exception: object) -> None:
        sys.setprofile(None)

    def _count(self, _frame: Any, event: str, _argument: Any) -> None:
        self.number += event in ("call", "c_call")


@pytest.fixture
def dsn(postgres_dsn: str) -> Iterator[str]:
    """A database with a table."""
    with closing(psycopg.connect(postgres_dsn, autocommit=True)) as beside:
        beside.execute("CREATE TABLE t AS SELECT n AS x FROM generate_series(1, 1000) n")
    yield postgres_dsn


def _fewest(connection: Any, sql: str) -> int:
    """The fewest calls of several executions: a reply that is late costs some."""
    cursor, counts = connection.cursor(), []
    for _ in range(20):
        with _Calls() as calls:
            cursor.execute(sql, (5,))
        counts.append(calls.number)
    return min(counts[10:])


async def _fewest_awaited(connection: Any, sql: str) -> int:
    cursor, counts = connection.cursor(), []
    for _ in range(20):
        with _Calls() as calls:
            await cursor.execute(sql, (5,))
        counts.append(calls.number)
    return min(counts[10:])


@pytest.mark.parametrize(("case", "sql", "admission"), [("pass-through", BY_KEY, 1e6), ("hit", ALL, 0)])
def test_calls(dsn: str, case: str, sql: str, admission: float) -> None:
    """A statement past the cache, and an answer from memory, take few calls more than the raw driver's read."""
    config = Config(admission=admission)
    with (
        closing(psycopg.connect(dsn, autocommit=True)) as raw,
        closing(proxydb.connect(dsn, config=config, autocommit=True)) as ours,
    ):
        more = _fewest(ours, sql) - _fewest(raw, BY_KEY)
        assert (more <= MORE[case], ours.proxydb.stats().hits > 0) == (True, case == "hit"), more


def test_calls_of_an_awaited_statement(dsn: str) -> None:
    """An awaited statement past the cache takes few calls more than the raw driver's."""

    async def main() -> int:
        async with (
            await psycopg.AsyncConnection.connect(dsn, autocommit=True) as raw,
            aio.connect(dsn, config=Config(admission=1e6), autocommit=True) as ours,
        ):
            return await _fewest_awaited(ours, BY_KEY) - await _fewest_awaited(raw, BY_KEY)

    assert asyncio.run(main()) <= MORE["awaited pass-through"]
