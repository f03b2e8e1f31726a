"""What cannot be imported is refused with the place of the fault, and leaves nothing in the database."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

import proxydb.lake
from proxydb.lake import errors
from proxydb.lake.schema import DEFINITIONS
from tests.lake.real_tables import CHECKPOINT
from tests.lake.written_logs import METADATA, PROTOCOL, SCHEMA, add, commit_file, remove, write_commit, write_log

if TYPE_CHECKING:
    from pathlib import Path

    from proxydb.lake import Lake

TXN = {"txn": {"appId": "app", "version": 1}}
BROKEN_ACTIONS: dict[str, tuple[list[dict[str, Any]], int, str]] = {
    "an add without a path": ([{"add": {"size": 1}}], 1, "'path' has to be a string"),
    "a size in words": ([add("a"), add("b", size="ten")], 2, "'size' has to be an integer"),
    "a size beyond 64 bits": ([add("a", size=2**63)], 1, "'size' has to be an integer of 64 bits"),
    "statistics cut short": ([add("a", stats='{"numRecords":')], 1, "'stats' is not valid JSON"),
    "statistics that are a list": ([add("a", stats="[]")], 1, "'stats' has to be a JSON object"),
    "a partition value that is a number": ([add("a", partitionValues={"p": 1})], 1, "a map of strings"),
    "features that are no list": ([{"protocol": PROTOCOL["protocol"] | {"readerFeatures": "x"}}], 1, "a list"),
    "a schema cut short": ([{"metaData": METADATA["metaData"] | {"schemaString": "{"}}], 1, "'schemaString'"),
    "a flag in words": ([add("a", dataChange="yes")], 1, "'dataChange' has to be true or false"),
    "a vector without a place": ([add("a", deletionVector={"storageType": "u"})], 1, "'pathOrInlineDv'"),
    "a NUL in a path": ([add("a\0b")], 1, "'path' has to be a string without"),
    "an action that is no object": ([{"add": 5}], 1, "'add' is not a JSON object"),
    "two actions in a line": ([add("a") | remove("b")], 1, "one JSON object with one action"),
    "a file added twice": ([add("a"), add("a")], 2, "two actions for the same file a"),
    "a file added and removed": ([add("a"), remove("a")], 2, "two actions for the same file a"),
    "two versions of one application": ([TXN, TXN], 2, "two actions for the same txn app"),
    "two schemas": ([METADATA, METADATA], 2, "two actions for the same metaData"),
}


def _is_empty(lake: Lake) -> bool:
    """Whether no table of the lake holds a row."""
    tables = [definition.name for definition in DEFINITIONS if definition.name != "dl_schema_version"]
    return not any(lake.connection.execute(f"SELECT COUNT(*) FROM {name}").fetchone()[0] for name in tables)


@pytest.mark.parametrize("name", BROKEN_ACTIONS)
def test_a_broken_action_is_named(tmp_path: Path, sqlite_lake: Lake, name: str) -> None:
    """A broken action is refused with its file and line and what is wrong."""
    actions, line, problem = BROKEN_ACTIONS[name]
    table = write_log(tmp_path / "t", [], actions)
    with pytest.raises(errors.CorruptLog, match=problem) as caught:
        sqlite_lake.import_delta(table)
    assert (caught.value.file, caught.value.line) == (commit_file(table / "_delta_log", 1), line)


@pytest.mark.parametrize("name", ["a size in words", "a file added twice", "a NUL in a path"])
def test_nothing_of_a_broken_log_stays(tmp_path: Path, lake: Lake, name: str) -> None:
    """After a refusal the database is as it was."""
    files = [add(f"file-{number}") for number in range(5000)]
    with pytest.raises(errors.CorruptLog):
        lake.import_delta(write_log(tmp_path / "t", files, BROKEN_ACTIONS[name][0]))
    assert _is_empty(lake)


def test_a_truncated_line_is_named(tmp_path: Path, sqlite_lake: Lake) -> None:
    """A commit cut off within a line is refused with the number of the line."""
    table = write_log(tmp_path / "t", [add("a")], [add("b"), add("c")])
    file = commit_file(table / "_delta_log", 1)
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(errors.CorruptLog, match=r"00001\.json, line 2: not valid JSON"):
        sqlite_lake.import_delta(table)


def test_bytes_that_are_not_text_are_named(tmp_path: Path, sqlite_lake: Lake) -> None:
    """A commit overwritten with other bytes is refused."""
    table = write_log(tmp_path / "t", [add("a")])
    commit_file(table / "_delta_log", 0).write_bytes(b"\xff\xfe\x00garbage\n")
    with pytest.raises(errors.CorruptLog, match="line 1: not valid JSON"):
        sqlite_lake.import_delta(table)


def test_an_empty_commit_is_refused(tmp_path: Path, sqlite_lake: Lake) -> None:
    """A commit of no bytes is what an interrupted copy leaves."""
    table = write_log(tmp_path / "t", [add("a")], [add("b")])
    commit_file(table / "_delta_log", 1).write_bytes(b"")
    with pytest.raises(errors.CorruptLog, match="the file is empty"):
        sqlite_lake.import_delta(table)


def test_a_missing_commit_is_named(tmp_path: Path, sqlite_lake: Lake) -> None:
    """A hole that no checkpoint covers is refused with the name of the missing file."""
    table = write_log(tmp_path / "t", *([add(str(number))] for number in range(5)))
    commit_file(table / "_delta_log", 2).unlink()
    with pytest.raises(errors.MissingCommit, match=r"00002\.json: the commit is missing"):
        sqlite_lake.import_delta(table)


def test_a_log_that_ends_too_early_is_refused(own_table: Path, sqlite_lake: Lake) -> None:
    """A log whose _last_checkpoint points past its end has lost its newest files."""
    log = own_table / "_delta_log"
    for file in [*log.glob("*.checkpoint.parquet"), *(commit_file(log, v) for v in range(CHECKPOINT, 16))]:
        file.unlink()
    with pytest.raises(errors.MissingCommit, match="names a checkpoint at version 9, but the log ends at 8"):
        sqlite_lake.import_delta(own_table)


def test_a_history_without_schema_is_refused(tmp_path: Path, sqlite_lake: Lake) -> None:
    """Version 0 has to say what the table is."""
    log = tmp_path / "t" / "_delta_log"
    log.mkdir(parents=True)
    write_commit(log, 0, [PROTOCOL, add("a")])
    with pytest.raises(errors.CorruptLog, match="starts here without a 'metaData' action"):
        sqlite_lake.import_delta(tmp_path / "t")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"minReaderVersion": 4}, "needs Delta reader version 4"),
        ({"readerFeatures": ["deletionVectors", "timeMachine"]}, "does not know: timeMachine"),
        ({"readerFeatures": ["catalogManaged"]}, "does not know: catalogManaged"),
    ],
)
def test_an_unknown_reader_requirement_is_refused(
    tmp_path: Path, lake: Lake, change: dict[str, Any], problem: str
) -> None:
    """A table that asks for more than proxydb reads is refused with the place and the reason, and not imported."""
    newer = {"protocol": PROTOCOL["protocol"] | change}
    with pytest.raises(errors.UnsupportedTable, match=rf"00001\.json, line 2: .*{problem}"):
        lake.import_delta(write_log(tmp_path / "t", [add("a")], [add("b"), newer]))
    assert _is_empty(lake)


def test_unknown_actions_and_fields_are_ignored(tmp_path: Path, sqlite_lake: Lake) -> None:
    """What the protocol may add later without a new version is passed over."""
    table = sqlite_lake.import_delta(write_log(tmp_path / "t", [{"novelty": {}}, add("a", novelty=[1])]))
    assert [file.path for file in table.snapshot().files] == ["a"]


def test_a_taken_name_is_refused(tmp_path: Path, lake: Lake) -> None:
    """A second import under the same name is an error and changes nothing."""
    path = write_log(tmp_path / "t", [add("a")])
    lake.import_delta(path)
    with pytest.raises(errors.TableExists, match="has a table 't' already"):
        lake.import_delta(path)
    assert [table.name for table in lake.tables()] == ["t"]


def test_a_name_taken_meanwhile_is_refused(tmp_path: Path, postgres_dsn: str) -> None:
    """Of two imports of one name at the same time the one that commits later is refused."""
    path = write_log(tmp_path / "t", [add("a")])
    with proxydb.lake.open(postgres_dsn) as first, proxydb.lake.open(postgres_dsn) as second:
        first.connection.execute("BEGIN")
        first.import_delta(path)
        with ThreadPoolExecutor() as threads:
            waiting = threads.submit(second.import_delta, path)
            _wait_for_a_blocked_backend(postgres_dsn)
            first.connection.execute("COMMIT")
            with pytest.raises(errors.TableExists, match="has a table 't' already"):
                waiting.result(timeout=30)


def _wait_for_a_blocked_backend(dsn: str) -> None:
    blocked = "SELECT COUNT(*) FROM pg_stat_activity WHERE cardinality(pg_blocking_pids(pid)) > 0"
    with psycopg.connect(dsn, autocommit=True) as connection:
        while connection.execute(blocked).fetchone() == (0,):
            time.sleep(0.01)


def test_another_name_imports_again(tmp_path: Path, sqlite_lake: Lake) -> None:
    """The same log can be there twice under two names."""
    path = write_log(tmp_path / "t", [add("a")])
    assert [sqlite_lake.import_delta(path, name).name for name in (None, "again")] == ["t", "again"]


@pytest.mark.parametrize("make", [lambda path: path, lambda path: (path / "_delta_log").mkdir(parents=True)])
def test_a_directory_without_a_log_is_refused(tmp_path: Path, sqlite_lake: Lake, make: Any) -> None:
    """A path without a log, or with an empty one, is no Delta table."""
    make(tmp_path / "t")
    with pytest.raises(errors.NotADeltaTable, match="holds no Delta log"):
        sqlite_lake.import_delta(tmp_path / "t")


def test_a_remote_table_is_refused(sqlite_lake: Lake) -> None:
    """Only local directories are read, and the error says so."""
    with pytest.raises(errors.NotADeltaTable, match="not s3:// URLs"):
        sqlite_lake.import_delta("s3://bucket/table")


def test_a_file_url_is_a_path(tmp_path: Path, sqlite_lake: Lake) -> None:
    """A file:// URL names a local directory, percent-decoded."""
    path = write_log(tmp_path / "my table", [add("a")])
    assert sqlite_lake.import_delta(path.as_uri()).location == str(path)


