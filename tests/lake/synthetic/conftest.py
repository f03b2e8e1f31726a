"""A small fleet with every nuisance: as logs on disk, as `deltalake` reads them, and loaded into a lake."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable

import proxydb.lake
from proxydb.lake.synthetic import Fleet, SyntheticTable, load_fleet, write_log

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from proxydb.lake import File, Lake
    from proxydb.lake.synthetic.table import SyntheticCommit
    from tests.postgres_server import PostgresServer
    from tests.sqlite_files import SqliteFiles

FLEET = Fleet(5000, seed=3)
POINTS_PER_TABLE = 30
MADE = {
    "CREATE TABLE AS SELECT",
    "WRITE",
    "DELETE",
    "MERGE",
    "OPTIMIZE",
    "COMPUTE STATS",
    "RESTORE",
    "ADD COLUMNS",
    "CLUSTER BY",
}
"""Every operation that a history can name."""

Point = tuple[str, int]


def points() -> list[Point]:
    """Table and version: the first, the last, and some in between."""
    rng = Random(0)
    found = []
    for plan in FLEET.plans:
        inner = range(1, plan.commits - 1)
        versions = {0, plan.commits - 1, *rng.sample(inner, min(len(inner), POINTS_PER_TABLE))}
        found += [(plan.name, version) for version in sorted(versions)]
    return found


POINTS = points()


@pytest.fixture(scope="session")
def history() -> list[tuple[SyntheticTable, list[SyntheticCommit]]]:
    """Every table of the fleet with its commits."""
    return [(table, list(table.commits())) for table in FLEET.tables()]


@pytest.fixture(scope="session")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory that holds a directory with a log for each table."""
    directory = tmp_path_factory.mktemp("fleet")
    for table in FLEET.tables():
        write_log(directory / table.plan.name, table)
    return directory


@pytest.fixture(scope="session")
def read_by_deltalake(logs: Path) -> dict[Point, list[tuple[Any, ...]]]:
    """What `deltalake` says at each of `POINTS`: path, size, time and records of each active file, sorted."""
    return {point: _files_by_deltalake(logs / point[0], point[1]) for point in POINTS}


def _files_by_deltalake(path: Path, version: int) -> list[tuple[Any, ...]]:
    adds = pa.RecordBatchReader.from_stream(DeltaTable(path, version=version).get_add_actions()).read_all()
    names = ("path", "size_bytes", "modification_time", "num_records")
    return sorted(zip(*(adds[name].to_pylist() for name in names), strict=True))


@pytest.fixture(scope="session")
def loaded(system: SqliteFiles | PostgresServer) -> Iterator[tuple[Lake, dict[str, SyntheticTable]]]:
    """The fleet in a lake on every system, and the tables by name; only to be read."""
    with system.fresh_database() as target, proxydb.lake.open(target) as lake:
        yield lake, {table.plan.name: table for table in load_fleet(lake, FLEET)}


@pytest.fixture(scope="session")
def read_by_lake(loaded: tuple[Lake, dict[str, SyntheticTable]]) -> dict[Point, tuple[File, ...]]:
    """What the lake says at each of `POINTS`."""
    lake, tables = loaded
    opened = {name: lake.table(name) for name in tables}
    return {(name, version): opened[name].files(version) for name, version in POINTS}
