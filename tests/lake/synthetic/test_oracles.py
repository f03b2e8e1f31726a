"""At hundreds of versions the lake says what the state machine knows, and what `deltalake` reads from the same log."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.lake.synthetic.conftest import POINTS

if TYPE_CHECKING:
    from pathlib import Path

    from proxydb.lake import File, Lake
    from proxydb.lake.synthetic import SyntheticTable
    from tests.lake.synthetic.conftest import Point

Loaded = tuple["Lake", dict[str, "SyntheticTable"]]
Read = dict["Point", tuple["File", ...]]


def test_there_are_hundreds_of_points() -> None:
    """The fleet is large enough for the other tests to mean something."""
    assert len(POINTS) >= 250


def test_the_truth_of_the_state_machine(loaded: Loaded, read_by_lake: Read) -> None:
    """Path, deletion vector, size, partition, statistics and version of each active file are those that were made."""
    _, tables = loaded
    wrong = [point for point in POINTS if _known(tables[point[0]], point[1]) != _told(read_by_lake[point])]
    assert wrong == []


def _known(table: SyntheticTable, version: int) -> list[tuple[Any, ...]]:
    return sorted(
        (file.path, file.vector_id, file.size, json.loads(file.partition.values), _parsed(file.stats), begin)
        for file, begin in table.active.at(version).values()
    )


def _parsed(stats: str | None) -> Any:
    return None if stats is None else json.loads(stats)


def _told(files: tuple[File, ...]) -> list[tuple[Any, ...]]:
    return [
        (file.path, file.deletion_vector_id, file.size, file.partition_values, file.stats, file.version)
        for file in files
    ]


def test_deltalake(read_by_lake: Read, read_by_deltalake: dict[Point, list[tuple[Any, ...]]]) -> None:
    """`deltalake` finds the same files, as many times, with the same sizes, times and numbers of records."""
    wrong = [point for point in POINTS if read_by_deltalake[point] != _as_deltalake(read_by_lake[point])]
    assert wrong == []


def _as_deltalake(files: tuple[File, ...]) -> list[tuple[Any, ...]]:
    return sorted(
        (file.path, file.size, file.modification_time, (file.stats or {}).get("numRecords")) for file in files
    )


def test_counts_by_the_operations(loaded: Loaded) -> None:
    """Count and bytes by SQL are those of the state machine at every point."""
    lake, tables = loaded
    known = {point: [file.size for file, _ in tables[point[0]].active.at(point[1]).values()] for point in POINTS}
    found = {point: lake.table(point[0]).totals(point[1]) for point in POINTS}
    assert found == {point: (len(sizes), sum(sizes)) for point, sizes in known.items()}


def test_bulk_loading_is_importing(loaded: Loaded, logs: Path, sqlite_lake: Lake) -> None:
    """Each table has the rows that importing its written log makes, to the last field."""
    lake, tables = loaded
    for name in tables:
        imported = sqlite_lake.import_delta(logs / name)
        for version in (0, imported.version // 2, imported.version):
            assert lake.table(name).snapshot(version) == imported.snapshot(version)
        assert lake.table(name).history(10_000) == imported.history(10_000)
        assert lake.table(name).changes(0) == imported.changes(0)