def test_progress_counts_files(tmp_path: Path, sqlite_lake: Lake) -> None:
    """The callback is told after each log file how many of how many are done."""
    seen: list[tuple[int, int]] = []
    path = write_log(tmp_path / "t", [add("a")], [add("b")], [add("c")])
    sqlite_lake.import_delta(path, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_an_interrupted_import_leaves_nothing(tmp_path: Path, lake: Lake) -> None:
    """What the callback raises ends the import and undoes it."""
    path = write_log(tmp_path / "t", *([add(f"{version}-{number}") for number in range(3000)] for version in range(2)))

    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        lake.import_delta(path, progress=interrupt)
    assert _is_empty(lake)


DIES = """
import os, sys, proxydb.lake
lake = proxydb.lake.open(sys.argv[1])
lake.import_delta(sys.argv[2], progress=lambda done, total: os._exit(7))
"""


def test_a_killed_import_leaves_nothing(tmp_path: Path, target: str) -> None:
    """A process that dies in the middle of an import leaves an empty lake."""
    path = write_log(tmp_path / "t", *([add(f"{version}-{number}") for number in range(3000)] for version in range(2)))
    died = subprocess.run([sys.executable, "-c", DIES, target, str(path)], check=False)
    with proxydb.lake.open(target) as lake:
        assert (died.returncode, _is_empty(lake)) == (7, True)


def test_commit_times_come_from_the_commit(tmp_path: Path, lake: Lake) -> None:
    """The in-commit timestamp counts before the commitInfo's own, and the file's time is the last resort."""
    infos: list[dict[str, Any]] = [{"timestamp": 5, "inCommitTimestamp": 6}, {"timestamp": 7}]
    path = write_log(tmp_path / "t", *[[{"commitInfo": info}] for info in infos], [add("a")])
    lake.import_delta(path)
    written = commit_file(path / "_delta_log", 2).stat().st_mtime_ns // 1_000_000
    rows = lake.connection.execute("SELECT committed_at FROM dl_table_versions ORDER BY version").fetchall()
    assert [row[0] for row in rows] == [6, 7, written]


def test_statistics_that_no_database_stores_are_unknown(tmp_path: Path, lake: Lake) -> None:
    """A bound that is NaN or holds U+0000 is left out, the others stay."""
    stats = '{"numRecords":1,"minValues":{"x":NaN,"s":"a\\u0000b","y":1.5},"maxValues":{"x":-Infinity,"y":2.5}}'
    table = lake.import_delta(write_log(tmp_path / "t", [add("a", stats=stats)]))
    expected = {"numRecords": 1, "minValues": {"y": 1.5}, "maxValues": {"y": 2.5}}
    assert table.snapshot().files[0].stats == expected


def test_the_schema_is_parsed(tmp_path: Path, lake: Lake) -> None:
    """A snapshot's schema is the JSON of schemaString."""
    table = lake.import_delta(write_log(tmp_path / "t", [add("a")]))
    assert json.loads(json.dumps(table.snapshot().schema)) == SCHEMA
