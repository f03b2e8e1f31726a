"""A client that reads: one request after the other, on the side and in the phase that the board says."""

from __future__ import annotations

import time
from random import Random
from typing import TYPE_CHECKING, Any

from proxydb.cli.bench.load.board import STOPPED
from proxydb.cli.bench.load.checks import REPLAYED, VERSION_TOLD, digest
from proxydb.cli.bench.load.lock_errors import is_lock_error
from proxydb.cli.bench.load.mix import PHASES
from proxydb.cli.bench.load.order import Counts, Sample, Slot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proxydb.cli.bench.load.board import Board
    from proxydb.cli.bench.load.mix import Request

NAP = 0.002
"""Seconds between two looks at the board while a client has nothing to do."""
SAMPLED_EVERY, SAMPLES = 40, 12
"""At first one read in so many is a sample; at most twice as many as the second number are held on each side."""


class Reader:
    """A client.

    Parameters
    ----------
    number, clients
        Its number, and how many clients there are: in some phases only the first of them ask.
    connections
        A connection for each side.
    requests
        What it asks for, over and over.
    board, slots
        What is going on.
    """

    def __init__(
        self,
        number: int,
        clients: int,
        connections: dict[str, Any],
        requests: Sequence[Request],
        board: Board,
        slots: Sequence[Slot],
    ) -> None:
        self._cursors = {side: connection.cursor() for side, connection in connections.items()}
        self._requests = requests
        self._board = board
        self._slots = slots
        self._rng = Random(number)
        self._asks = {phase.name: number < max(1, round(clients * phase.clients)) for phase in PHASES}
        self._kept: dict[str, list[tuple[Request, list[Any], int, int]]] = {slot.side: [] for slot in slots}
        self._sampled_every = SAMPLED_EVERY
        self._next = 0
        self.counts = {(slot.side, slot.phase.name): Counts() for slot in slots}

    def run(self) -> None:
        """Read until the board says stop."""
        while (number := self._board.slot) != STOPPED:
            if number < 0 or not self._asks[(slot := self._slots[number]).phase.name]:
                time.sleep(NAP)
                continue
            self.read(slot)
            if slot.phase.pause:
                time.sleep(self._rng.expovariate(1 / slot.phase.pause))

    def read(self, slot: Slot) -> None:
        """One request, timed and held against the floor."""
        request = self._requests[self._next % len(self._requests)]
        self._next += 1
        counts, cursor = self.counts[slot.side, slot.phase.name], self._cursors[slot.side]
        floor = self._board.floor(request.table)
        started = time.perf_counter_ns()
        try:
            rows = cursor.execute(request.sql, request.parameters).fetchall()
        except Exception as error:
            if not is_lock_error(error):
                raise
            counts.lock_errors += 1
            return
        counts.reads.add(time.perf_counter_ns() - started)
        self._check(slot, request, rows, floor, counts)

    def _check(self, slot: Slot, request: Request, rows: list[Any], floor: int, counts: Counts) -> None:
        """Hold the version against the floor, or put the rows aside; what takes time is done at the end."""
        if told := VERSION_TOLD.get(request.number):
            version, ceiling = told(rows), self._board.ceiling(request.table)
            counts.checked += 1
            if not floor <= version <= ceiling:
                asked = f"{slot.side} {request.number} of table {request.table}"
                counts.violations.append(f"{asked}: version {version}, not from {floor} to {ceiling}")
        elif request.number in REPLAYED and self._next % self._sampled_every == 0:
            self._keep(slot.side, request, rows, floor, self._board.ceiling(request.table))

    def _keep(self, side: str, request: Request, rows: list[Any], floor: int, ceiling: int) -> None:
        """Put a sample aside; when there are too many, every second goes, and from then on fewer come."""
        self._kept[side].append((request, rows, floor, ceiling))
        if len(self._kept[side]) == 2 * SAMPLES:
            del self._kept[side][::2]
            self._sampled_every *= 2

    def samples(self) -> list[Sample]:
        """Some of the reads of each side."""
        return [
            Sample(side, request.number, request.table, request.parameters, digest(rows), floor, ceiling)
            for side, kept in self._kept.items()
            for request, rows, floor, ceiling in kept
        ]
