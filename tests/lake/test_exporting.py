"""A log that was exported says what the lake says, and what the log said from which it came."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from proxydb.errors import MissingExtra
from proxydb.lake import errors, write_delta_log
from tests.lake.real_tables import CHECKPOINT, facts_by_deltalake
from tests.lake.test_commit import domain, txn
from tests.lake.written_logs import add, commit_file, create, remove

if TYPE_CHECKING:
    from pathlib import Path

    from proxydb.lake import Lake

HEAD, VERSIONS = 15, 150


def _history(path: Path) -> list[dict[str, Any]]:
    return DeltaTable(path).history()


def _lines(path: Path, version: int) -> list[dict[str, Any]]:
    return [json.loads(line) for line in commit_file(path / "_delta_log", version).read_text().splitlines()]


def test_deltalake_finds_the_original(real_table: Path, tmp_path: Path, lake: Lake) -> None:
    """At every version deltalake reads from the export what it reads from the table, and the same history."""
    lake.import_delta(real_table)
    copy = lake.export_delta("events", tmp_path / "copy")
    for version in range(HEAD + 1):
        assert facts_by_deltalake(copy, version) == facts_by_deltalake(real_table, version)
    assert _history(copy) == _history(real_table)


def test_deletion_vectors_are_kept(tmp_path: Path, lake: Lake) -> None:
    """A synthetic history with deletion vectors is the same for deltalake before and after."""
    path = write_delta_log(tmp_path / "t", commits=VERSIONS, files_per_commit=3)
    copy = lake.export_delta(lake.import_delta(path), tmp_path / "copy")
    assert _vectors(copy) == _vectors(path) != {}
    for version in (0, VERSIONS // 2, VERSIONS - 1):
        assert facts_by_deltalake(copy, version) == facts_by_deltalake(path, version)


def _vectors(path: Path) -> dict[tuple[int, str], Any]:
    """Version and path → the descriptor of the deletion vector that was added."""
    adds = [(version, line["add"]) for version in range(VERSIONS) for line in _lines(path, version) if "add" in line]
    return {(version, add["path"]): add["deletionVector"] for version, add in adds if "deletionVector" in add}


def test_an_export_can_be_imported(tmp_path: Path, lake: Lake) -> None:
    """What was exported and imported again is what it was: files with their descriptors, and everything else."""
    table = lake.import_delta(write_delta_log(tmp_path / "t", commits=VERSIONS, files_per_commit=3))
    again = lake.import_delta(lake.export_delta(table, tmp_path / "copy"), "again")
    assert [again.snapshot(version) for version in (20, VERSIONS - 1)] == [
        table.snapshot(version) for version in (20, VERSIONS - 1)
    ]
    assert (again.history(VERSIONS), again.metadata()) == (table.history(VERSIONS), table.metadata())


WHOLE: list[dict[str, Any]] = [
    {"commitInfo": {"timestamp": 5, "operation": "WRITE", "userName": "ann", "txnId": "x", "inCommitTimestamp": 7}},
    domain("d"),
    {"txn": {"appId": "a", "version": 1}},
    {"remove": remove("old")["remove"] | {"extendedFileMetadata": True, "partitionValues": {}, "size": 3}},
    add("d=%25/ü.parquet", "v", tags={"a": "b"}, baseRowId=5, defaultRowCommitVersion=1, stats='{"numRecords": 1}'),
    {"cdc": {"path": "_change_data/x", "partitionValues": {}, "size": 9, "dataChange": False, "tags": {"k": "v"}}},
]


def test_actions_come_back_whole(tmp_path: Path, lake: Lake) -> None:
    """Every field of an action is there again, those without a column of their own too."""
    create(lake, add("old")).commit(WHOLE, 0)
    assert _lines(lake.export_delta("t", tmp_path / "copy"), 1) == WHOLE


def test_a_table_made_here_is_a_delta_table(tmp_path: Path, lake: Lake) -> None:
    """A table that was made by commits can be opened, and written on, by deltalake."""
    schema = json.dumps(
        {"type": "struct", "fields": [{"name": "id", "type": "long", "nullable": True, "metadata": {}}]}
    )
    protocol = {"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}}
    metadata = {"metaData": {"schemaString": schema, "partitionColumns": [], "configuration": {}}}
    lake.create_table("t", tmp_path / "t", [protocol, metadata]).commit([txn(4)], 0)
    path = lake.export_delta("t", tmp_path / "t")
    write_deltalake(path, pa.table({"id": pa.array([1, 2], pa.int64())}), mode="append")
    written = DeltaTable(path)
    assert (written.version(), written.to_pyarrow_table().num_rows, written.transaction_version("app")) == (2, 2, 4)


@pytest.mark.parametrize("version", [CHECKPOINT, HEAD])
def test_a_history_from_a_checkpoint_stays_one(own_table: Path, tmp_path: Path, lake: Lake, version: int) -> None:
    """A history that began with a checkpoint is exported with one, and says the same from there on."""
    for early in range(CHECKPOINT):
        commit_file(own_table / "_delta_log", early).unlink()
    lake.import_delta(own_table)
    copy = lake.export_delta("events", tmp_path / "copy")
    assert facts_by_deltalake(copy, version) == facts_by_deltalake(own_table, version)
    assert lake.import_delta(copy).snapshot(version) == lake.table("events").snapshot(version)


def test_a_time_finds_the_same_version(real_table: Path, tmp_path: Path, sqlite_lake: Lake) -> None:
    """The files have the times of their commits, by which readers look for a version."""
    table = sqlite_lake.import_delta(real_table)
    copy = sqlite_lake.export_delta(table, tmp_path / "copy")
    times = [commit_file(copy / "_delta_log", version).stat().st_mtime_ns // 1_000_000 for version in range(HEAD + 1)]
    assert times[::-1] == [entry.committed_at for entry in table.history(HEAD + 1)]


def test_an_existing_log_is_left_alone(own_table: Path, sqlite_lake: Lake) -> None:
    """A directory that holds a log is refused, and nothing in it changes."""
    sqlite_lake.import_delta(own_table)
    before = sorted(own_table.rglob("*"))
    with pytest.raises(errors.LogExists, match="exists already: give a directory without a log"):
        sqlite_lake.export_delta("events", own_table)
    assert sorted(own_table.rglob("*")) == before


def test_a_log_that_appears_meanwhile_is_left_alone(tmp_path: Path, sqlite_lake: Lake) -> None:
    """Who is second notices at the end, and leaves nothing of its own."""
    create(sqlite_lake, add("a"))

    def appear(done: int, total: int) -> None:
        write_delta_log(tmp_path / "t", commits=1)

    with pytest.raises(errors.LogExists):
        sqlite_lake.export_delta("t", tmp_path / "t", progress=appear)
    assert os.listdir(tmp_path / "t") == ["_delta_log"]


def test_an_interrupted_export_leaves_nothing(tmp_path: Path, sqlite_lake: Lake) -> None:
    """What the callback raises ends the export and undoes it."""
    create(sqlite_lake, add("a")).commit([add("b")], 0)

    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sqlite_lake.export_delta("t", tmp_path / "t", progress=interrupt)
    assert os.listdir(tmp_path / "t") == []


def test_progress_counts_versions(tmp_path: Path, sqlite_lake: Lake) -> None:
    """The callback is told after each version how many of how many are done, over all batches."""
    table, seen = create(sqlite_lake), list[tuple[int, int]]()
    for version in range(299):
        table.commit([add(f"f{version}")], version)
    sqlite_lake.export_delta("t", tmp_path / "t", progress=lambda done, total: seen.append((done, total)))
    assert seen == [(done, 300) for done in range(1, 301)]


def test_a_vector_without_descriptor_is_refused(tmp_path: Path, sqlite_lake: Lake) -> None:
    """What an older proxydb imported without descriptors would be a log that nobody can read."""
    create(sqlite_lake, add("a", "v"))
    sqlite_lake.connection.execute("UPDATE dl_add_files SET extra = NULL")
    with pytest.raises(errors.UnsupportedTable, match=r"deletion vector of a was not kept .*: import the table again"):
        sqlite_lake.export_delta("t", tmp_path / "t")
    assert os.listdir(tmp_path / "t") == []


def test_a_checkpoint_needs_its_extra(
    own_table: Path, tmp_path: Path, sqlite_lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without pyarrow the error names the extra that has it."""
    for early in range(CHECKPOINT):
        commit_file(own_table / "_delta_log", early).unlink()
    sqlite_lake.import_delta(own_table)
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(MissingExtra, match=r"pip install 'proxydb\[lake\]'"):
        sqlite_lake.export_delta("events", tmp_path / "copy")


def test_a_remote_place_is_refused(sqlite_lake: Lake) -> None:
    """Only local directories are written to."""
    create(sqlite_lake)
    with pytest.raises(errors.NotADeltaTable, match="not s3:// URLs"):
        sqlite_lake.export_delta("t", "s3://bucket/t")
