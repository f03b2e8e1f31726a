"""A trial: writers in other processes, writers and readers through the proxy, and what came of it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.freshness.floor.board import Board
from tests.freshness.floor.reader import Reader, connect
from tests.freshness.floor.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.freshness.floor.places import Place

ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Report:
    """What a trial has shown.

    Parameters
    ----------
    reads, hits
        Reads that were held against the floor, and how many were answered from memory.
    commits
        Commits that were acknowledged to all writers.
    stale
        Reads that the database could not have returned between the call and its return.
    seconds
        How long it took.
    violations
        The first of the stale reads, in words.
    """

    reads: int
    hits: int
    commits: int
    stale: int
    seconds: float
    violations: tuple[str, ...] = ()

    @property
    def hit_share(self) -> float:
        return self.hits / self.reads if self.reads else 0.0

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values."""
        rate = self.reads / self.seconds if self.seconds else 0.0
        return {**asdict(self), "hit_share": self.hit_share, "reads_per_second": rate}


class Trial:
    """Writers and readers on one database.

    Parameters
    ----------
    place
        The database, whose tables are made.
    board
        The file of the numbers that the processes share.
    readers
        How many threads read.
    pause
        Mean seconds between two transactions of a writer.
    awaited
        Whether the readers' connections are asynchronous.
    """

    def __init__(self, place: Place, board: Path, readers: int, pause: float, *, awaited: bool = False) -> None:
        self._place = place
        self._board_path = board
        self._board = Board(board)
        self._pause = pause
        self._readers = [Reader(place, self._board, number, awaited=awaited) for number in range(readers)]
        self._writers: list[subprocess.Popen[bytes]] = []
        self._own: list[threading.Thread] = []

    def run(self, enough: Callable[[Report], bool]) -> Report:
        """Let everybody work until `enough` says so of a report on the way.

        Raises
        ------
        RuntimeError
            A writer or a reader failed.
        """
        self._place.make()
        with closing(connect(self._place, implicit=False)) as keeper:
            database = keeper.proxydb
            try:
                self._start()
                started = time.perf_counter()
                while not enough(report := self._report(database, time.perf_counter() - started)):
                    self._check()
                    self._board.tell_reads(report.reads)
                    time.sleep(0.02)
                self._stop_readers()
                report = self._report(database, time.perf_counter() - started)
            finally:
                self._board.stop()
                self._stop_writers()
            self._check()
        return report

    def _start(self) -> None:
        for group in self._place.groups:
            if group < self._place.foreign:
                self._writers.append(self._start_foreign(group))
            else:
                self._own.append(threading.Thread(target=self._write, args=(group,), daemon=True))
        for thread in (*self._own, *self._readers):
            thread.start()

    def _start_foreign(self, group: int) -> subprocess.Popen[bytes]:
        order = {"place": asdict(self._place), "board": str(self._board_path), "group": group, "pause": self._pause}
        command = [sys.executable, "-m", "tests.freshness.floor.writer", json.dumps(order)]
        return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL)

    def _write(self, group: int) -> None:
        with closing(connect(self._place, implicit=not self._place.is_sqlite)) as connection:
            Writer(self._place, connection, self._board, group, self._pause).run()

    def _stop_readers(self) -> None:
        for reader in self._readers:
            reader.stopping = True
        for reader in self._readers:
            reader.join(60)

    def _stop_writers(self) -> None:
        self._stop_readers()
        for thread in self._own:
            thread.join(60)
        for writer in self._writers:
            writer.wait(60)

    def _check(self) -> None:
        for reader in self._readers:
            if reader.error is not None:
                raise RuntimeError(f"{reader.name} failed") from reader.error
        if failed := [writer.args for writer in self._writers if writer.poll()]:
            raise RuntimeError(f"writers failed: {failed}")

    def _report(self, database: Any, seconds: float) -> Report:
        violations = [violation for reader in self._readers for violation in reader.violations]
        return Report(
            reads=sum(reader.reads for reader in self._readers),
            hits=database.stats().hits,
            commits=self._board.commits,
            stale=len(violations),
            seconds=seconds,
            violations=tuple(violations[:10]),
        )
