"""The numbered operations: right on both databases, and their parameters repeatable."""

from __future__ import annotations

import json
from collections import Counter
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from proxydb.lake import OPERATIONS, write_delta_log
from tests.lake.written_logs import METADATA, PROTOCOL, add, create, remove, write_commit, write_log

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from proxydb.lake import Lake, Operation, Snapshot, Table

BY_NUMBER = {operation.number: operation for operation in OPERATIONS}


def run(lake: Lake, table: Table, operation: Operation) -> list[tuple[Any, ...]]:
    """The rows of an operation with parameters of a fixed seed."""
    ranges = table.parameter_ranges()
    cursor = lake.connection.cursor()
    cursor.execute(operation.statement(lake.system, ranges), operation.parameters(ranges, Random(5)))
    return [tuple(row) for row in cursor.fetchall()]


def drawn(table: Table, number: str, position: int) -> Any:
    """A parameter of an operation, as `run` draws it."""
    return BY_NUMBER[number].parameters(table.parameter_ranges(), Random(5))[position]


@pytest.fixture
def table(tmp_path: Path, lake: Lake) -> Table:
    """A synthetic table of some hundred files."""
    return lake.import_delta(write_delta_log(tmp_path / "events", commits=60, files_per_commit=6, partitions=9))


def _per_day(head: Snapshot, threshold: float) -> dict[str | None, tuple[int, int]]:
    """Day → number and bytes of the files below a size."""
    small = [file for file in head.files if file.size < threshold]
    days = Counter(file.partition_values["date"] for file in small)
    sizes = {day: sum(file.size for file in small if file.partition_values["date"] == day) for day in days}
    return {day: (count, sizes[day]) for day, count in days.items()}


def _may_hold(head: Snapshot, value: int) -> set[tuple[str, str]]:
    """The files whose event ids may include a value, and those without statistics."""
    bounds = [(file.path, file.deletion_vector_id, file.stats) for file in head.files]
    return {
        (path, dv_id)
        for path, dv_id, stats in bounds
        if stats is None or stats["minValues"]["event_id"] <= value <= stats["maxValues"]["event_id"]
    }


def _of_day(head: Snapshot, day: str) -> set[tuple[str, str]]:
    """The files of a partition."""
    return {(file.path, file.deletion_vector_id) for file in head.files if file.partition_values["date"] == day}


def _within(head: Snapshot, low: str, high: str) -> set[tuple[str, str]]:
    """The files whose events may fall into a span of seconds, and those without statistics."""
    return {
        (file.path, file.deletion_vector_id)
        for file in head.files
        if file.stats is None
        or (file.stats["minValues"]["event_time"][:19] <= high and file.stats["maxValues"]["event_time"][:19] >= low)
    }


def _with_nulls(head: Snapshot) -> set[tuple[str, str]]:
    """The files with a country that is NULL, and those without statistics."""
    return {
        (file.path, file.deletion_vector_id)
        for file in head.files
        if file.stats is None or file.stats["nullCount"]["country"]
    }


def _gone(table: Table, head: Snapshot) -> set[tuple[str]]:
    """Every path that was ever removed and is not active."""
    removed = {change.path for change in table.changes(0) if change.kind == "remove"}
    return {(path,) for path in removed - {file.path for file in head.files}}


def _changes(table: Table, since: int) -> set[tuple[int, str, str]]:
    """Version, kind and path of each change after a version, from its own row."""
    kinds = {"add": "dl_add_files", "remove": "dl_remove_files"}
    rows = {kind: table.session.rows(f"SELECT version, path FROM {name}") for kind, name in kinds.items()}
    return {(version, kind, path) for kind in rows for version, path in rows[kind] if version > since}


