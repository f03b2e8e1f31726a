"""Measures a commit of five adds: on the plain driver without and with indexes, and through proxydb."""

from __future__ import annotations

from itertools import count
from time import perf_counter
from typing import TYPE_CHECKING, Any

import proxydb.lake
from proxydb.cli.bench.lake.classes import CLASSES, COMMIT
from proxydb.cli.bench.lake.measured import Measured
from proxydb.cli.bench.lake.rounds import FEWEST_ROUNDS
from proxydb.cli.bench.lake.timing import timed

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxydb.cli.bench.lake.sides import Sides
    from proxydb.lake import Table

ADDS = 5
_MOST_ROUNDS = 400
_NUMBERS = count()


def measure_commits(system: str, sides: Sides, seconds: float) -> Measured:
    """Commit in turns to the largest table of each database, as `lake.commit` does it; every commit must be there.

    Raw and proxied commits go to the same database, so each finds the other's as a foreign one.
    """
    measured = Measured(system, COMMIT, f"{ADDS} adds", CLASSES[COMMIT], rows=ADDS)
    tables = {side: _largest(connection) for side, connection in (*sides.plain.items(), ("warm", sides.proxied))}
    started, heads = perf_counter(), {side: table.version for side, table in tables.items()}
    for number in range(_MOST_ROUNDS):
        for side, table in tables.items():
            measured.times.setdefault(side, []).append(timed(_commit(table), repeatable=False)[1])
        if number + 1 >= FEWEST_ROUNDS and perf_counter() - started > seconds:
            break
    measured.mismatches = _missing(tables, heads, number + 1)
    return measured


def _largest(connection: Any) -> Table:
    return proxydb.lake.open(connection).tables()[0]


def _commit(table: Table) -> Callable[[], object]:
    version, actions = table.version, [_add() for _ in range(ADDS)]
    return lambda: table.commit(actions, version)


def _add() -> dict[str, Any]:
    name, values = f"bench-{next(_NUMBERS)}.parquet", {"date": "2024-01-31"}
    stats = '{"numRecords":10,"minValues":{"event_id":1},"maxValues":{"event_id":2},"nullCount":{"event_id":0}}'
    add = {"path": name, "partitionValues": values, "size": 1024, "modificationTime": 0, "dataChange": True}
    return {"add": {**add, "stats": stats}}


def _missing(tables: dict[str, Table], heads: dict[str, int], rounds: int) -> set[str]:
    """The sides whose head is not where their commits, and those of others to the same database, lead."""
    expected = {"raw": 2 * rounds, "indexed": rounds, "warm": 2 * rounds}
    return {side for side, table in tables.items() if table.version != heads[side] + expected[side]}
