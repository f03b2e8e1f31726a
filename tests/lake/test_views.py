"""The lake's views say what its operations say, on synthetic tables with everything that makes logs hard."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

import proxydb.lake
from proxydb.errors import ProgrammingError
from proxydb.lake import OPERATIONS, reports
from proxydb.lake.snapshot import Protocol, file_of_row, parsed
from proxydb.lake.statement import bind, marker_names, render
from proxydb.lake.synthetic import Fleet, load_fleet
from proxydb.lake.views import Promoted, lake_views
from proxydb.sql.tokens import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxydb.lake import File, Lake, Table
    from proxydb.lake.ranges import ParameterRanges
    from tests.postgres_server import PostgresServer
    from tests.sqlite_files import SqliteFiles

SEEDS = (3, 8)
PROMOTED = (
    Promoted("partition", ("date",)),
    Promoted("min", ("event_id",), numeric=True),
    Promoted("max", ("event_id",), numeric=True),
    Promoted("min", ("event_time",)),
    Promoted("max", ("event_time",)),
    Promoted("nulls", ("event_id",)),
    Promoted("max", ("device", "build"), numeric=True),
)


@pytest.fixture(scope="module", params=SEEDS)
def viewed(system: SqliteFiles | PostgresServer, request: pytest.FixtureRequest) -> Iterator[Lake]:
    """A fleet in a lake on each system, with the views as the database itself computes them."""
    with system.fresh_database() as target, proxydb.lake.open(target, indexes="hand") as lake:
        load_fleet(lake, Fleet(2500, seed=request.param))
        lake.connection.execute("ANALYZE")
        for view in lake_views(lake.system, PROMOTED):
            lake.connection.execute(f"CREATE VIEW {view.name} AS {view.sql}")
        yield lake


def rows(lake: Lake, text: str, *parameters: Any) -> list[tuple[Any, ...]]:
    """The rows of a statement with ``?`` for its parameters."""
    marked = text if lake.system == "sqlite" else text.replace("?", "%s")
    return [tuple(row) for row in lake.connection.execute(marked, parameters).fetchall()]


def by_key(files: tuple[File, ...] | list[File]) -> list[File]:
    """Files in the order of a snapshot."""
    return sorted(files, key=lambda file: (file.path, file.deletion_vector_id))


def newest_actions(lake: Lake, table: Table) -> dict[tuple[str, str], tuple[Any, ...]]:
    """Logical file → version, kind, time and size of its newest action, found by a replay of the log."""
    actions = rows(
        lake,
        "SELECT version, 'add', path, dv_id, NULL, size_bytes FROM dl_add_files WHERE table_id = ? UNION ALL "
        "SELECT version, 'remove', path, dv_id, deletion_timestamp, size_bytes FROM dl_remove_files WHERE table_id = ?",
        *(table.table_id, table.table_id),
    )
    return {
        (path, dv_id): (version, kind, deleted, size)
        for version, kind, path, dv_id, deleted, size in sorted(actions, key=lambda action: action[0])
    }


def test_active_files_are_those_of_the_head(viewed: Lake) -> None:
    """For each table the files of the newest snapshot, whole."""
    text = """SELECT path, dv_id, size_bytes, partition_values, stats, modification_time, data_change, version, extra
        FROM active_files WHERE table_id = ?"""
    found = [by_key([file_of_row(row) for row in rows(viewed, text, table.table_id)]) for table in viewed.tables()]
    assert found == [list(table.files()) for table in viewed.tables()]


def test_tombstones_are_the_removes_that_stand(viewed: Lake) -> None:
    """For each table the logical files whose newest action is a remove."""
    text = "SELECT path, dv_id, version, deletion_timestamp, size_bytes FROM tombstones WHERE table_id = ?"
    for table in viewed.tables():
        newest = newest_actions(viewed, table).items()
        expected = {
            (*key, version, deleted, size) for key, (version, kind, deleted, size) in newest if kind == "remove"
        }
        found = rows(viewed, text, table.table_id)
        assert (len(found), set(found)) == (len(expected), expected)


def test_vacuum_candidates_come_from_tombstones(viewed: Lake) -> None:
    """Paths with tombstones and without an active file are what vacuum may delete."""
    text = """SELECT t.path, MAX(COALESCE(t.deletion_timestamp, 0)), MAX(t.size_bytes) FROM tombstones AS t
        WHERE t.table_id = ? AND NOT EXISTS (
          SELECT 1 FROM active_files AS f WHERE f.table_id = t.table_id AND f.path = t.path)
        GROUP BY t.path HAVING MAX(COALESCE(t.deletion_timestamp, 0)) < ?"""
    now = datetime(2040, 1, 1, tzinfo=UTC)
    for table in viewed.tables():
        found = rows(viewed, text, table.table_id, int(now.timestamp() * 1000))
        assert sorted(found) == sorted(map(tuple, table.vacuum_candidates(now)))


def test_spans_are_the_snapshots_of_every_version(viewed: Lake) -> None:
    """At each of some versions the files whose span includes it are the active ones."""
    text = """SELECT path, dv_id, size_bytes, begin_version FROM file_spans
        WHERE table_id = ? AND begin_version <= ? AND (end_version > ? OR end_version IS NULL)"""
    for table in viewed.tables():
        for version in sorted({0, table.version, *Random(5).choices(range(table.version + 1), k=8)}):
            expected = [(f.path, f.deletion_vector_id, f.size, f.version) for f in table.files(version)]
            assert sorted(rows(viewed, text, table.table_id, version, version)) == sorted(expected)


def test_transaction_heads_are_those_of_the_head(viewed: Lake) -> None:
    """For each table the newest version that each application recorded."""
    text = "SELECT app_id, txn_version FROM txn_heads WHERE table_id = ?"
    found = [rows(viewed, text, table.table_id) for table in viewed.tables()]
    expected = [table.snapshot().transactions for table in viewed.tables()]
    assert ([dict(each) for each in found], list(map(len, found))) == (expected, list(map(len, expected)))
    assert any(expected)


def test_partition_statistics_add_up(viewed: Lake) -> None:
    """The rows of a partition, in all its spellings, add up to its files and bytes."""
    for table in viewed.tables():
        found: dict[Any, Counter[str]] = defaultdict(Counter)
        names = table.metadata().partition_columns
        for text, files, size in rows(
            viewed, "SELECT partition_values, files, bytes FROM partition_stats WHERE table_id = ?", table.table_id
        ):
            values = parsed(text)
            found[tuple(values.get(name) or None for name in names)].update(files=files, bytes=size)
        expected = {tuple(each.values.values()): (each.files, each.bytes) for each in table.partitions()}
        assert {key: (counts["files"], counts["bytes"]) for key, counts in found.items()} == expected


def test_commit_statistics_count_each_version(viewed: Lake) -> None:
    """Files and bytes that each commit added and removed are those of its actions."""
    text = """SELECT version, files_added, bytes_added, files_removed, bytes_removed FROM commit_statistics
        WHERE table_id = ? AND version > 0 ORDER BY version"""
    for table in viewed.tables():
        counts: dict[int, list[int]] = {version: [0, 0, 0, 0] for version in range(1, table.version + 1)}
        for change in table.changes(0) if table.version else ():
            place = 0 if change.kind == "add" else 2
            counts[change.version][place] += 1
            counts[change.version][place + 1] += change.size or 0
        assert rows(viewed, text, table.table_id) == [(version, *values) for version, values in counts.items()]


def test_growth_comes_from_commit_statistics(viewed: Lake) -> None:
    """New files and bytes of the commits of a day are the growth of that day."""
    text = """SELECT committed_at / 86400000 AS day, CAST(SUM(new_files) AS BIGINT), CAST(SUM(new_bytes) AS BIGINT)
        FROM commit_statistics WHERE table_id = ? AND new_files > 0 GROUP BY committed_at / 86400000 ORDER BY day"""
    found = [tuple(map(reports.day_growth, rows(viewed, text, table.table_id))) for table in viewed.tables()]
    assert found == [table.growth() for table in viewed.tables()]


def test_table_metadata_is_that_of_the_head(viewed: Lake) -> None:
    """For each table head, metadata, protocol and totals, in one row."""
    text = """SELECT name, current_version, files, bytes, schema_json, partition_columns, table_properties, extra,
        min_reader_version, min_writer_version, reader_features, writer_features
        FROM table_metadata ORDER BY table_id"""
    found = [
        (*row[:2], reports.Totals(*row[2:4]), reports.metadata(row[4:8]), _protocol(row[8:]))
        for row in rows(viewed, text)
    ]
    expected = [
        (table.name, table.version, table.totals(), table.metadata(), table.protocol()) for table in viewed.tables()
    ]
    assert found == expected


def _protocol(row: tuple[Any, ...]) -> Protocol:
    return Protocol(*row[:2], *(tuple(parsed(features)) for features in row[2:]))


_ON_COLUMNS: dict[str, str] = {
    "08": "partition_date = :partition",
    "09": "partition_date BETWEEN :low AND :high",
    "10": "(min_event_id IS NULL OR min_event_id <= :number) AND (max_event_id IS NULL OR max_event_id >= :number)",
    "11": "(min_event_time IS NULL OR SUBSTR(min_event_time, 1, 19) <= :time_high) "
    "AND (max_event_time IS NULL OR SUBSTR(max_event_time, 1, 19) >= :time_low)",
    "13": "(max_event_id IS NULL OR max_event_id >= :least)",
}


@pytest.mark.parametrize("number", _ON_COLUMNS)
def test_promoted_columns_find_what_json_finds(viewed: Lake, number: str) -> None:
    """An operation has the same rows when it asks the promoted columns, NULL or not."""
    [operation] = [each for each in OPERATIONS if each.number == number]
    text = f"SELECT path, dv_id, size_bytes FROM active_files WHERE {_ON_COLUMNS[number]} AND table_id = :table_id"
    asked = 0
    for table in viewed.tables():
        ranges = table.parameter_ranges()
        if operation.applies(ranges) and _has_the_columns(ranges):
            drawn = operation.parameters(ranges, Random(5))
            expected = viewed.connection.execute(operation.statement(viewed.system, ranges), drawn).fetchall()
            parameters = _named(operation.sql, drawn, text)
            found = viewed.connection.execute(render(text, viewed.system), parameters).fetchall()
            assert sorted(found) == sorted(expected)
            asked += 1
    assert asked > 0


def _has_the_columns(ranges: ParameterRanges) -> bool:
    return (ranges.partition_column, ranges.statistics_column, ranges.timestamp_column) == (
        "date",
        "event_id",
        "event_time",
    )


def _named(sql: str, drawn: tuple[Any, ...], text: str) -> tuple[Any, ...]:
    """The parameters of `text`, which have the names and values of those of `sql`."""
    return bind(text, dict(zip(marker_names(sql), drawn, strict=True)))


@pytest.mark.parametrize("promoted", PROMOTED, ids=lambda each: each.name)
def test_promoted_columns_are_null_where_the_log_says_nothing(viewed: Lake, promoted: Promoted) -> None:
    """A column is NULL for as many files as the log has no value for, and not for all or for none."""
    values = [_value_of(file, promoted) for table in viewed.tables() for file in table.files()]
    found = rows(viewed, f"SELECT COUNT(*), COUNT({quoted(promoted.name)}) FROM active_files")
    known = sum(value is not None and value != "" for value in values)
    assert (found, 0 < known < len(values)) == ([(len(values), known)], True)


def _value_of(file: File, promoted: Promoted) -> Any:
    found: Any = file.partition_values
    if promoted.part != "partition":
        found = (file.stats or {}).get({"min": "minValues", "max": "maxValues", "nulls": "nullCount"}[promoted.part])
    for name in promoted.path:
        found = (found or {}).get(name)
    return found


@pytest.mark.parametrize("stats", ['{"maxValues": {"n": "many"}}', '{"maxValues": {"n": true}}', "{}"])
def test_a_number_of_another_type_is_null(lake: Lake, stats: str) -> None:
    """Statistics that are not what they should be break no writer, and are as if they were not there."""
    promoted = Promoted("max", ("n",), numeric=True)
    lake.connection.execute("CREATE TEMPORARY TABLE odd AS SELECT * FROM dl_add_files WHERE FALSE")
    lake.connection.execute(f"INSERT INTO odd (stats) VALUES ('{stats}')")
    found = rows(lake, f"SELECT {promoted.expression(lake.system)} FROM odd AS f")
    lake.connection.execute("DROP TABLE odd")
    assert found == [(None,)]


def test_an_empty_partition_value_is_null(lake: Lake) -> None:
    """As in Delta, the empty string stands for NULL."""
    source = '(SELECT CAST(\'{"p": ""}\' AS {json}) AS partition_values) AS f'
    text = f"SELECT {Promoted('partition', ('p',)).expression(lake.system)} FROM {source}"
    kind = "JSONB" if lake.system == "postgresql" else "TEXT"
    assert rows(lake, text.replace("{json}", kind)) == [(None,)]


CLASH = (Promoted("min", ("a", "b")), Promoted("min", ("A_b",)))


@pytest.mark.parametrize(
    ("promoted", "told"),
    [
        (CLASH, "two promoted columns are named min_a_b"),
        ((Promoted("max", ("x" * 60,)),), "cannot name a column"),
        ((Promoted("max", ('a"b',)),), "cannot name a column"),
    ],
    ids=["the same name", "too long", "a quote"],
)
def test_names_that_cannot_be_are_refused(promoted: tuple[Promoted, ...], told: str) -> None:
    """Two columns of one name, and names that a database would cut off or cannot spell."""
    with pytest.raises(ProgrammingError, match=told):
        lake_views("sqlite", promoted)
