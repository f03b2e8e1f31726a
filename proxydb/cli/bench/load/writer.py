"""A committer: Poisson-distributed commits by compare-and-set, computed again when somebody else was faster."""

from __future__ import annotations

import json
import time
from random import Random
from typing import TYPE_CHECKING, Any

from proxydb.cli.bench.load.board import STOPPED
from proxydb.cli.bench.load.lock_errors import is_lock_error
from proxydb.cli.bench.load.mix import WRITES, Skew
from proxydb.cli.bench.load.order import Counts, Slot
from proxydb.lake.errors import CommitConflict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from proxydb.cli.bench.load.board import Board
    from proxydb.lake import Table

NAP = 0.002
_ADDS, _REWRITTEN, _OPTIMIZED, _BURST = 5, 3, 20, 3
Actions = list[dict[str, Any]]


class Writer:
    """A committer, which rewrites and removes only files of its own.

    Parameters
    ----------
    number
        Its number.
    tables
        For each side the tables of the lake, in the same order.
    rate
        Commits a second, on average.
    board, slots
        What is going on.
    """

    def __init__(
        self, number: int, tables: dict[str, tuple[Table, ...]], rate: float, board: Board, slots: Sequence[Slot]
    ) -> None:
        self._number = number
        self._tables = tables
        self._rate = rate
        self._board = board
        self._slots = slots
        self._rng = Random(f"writer {number}")
        self._skew = Skew(len(next(iter(tables.values()))))
        self._own: dict[int, list[str]] = {}
        self._made = 0
        self.counts = {(slot.side, slot.phase.name): Counts() for slot in slots}

    def run(self) -> None:
        """Commit until the board says stop."""
        next_commit = time.perf_counter()
        while (number := self._board.slot) != STOPPED:
            now = time.perf_counter()
            if number < 0 or now < next_commit:
                time.sleep(NAP)
                continue
            slot = self._slots[number]
            next_commit = max(next_commit, now - 1.0) + self._rng.expovariate(self._rate * slot.phase.writes)
            self._commit_some(slot)

    def _commit_some(self, slot: Slot) -> None:
        """One commit, or several in a row."""
        [kind] = self._rng.choices(list(WRITES), list(WRITES.values()))
        place = self._skew.choose(self._rng)
        for _ in range(_BURST if kind == "optimize" else 1):
            self.commit(slot, place, getattr(self, f"_{kind}"))

    def commit(
        self, slot: Slot, place: int, compute: Callable[[Table, int], tuple[Actions, list[str], list[str]]]
    ) -> None:
        """Commit to a table until it is done; `compute` gives the actions, and the paths that they add and remove."""
        counts, table = self.counts[slot.side, slot.phase.name], self._tables[slot.side][place]
        actions, added, removed = compute(table, place)
        while True:
            started = time.perf_counter_ns()
            try:
                expected = table.version
                self._board.intend(self._number, place, expected + 1)
                table.commit(actions, expected)
            except CommitConflict:
                counts.conflicts += 1
                continue
            except Exception as error:
                if not is_lock_error(error):
                    raise
                counts.lock_errors += 1
                return
            self._board.acknowledge(self._number, place, expected + 1)
            counts.commits.add(time.perf_counter_ns() - started)
            own = self._own.setdefault(place, [])
            self._own[place] = [path for path in own if path not in removed] + added
            return

    def _append(self, table: Table, place: int) -> tuple[Actions, list[str], list[str]]:
        adds = [self._add() for _ in range(_ADDS)]
        return [_info("WRITE"), *adds], _paths(adds), []

    def _rewrite(self, table: Table, place: int) -> tuple[Actions, list[str], list[str]]:
        old = self._own.get(place, [])[-_REWRITTEN:]
        adds = [self._add() for _ in old or range(1)]
        return [_info("MERGE"), *map(_remove, old), *adds], _paths(adds), old

    def _delete(self, table: Table, place: int) -> tuple[Actions, list[str], list[str]]:
        old = self._own.get(place, [])[:_REWRITTEN]
        return ([_info("DELETE"), *map(_remove, old)], [], old) if old else self._append(table, place)

    def _optimize(self, table: Table, place: int) -> tuple[Actions, list[str], list[str]]:
        """Files of its own become one; no row changes."""
        old = self._own.get(place, [])[:_OPTIMIZED]
        add = self._add(data_change=False)
        removes = [_remove(path, data_change=False) for path in old]
        return [_info("OPTIMIZE"), *removes, add], _paths([add]), old

    def _schema(self, table: Table, place: int) -> tuple[Actions, list[str], list[str]]:
        """Another property."""
        now = table.metadata()
        body = {
            "id": now.id,
            "format": {"provider": "parquet", "options": {}},
            "schemaString": json.dumps(now.schema),
            "partitionColumns": list(now.partition_columns),
            "configuration": {**now.properties, "changed.by": f"writer {self._number}, {self._made}"},
        }
        return [_info("SET TBLPROPERTIES"), {"metaData": body}], [], []

    def _add(self, *, data_change: bool = True) -> dict[str, Any]:
        self._made += 1
        first = self._rng.randrange(10**6)
        bounds = {
            "minValues": {"event_id": first},
            "maxValues": {"event_id": first + 999},
            "nullCount": {"event_id": 0},
        }
        body = {
            "path": f"load-{self._number}-{self._made}.parquet",
            "partitionValues": {"date": f"2024-02-{1 + self._made % 28:02}"},
            "size": 1024 + first,
            "modificationTime": time.time_ns() // 10**6,
            "dataChange": data_change,
            "stats": json.dumps({"numRecords": 1000, **bounds}),
        }
        return {"add": body}


def _remove(path: str, *, data_change: bool = True) -> dict[str, Any]:
    return {"remove": {"path": path, "deletionTimestamp": time.time_ns() // 10**6, "dataChange": data_change}}


def _info(operation: str) -> dict[str, Any]:
    return {"commitInfo": {"operation": operation, "userName": "load", "isBlindAppend": operation == "WRITE"}}


def _paths(adds: Actions) -> list[str]:
    return [add["add"]["path"] for add in adds]
