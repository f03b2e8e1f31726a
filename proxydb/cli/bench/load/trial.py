"""Runs the load test on one place: starts the processes, says what is going on, gathers, and asks samples again."""

from __future__ import annotations

import pickle
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

from proxydb.cli.bench.load.board import STOPPED, WAITING, Board
from proxydb.cli.bench.load.checks import replayed_wrongly
from proxydb.cli.bench.load.order import Order, Told, slots
from proxydb.cli.plain_driver import open_plain
from proxydb.errors import OperationalError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxydb.cli.bench.load.order import Slot
    from proxydb.cli.bench.places import Place
    from proxydb.cli.screen import Progress
    from proxydb.lake import ParameterRanges

_LOOKED_EVERY = 0.05
_LONGEST_STOP = 60


class Size(NamedTuple):
    """How much load there is.

    Parameters
    ----------
    seconds
        How long each side is asked.
    turns
        In how many turns, so that a disturbance meets both sides.
    processes, clients
        How many processes there are, and how many clients in all of them.
    writers
        Committers on the side that is asked; one more goes past the proxy, in a process of its own.
    commits
        How many commits a second they make together; the other makes a fifth as many.
    long_tail
        Whether hardly any read comes twice.
    seed
        Where chance starts.
    """

    seconds: float
    turns: int
    processes: int
    clients: int
    writers: int
    commits: float
    long_tail: bool
    seed: int


class Outcome(NamedTuple):
    """What a run gave.

    Parameters
    ----------
    told
        What the workers tell together.
    seconds
        How long each side was asked in each phase.
    replayed
        How many samples were asked again.
    """

    told: Told
    seconds: dict[tuple[str, str], float]
    replayed: int


class Trial:
    """A run on one place, which goes through it once.

    Parameters
    ----------
    place
        The databases; the one with indexes is used, by all sides.
    size
        How much load there is.
    progress
        Told of each slot.
    """

    def __init__(self, place: Place, size: Size, progress: Progress) -> None:
        self._place = place
        self._size = size
        self._progress = progress
        self._slots = slots(size.turns)
        self._seconds = {(slot.side, slot.phase.name): 0.0 for slot in self._slots}

    def run(self) -> tuple[Outcome, bool]:
        """The outcome, and whether it ran to its end; Ctrl-C ends it early.

        Raises
        ------
        proxydb.errors.OperationalError
            A process failed.
        """
        ranges = self._place.ranges()
        with TemporaryDirectory(prefix="proxydb-load-") as directory:
            (Path(directory) / "ranges").write_bytes(pickle.dumps(ranges))
            board = Board(Path(directory) / "board", self._size.writers + 1, len(ranges))
            board.slot = WAITING
            for table, found in enumerate(ranges):
                board.begin(table, found.versions[1])
            workers = [self._start(order) for order in self._orders(Path(directory))]
            try:
                complete = self._go_through(board, workers)
                told = _gathered(workers)
            finally:
                board.slot = STOPPED
                for worker in workers:
                    _end(worker)
        return Outcome(told, self._seconds, self._replay(told, ranges)), complete

    def _orders(self, directory: Path) -> Iterator[Order]:
        """One for each process, and one for the writer that goes past the proxy."""
        size, first_reader, first_writer = self._size, 0, 0
        for process in range(size.processes):
            readers = _part(size.clients, size.processes, process)
            committers = _part(size.writers, size.processes, process)
            yield self._order(directory, readers, committers, 0, first_reader, first_writer)
            first_reader, first_writer = first_reader + readers, first_writer + committers
        yield self._order(directory, 0, 0, 1, first_reader, first_writer)

    def _order(
        self, directory: Path, readers: int, committers: int, external: int, first_reader: int, first_writer: int
    ) -> Order:
        return Order(
            target=self._place.indexed,
            system=self._place.system,
            board=str(directory / "board"),
            ranges=str(directory / "ranges"),
            turns=self._size.turns,
            readers=readers,
            committers=committers,
            external=external,
            first_reader=first_reader,
            first_writer=first_writer,
            clients=self._size.clients,
            writers=self._size.writers + 1,
            commits=self._size.commits,
            long_tail=self._size.long_tail,
            seed=self._size.seed,
        )

    @staticmethod
    def _start(order: Order) -> subprocess.Popen[bytes]:
        """A process in a session of its own, so that Ctrl-C is this process's to handle."""
        command = [sys.executable, "-m", "proxydb.cli.bench.load.worker", order.to_json()]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, start_new_session=True)

    def _go_through(self, board: Board, workers: list[subprocess.Popen[bytes]]) -> bool:
        """Every slot for its time; False after Ctrl-C."""
        title = f"load on {self._place.system}"
        try:
            for worker in workers:
                assert worker.stdout is not None
                worker.stdout.readline()
            for number, slot in enumerate(self._slots):
                self._progress(title, number, len(self._slots))
                self._let_run(number, slot, board, workers)
            self._progress(title, len(self._slots), len(self._slots))
        except KeyboardInterrupt:
            return False
        finally:
            board.slot = STOPPED
        return True

    def _let_run(self, number: int, slot: Slot, board: Board, workers: list[subprocess.Popen[bytes]]) -> None:
        started = time.perf_counter()
        board.slot = number
        end = started + self._size.seconds / self._size.turns * slot.phase.share
        while (left := end - time.perf_counter()) > 0:
            if any(worker.poll() is not None for worker in workers):
                break  # gathering says why
            time.sleep(min(left, _LOOKED_EVERY))
        self._seconds[slot.side, slot.phase.name] += time.perf_counter() - started

    def _replay(self, told: Told, ranges: tuple[ParameterRanges, ...]) -> int:
        """Ask the samples again; how many that were."""
        with closing(open_plain(self._place.indexed)) as connection:
            for done, sample in enumerate(told.samples):
                self._progress(f"asking again on {self._place.system}", done, len(told.samples))
                wrong = replayed_wrongly(sample, connection, self._place.system, ranges[sample.table])
                if wrong:
                    steady = next(key for key in told.counts if key[0] == sample.side)
                    told.counts[steady].violations.append(wrong)
        return len(told.samples)


def _end(worker: subprocess.Popen[bytes]) -> None:
    """Leave nothing of a process, whatever state it is in."""
    worker.kill()
    worker.wait()
    for pipe in (worker.stdout, worker.stderr):
        if pipe:
            pipe.close()


def _part(whole: int, parts: int, number: int) -> int:
    """One part's share of a whole number, as even as can be."""
    return whole * (number + 1) // parts - whole * number // parts


def _gathered(workers: list[subprocess.Popen[bytes]]) -> Told:
    told = Told()
    for worker in workers:
        output, errors = worker.communicate(timeout=_LONGEST_STOP)
        if worker.returncode:
            last = errors.decode(errors="replace").strip().splitlines()[-1:]
            raise OperationalError(f"a process of the load test failed: {''.join(last)}")
        told.merge(pickle.loads(output))
    return told
