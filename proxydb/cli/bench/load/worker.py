"""A process of the load test: clients and committers as threads, with connections of their own to both sides."""

from __future__ import annotations

import os
import pickle
import sys
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from random import Random
from threading import Barrier
from typing import TYPE_CHECKING, Any

import proxydb
import proxydb.lake
from proxydb import Config
from proxydb.cli.bench.load.board import STOPPED, Board
from proxydb.cli.bench.load.mix import requests
from proxydb.cli.bench.load.order import SIDES, Order, Told, slots
from proxydb.cli.bench.load.reader import Reader
from proxydb.cli.bench.load.writer import Writer
from proxydb.cli.plain_driver import AUTOCOMMIT, open_plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CONFIG = Config(cache_bytes=2**30, cache_entry_bytes=2**28, slow_ms=0)
BUSY_SECONDS = 30
REQUESTS = 5000
EXTERNAL_SHARE = 0.2
"""Commits past the proxy for each commit of the committers."""
_ORPHAN_CHECKED_EVERY = 1.0


def main() -> None:
    """Do what the order on the command line says: a line when ready, and at the end what there is to tell."""
    told = work(Order.from_json(sys.argv[1]), lambda: print("ready", flush=True))
    sys.stdout.buffer.write(pickle.dumps(told))


def work(order: Order, ready: Callable[[], object]) -> Told:
    """Let readers and writers run until the board says stop.

    Parameters
    ----------
    order
        What to do.
    ready
        Called when everybody waits for the first slot.

    Raises
    ------
    Exception
        Whatever a thread failed with; the board is then told to stop.
    """
    shift = _Shift(order)
    jobs = list(shift.jobs())
    started = Barrier(len(jobs) + 1)
    with proxydb.database(order.target, config=CONFIG) as database, ThreadPoolExecutor(len(jobs)) as pool:
        futures = [pool.submit(job, started) for job in jobs]
        shift.stop_with(futures, started, ready)
        stats = database.stats()
        told = Told(hits=stats.hits, misses=stats.misses)
    for future in futures:
        told.merge(future.result())
    return told


class _Shift:
    """The threads of one process."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._ranges = order.read_ranges()
        self._board = Board(Path(order.board), order.writers, len(self._ranges))
        self._slots = slots(order.turns)

    def jobs(self) -> Iterator[Callable[[Barrier], Told]]:
        """What each thread does."""
        order = self._order
        for number in range(order.first_reader, order.first_reader + order.readers):
            yield partial(self._read, number)
        for number in range(order.committers + order.external):
            yield partial(self._write, order.first_writer + number, number >= order.committers)

    def stop_with(self, futures: list[Future[Told]], started: Barrier, ready: Callable[[], object]) -> None:
        """Wait for all threads; when one fails, or the process that gave the order is gone, the others stop too."""
        parent = os.getppid()
        while started.n_waiting < len(futures):
            if wait(futures, timeout=0.01, return_when=FIRST_EXCEPTION).done:
                started.abort()
                break
        else:
            started.wait()
            ready()
        while wait(futures, timeout=_ORPHAN_CHECKED_EVERY, return_when=FIRST_EXCEPTION).not_done:
            if os.getppid() != parent or any(future.done() and future.exception() for future in futures):
                self._board.slot = STOPPED

    def _read(self, number: int, started: Barrier) -> Told:
        order = self._order
        asked = requests(
            Random(f"{order.seed} {number}"), order.system, self._ranges, REQUESTS, long_tail=order.long_tail
        )
        with ExitStack() as stack:
            connections = {side: stack.enter_context(closing(connect(order, side))) for side in SIDES}
            reader = Reader(number, order.clients, connections, asked, self._board, self._slots)
            started.wait()
            reader.run()
        return Told(counts=reader.counts, samples=reader.samples())

    def _write(self, number: int, external: bool, started: Barrier) -> Told:
        order = self._order
        rate = order.commits * (EXTERNAL_SHARE if external else 1 / max(1, order.writers - 1))
        with ExitStack() as stack:
            raw = stack.enter_context(closing(connect(order, "raw")))
            proxied = raw if external else stack.enter_context(closing(connect(order, "proxied")))
            tables = {side: proxydb.lake.open(used).tables() for side, used in zip(SIDES, (raw, proxied), strict=True)}
            writer = Writer(number, tables, rate, self._board, self._slots)
            started.wait()
            writer.run()
        return Told(counts=writer.counts)


def connect(order: Order, side: str) -> Any:
    """A connection in autocommit mode; on SQLite it waits long for locks, and does not wait for the disk."""
    if side == "raw":
        connection = open_plain(order.target)
    else:
        waiting = {"timeout": BUSY_SECONDS} if order.system == "sqlite" else {}
        connection = proxydb.connect(order.target, config=CONFIG, **AUTOCOMMIT[order.system], **waiting)
    if order.system == "sqlite":
        connection.execute("PRAGMA synchronous = NORMAL")
    return connection


if __name__ == "__main__":
    main()
