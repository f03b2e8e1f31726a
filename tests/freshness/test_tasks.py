"""Nothing stale in one event loop: many tasks on few connections, against a writer that never heard of the proxy."""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
import time
from contextlib import AsyncExitStack, contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pytest

from proxydb import aio
from tests.freshness.floor.board import Board
from tests.freshness.floor.places import Place
from tests.freshness.floor.reader import CONFIG, QUESTIONS
from tests.freshness.floor.trial import ROOT
from tests.sqlite_files import empty_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONNECTIONS, TASKS, READS, SECONDS = 3, 8, 1500, 40


@contextmanager
def _writer(place: Place, board: Path) -> Iterator[None]:
    order = {"place": asdict(place), "board": str(board), "group": 0, "pause": 0.02}
    command = [sys.executable, "-m", "tests.freshness.floor.writer", json.dumps(order)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL) as writer:
        try:
            yield
        finally:
            Board(board).stop()
            writer.wait(60)


class _Tasks:
    """Tasks that hold what they read against the floor, each on any of the connections, some of them cancelled."""

    def __init__(self, place: Place, board: Board) -> None:
        self._place = place
        self._board = board
        self._deadline = time.monotonic() + SECONDS
        self.reads = self.hits = 0
        self.stale: list[Any] = []

    async def run(self) -> None:
        options = {"isolation_level": None} if self._place.is_sqlite else {"autocommit": True}
        async with AsyncExitStack() as stack:
            opened = [aio.connect(self._place.target, config=CONFIG, **options) for _ in range(CONNECTIONS)]
            connections = [await stack.enter_async_context(each) for each in opened]
            await asyncio.gather(*(self._read(connections, random.Random(number)) for number in range(TASKS)))
            self.hits = connections[0].proxydb.stats().hits

    def _goes_on(self) -> bool:
        is_enough = self.reads >= READS and self._board.commits >= 10
        return not is_enough and not self.stale and time.monotonic() < self._deadline

    async def _read(self, connections: list[Any], chance: random.Random) -> None:
        while self._goes_on():
            self._board.tell_reads(self.reads)
            connection, question = chance.choice(connections), chance.choice(QUESTIONS)
            if chance.random() < 0.05:
                await self._cancelled(connection, question, chance)
            floor = self._board.floor(0)
            values = await self._ask(connection, question)
            self.reads += 1
            if not floor <= min(values) <= max(values) <= self._board.ceiling(0):
                self.stale.append((question, values, floor))

    async def _ask(self, connection: Any, question: str) -> tuple[int, ...]:
        cursor = await connection.execute(self._place.sql(question.format("item")), (0,))
        ((*values,),) = await cursor.fetchall()
        return tuple(map(int, values))

    async def _cancelled(self, connection: Any, question: str, chance: random.Random) -> None:
        task = asyncio.create_task(self._ask(connection, question))
        await asyncio.sleep(chance.random() * 0.002)
        task.cancel()
        await asyncio.wait([task])


def _verify(place: Place, directory: Path) -> None:
    place.make()
    board = Board(directory / "board")
    tasks = _Tasks(place, board)
    with _writer(place, directory / "board"):
        asyncio.run(tasks.run())
    assert (tasks.stale, tasks.hits >= tasks.reads / 3, board.commits >= 10) == ([], True, True), vars(tasks)


@pytest.mark.parametrize("journal", ["wal"])
def test_sqlite(tmp_path: Path, journal: str) -> None:
    """SQLite: what tasks read through shared connections is never stale."""
    _verify(Place("sqlite", str(empty_file(tmp_path / "tasks.db", journal))), tmp_path)


def test_postgres(postgres_dsn: str, tmp_path: Path) -> None:
    """Postgres: what tasks read through shared connections is never stale, although tasks are cancelled."""
    _verify(Place("postgresql", postgres_dsn), tmp_path)
