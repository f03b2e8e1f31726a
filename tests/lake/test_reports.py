"""What a table says of itself, beside its files: times, changes, partitions, tombstones."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from proxydb.errors import ProgrammingError
from proxydb.lake import Change, DayGrowth, FileAction, PartitionTotals, TableEntry, TableTotals, Totals, errors
from tests.lake.test_commit import domain
from tests.lake.written_logs import METADATA, PROTOCOL, add, create, remove

if TYPE_CHECKING:
    from proxydb.lake import Lake, Table

DAY = 86_400_000
FIELDS = [{"name": name, "type": "string", "nullable": True, "metadata": {}} for name in ("p", "q", "x")]
PARTITIONED = {
    "schemaString": json.dumps({"type": "struct", "fields": FIELDS}),
    "partitionColumns": ["p", "q"],
    "configuration": {"delta.appendOnly": "false"},
    "name": "named",
    "createdTime": 7,
}


def at(timestamp: int, **info: Any) -> dict[str, Any]:
    """A commitInfo of a time."""
    return {"commitInfo": {"timestamp": timestamp, **info}}


def removed_at(path: str, timestamp: int | None, dv: str = "") -> dict[str, Any]:
    """A remove of a file of 100 bytes with a deletion time."""
    return {"remove": remove(path, dv)["remove"] | {"deletionTimestamp": timestamp, "size": 100}}


@pytest.fixture
def timed(lake: Lake) -> Table:
    """A table whose versions 1 to 3 were committed at 1,000, 2,000 and 2,000 ms."""
    table = lake.create_table("t", "/t", [at(500), PROTOCOL, METADATA])
    for version, timestamp in enumerate((1000, 2000, 2000)):
        table.commit([at(timestamp), add(f"f{version}")], version)
    return table


@pytest.mark.parametrize(("timestamp", "version"), [(500, 0), (999, 0), (1000, 1), (1999, 1), (2000, 3), (10**15, 3)])
def test_a_time_names_a_version(timed: Table, timestamp: int, version: int) -> None:
    """The newest version committed at or before a time is the table at that time."""
    assert (timed.version_at(timestamp), timed.snapshot(timestamp=timestamp).version) == (version, version)


def test_a_time_may_be_a_datetime(timed: Table) -> None:
    """A datetime of any zone is a time."""
    zone = datetime(1970, 1, 1, tzinfo=UTC).astimezone().tzinfo
    assert timed.version_at(datetime.fromtimestamp(1.5, tz=zone)) == 1


def test_a_time_before_the_table_is_refused(timed: Table) -> None:
    """Before its first version there is no table, and the error says when that was."""
    with pytest.raises(errors.UnknownVersion, match=r"no version as old as 1970-.*00\.499.*: version 0 was .*00\.500"):
        timed.snapshot(timestamp=499)


def test_a_time_without_a_zone_is_refused(timed: Table) -> None:
    """A naive datetime could mean any hour."""
    with pytest.raises(ProgrammingError, match="has no time zone"):
        timed.version_at(datetime(2024, 1, 1))


def test_a_version_and_a_time_exclude_each_other(timed: Table) -> None:
    """Only one of the two can name the snapshot."""
    with pytest.raises(ProgrammingError, match="a version or a timestamp, not both"):
        timed.snapshot(1, timestamp=1000)


def test_history_is_newest_first(timed: Table) -> None:
    """history() gives the last versions with their times."""
    assert [(entry.version, entry.committed_at) for entry in timed.history(2)] == [(3, 2000), (2, 2000)]


def test_a_commit_is_described(lake: Lake) -> None:
    """Parameters, metrics and the flag of commitInfo are values of Python."""
    table = create(lake)
    info = {"operationParameters": {"mode": "Append"}, "operationMetrics": {"rows": "5"}, "isBlindAppend": True}
    table.commit([at(1, **info), add("a")], 0)
    [entry] = table.history(1)
    assert (entry.operation_parameters, entry.operation_metrics) == ({"mode": "Append"}, {"rows": "5"})
    assert (entry.is_blind_append, entry.operation) == (True, None)


def test_metadata_is_that_of_a_version(lake: Lake) -> None:
    """Schema, partition columns, properties and names follow the newest metaData up to the version."""
    table = create(lake)
    table.commit([{"metaData": METADATA["metaData"] | PARTITIONED}], 0)
    old, new = table.metadata(0), table.metadata()
    assert (old.partition_columns, old.name, old.properties) == ((), None, {})
    assert (new.partition_columns, new.name, new.created_time) == (("p", "q"), "named", 7)
    assert (new.properties, new.id, new) == (
        PARTITIONED["configuration"],
        METADATA["metaData"]["id"],
        table.metadata(1),
    )


def test_protocol_and_domains_are_those_of_a_version(lake: Lake) -> None:
    """Protocol and domain metadata follow their newest actions up to the version."""
    table = create(lake, domain("d"))
    protocol = {"protocol": PROTOCOL["protocol"] | {"writerFeatures": ["domainMetadata"]}}
    table.commit([domain("d", removed=True), protocol], 0)
    assert (table.domain_metadata(0), table.domain_metadata()) == ({"d": "{}"}, {})
    assert [len(table.protocol(version).writer_features) for version in (0, None)] == [2, 1]


def test_totals_count_active_files(lake: Lake) -> None:
    """Files and bytes at head and at a version; an empty table has none."""
    table = create(lake)
    table.commit([add("a"), add("b", size=11)], 0)
    table.commit([remove("a")], 1)
    assert [table.totals(version) for version in (0, 1, None)] == [Totals(0, 0), Totals(2, 111), Totals(1, 11)]


def test_changes_lie_between_two_versions(lake: Lake) -> None:
    """changes() has the actions after the first version up to the second, removes before adds."""
    table = create(lake, add("a"))
    table.commit([add("a", "v", dataChange=False), remove("a")], 0)
    table.commit([add("b")], 1)
    removed, added = Change(1, "remove", "a", "", None, True), Change(1, "add", "a", "uv@1", 100, False)
    assert table.changes(0, 1) == (removed, added)
    assert table.changes(0) == (removed, added, Change(2, "add", "b", "", 100, True))


def test_a_path_has_a_story(lake: Lake) -> None:
    """actions_of() has every add and remove of a path."""
    table = create(lake, add("a"), add("b"))
    table.commit([remove("a"), add("a", "v")], 0)
    assert table.actions_of("a") == (
        FileAction(0, "add", ""),
        FileAction(1, "add", "uv@1"),
        FileAction(1, "remove", ""),
    )


def _in_partition(path: str, p: str | None, q: str | None, size: int = 100) -> dict[str, Any]:
    return add(path, size=size, partitionValues={"p": p, "q": q})


def test_partitions_have_all_their_columns(lake: Lake) -> None:
    """Files are grouped by every partition column, where NULL and the empty string are one."""
    files = [_in_partition("a", "1", None, 5), _in_partition("b", "1", "", 6), _in_partition("c", "1", "x/ü%", 50)]
    table = create(lake, *files, **PARTITIONED)
    expected = (PartitionTotals({"p": "1", "q": "x/ü%"}, 1, 50), PartitionTotals({"p": "1", "q": None}, 2, 11))
    assert (table.partitions(), table.small_files(10)) == (expected, expected[1:])


def test_a_table_without_partitions_is_one(lake: Lake) -> None:
    """Without partition columns there is one group with no values."""
    assert create(lake, add("a")).partitions() == (PartitionTotals({}, 1, 100),)


def test_mapped_partition_columns_have_their_logical_names(lake: Lake) -> None:
    """With column mapping the log knows a partition column by its physical name, and users by its logical one."""
    mapped = {"name": "p", "type": "string", "nullable": True, "metadata": {"delta.columnMapping.physicalName": "c-1"}}
    schema = {"schemaString": json.dumps({"type": "struct", "fields": [mapped]}), "partitionColumns": ["p"]}
    table = create(lake, add("a", partitionValues={"c-1": "x"}), **schema)
    assert table.partitions() == (PartitionTotals({"p": "x"}, 1, 100),)


def test_growth_is_counted_by_day(lake: Lake) -> None:
    """New data counts on its UTC day; what was only rearranged does not."""
    table = lake.create_table("t", "/t", [at(DAY - 1), PROTOCOL, METADATA, add("a")])
    table.commit([at(DAY), add("b"), add("c", dataChange=False)], 0)
    assert table.growth() == (DayGrowth(date(1970, 1, 1), 1, 100), DayGrowth(date(1970, 1, 2), 1, 100))


def test_vacuum_spares_what_is_needed(lake: Lake) -> None:
    """Only data files whose last logical file went before the end of the retention may go."""
    table = create(lake, *map(add, ("gone", "young", "back", "marked", "timeless", "twice")))
    stamps = {"gone": 10, "young": 30, "back": 10, "marked": 10, "timeless": None, "twice": 10}
    removed = [removed_at(path, stamp) for path, stamp in stamps.items()]
    table.commit([*removed, add("marked", "v"), add("twice", "v")], 0)
    table.commit([add("back"), removed_at("twice", 30, "v")], 1)
    early = [(found.path, found.deleted_at, found.size) for found in table.vacuum_candidates(20)]
    assert early == [("gone", 10, 100), ("timeless", 0, 100)]
    late = table.vacuum_candidates(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=31))
    assert [found.path for found in late] == ["gone", "timeless", "twice", "young"]


def test_the_lake_lists_its_tables(lake: Lake) -> None:
    """listing() has the newest commit of each table, fleet() the largest tables first."""
    create(lake, add("a"), name="small")
    create(lake, add("a", size=500), name="large").commit([at(9, operation="WRITE"), add("b")], 0)
    assert lake.listing(1) == (TableEntry("large", "/data/large", 1, 9, "WRITE"),)
    assert lake.fleet() == (TableTotals("large", 2, 600), TableTotals("small", 1, 100))