EXPECTED: dict[str, Callable[[Table, Snapshot], Any]] = {
    "01": lambda table, head: [(59,)],
    "02": lambda table, head: {(file.path, file.deletion_vector_id) for file in head.files},
    "02n": lambda table, head: {(file.path, file.deletion_vector_id) for file in head.files},
    "03": lambda table, head: [(len(head.files), sum(file.size for file in head.files))],
    "04c": lambda table, head: [(len(table.snapshot(drawn(table, "04c", 1)).files),)],
    "08": lambda table, head: _of_day(head, drawn(table, "08", -1)),
    "10": lambda table, head: _may_hold(head, drawn(table, "10", -1)),
    "11": lambda table, head: _within(head, *(drawn(table, "11", position) for position in (-1, -2))),
    "12": lambda table, head: _with_nulls(head) & _of_day(head, drawn(table, "12", -1)),
    "13": lambda table, head: {(file.path, file.deletion_vector_id) for file in head.files},
    "16": lambda table, head: {(day, *sums) for day, sums in _per_day(head, 2**63).items()},
    "17": lambda table, head: [(head.transactions[drawn(table, "17", 1)],)],
    "18": lambda table, head: {
        (day, *sums) for day, sums in _per_day(head, drawn(table, "18", -1)).items() if sums[0] > 1
    },
    "20": _gone,
    "22": lambda table, head: _changes(table, drawn(table, "22", 1)),
    "24": lambda table, head: [("events", len(head.files), sum(file.size for file in head.files))],
}


def test_operations_agree_with_the_snapshot(lake: Lake, table: Table) -> None:
    """What an operation computes in SQL is what Python computes from the snapshot."""
    head = table.snapshot()
    for number, expected in EXPECTED.items():
        rows = run(lake, table, BY_NUMBER[number])
        wanted = expected(table, head)
        width = len(next(iter(wanted)))
        found: Any = [row[:width] for row in rows]
        assert (number, wanted) == (number, set(found) if isinstance(wanted, set) else found)


def test_every_operation_finds_something(lake: Lake, table: Table) -> None:
    """On a table that has everything no operation is empty."""
    assert [operation.number for operation in OPERATIONS if not run(lake, table, operation)] == []


def test_operations_run_on_a_table_without_anything(tmp_path: Path, lake: Lake) -> None:
    """No partitions, statistics, transactions or active files: each operation still runs."""
    table = lake.import_delta(write_log(tmp_path / "t", [add("a")], [remove("a")]))
    rows = {operation.number: run(lake, table, operation) for operation in OPERATIONS}
    assert (rows["01"], rows["02"], rows["03"]) == ([(1,)], [], [(0, 0)])


@pytest.mark.parametrize("number", ["08", "09", "12", "16", "18"])
def test_a_table_without_partitions_is_one_partition(lake: Lake, number: str) -> None:
    """What asks for partitions runs on a table without any: one group whose value is NULL, and no file of a value."""
    table = create(lake, add("a"), add("b", size=5))
    expected = {"16": [(None, 2, 105)], "18": [(None, 2, 105)]}
    assert run(lake, table, BY_NUMBER[number]) == expected.get(number, [])
    assert BY_NUMBER[number].applies(table.parameter_ranges()) is (number in ("16", "18"))


ODD_NAMES = ["it's 100% :odd?", 'quo"ted', "back\\slash", "a.b", "2024", "[0]", "$", "{partition}", "ü\t"]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_column_names_are_quoted(tmp_path: Path, lake: Lake, name: str) -> None:
    """A partition column of any name is found."""
    log = write_log(tmp_path / "t") / "_delta_log"
    _write_partitioned(log, name)
    table = lake.import_delta(tmp_path / "t")
    assert run(lake, table, BY_NUMBER["16"]) == [("x", 1, 100)]


def _write_partitioned(log: Path, name: str) -> None:
    schema = {"type": "struct", "fields": [{"name": name, "type": "string", "nullable": True, "metadata": {}}]}
    changes = {"partitionColumns": [name], "schemaString": json.dumps(schema)}
    metadata = {"metaData": METADATA["metaData"] | changes}
    write_commit(log, 0, [PROTOCOL, metadata, add("a", partitionValues={name: "x"})])


def test_parameters_repeat_with_the_seed(table: Table) -> None:
    """The same seed draws the same parameters, another seed others."""
    ranges = table.parameter_ranges()
    draws = [[operation.parameters(ranges, Random(seed)) for operation in OPERATIONS] for seed in (1, 1, 2)]
    assert (draws[0] == draws[1], draws[0] == draws[2]) == (True, False)


def test_numbers_are_unique_and_ordered() -> None:
    """Each operation has a number of its own, ascending."""
    numbers = [operation.number for operation in OPERATIONS]
    assert numbers == sorted(set(numbers))
