"""Everything that makes real logs hard occurs in a fleet of a few thousand actions."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from proxydb.lake.synthetic import Fleet
from tests.lake.synthetic.conftest import FLEET, MADE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxydb.lake.synthetic import SyntheticTable
    from proxydb.lake.synthetic.files import DataFile
    from proxydb.lake.synthetic.table import SyntheticCommit

History = list[tuple["SyntheticTable", list["SyntheticCommit"]]]


def commits(history: History) -> Iterator[SyntheticCommit]:
    """Every commit of every table."""
    return (commit for _, made in history for commit in made)


def added(history: History) -> Iterator[DataFile]:
    """The file of every add."""
    return (file for commit in commits(history) for file, _ in commit.adds)


def parsed(history: History) -> Iterator[dict[str, Any]]:
    """The statistics of every add that has some."""
    return (json.loads(file.stats) for file in added(history) if file.stats)


def test_the_number_of_actions(history: History) -> None:
    """A fleet has about as many file actions as asked for."""
    actions = sum(len(commit.adds) + len(commit.removes) for commit in commits(history))
    assert 0.7 < actions / FLEET.actions < 1.3


def test_sizes_follow_zipf() -> None:
    """Expected actions fall with the rank: the first table is planned ten times as large as the tenth."""
    planned = [plan.commits * plan.style.files_per_commit for plan in Fleet(1_000_000).plans]
    assert (len(planned), round(planned[0] / planned[9])) == (200, 10)


def test_files_per_commit_vary(history: History) -> None:
    """Appends add one file, or many."""
    sizes = {len(commit.adds) for commit in commits(history) if commit.info["operation"] == "WRITE"}
    assert (min(sizes), max(sizes) > 100) == (1, True)


def test_every_kind_of_commit(history: History) -> None:
    """All operations occur."""
    operations = Counter(commit.info["operation"] for commit in commits(history))
    assert operations.keys() == MADE


def test_missing_statistics(history: History) -> None:
    """Some files have none, most have some."""
    missing = [file.stats is None for file in added(history)]
    assert 0.01 < sum(missing) / len(missing) < 0.3


def test_special_partitions(history: History) -> None:
    """NULL and empty partition values, and values whose paths are percent-encoded twice over."""
    partitions = {file.partition for file in added(history)}
    values = {value for partition in partitions for value in json.loads(partition.values).values()}
    assert {None, "", "sp ace/ü%", "50% off?"} <= values
    assert any(partition.directory.endswith("region=sp%20ace%252F%C3%BC%2525/") for partition in partitions)


def test_deletion_vectors(history: History) -> None:
    """Files with a deletion vector in a file and inline, and a file whose vector was replaced by another."""
    vectors = {file.vector_id for file in added(history)}
    paths = Counter(file.path for file in {file.key: file for file in added(history) if file.vector}.values())
    assert ({vector[:1] for vector in vectors}, max(paths.values()) > 1) == ({"", "u", "i"}, True)


def test_added_again_without_a_remove(history: History) -> None:
    """The same logical file is added while it is active."""
    again = 0
    for _, made in history:
        active = set()
        for commit in made:
            active -= {file.key for file, _ in commit.removes}
            again += sum(file.key in active for file, _ in commit.adds)
            active |= {file.key for file, _ in commit.adds}
    assert again > 0


def test_a_restore_brings_files_back(history: History) -> None:
    """Some RESTORE adds files that had been removed, and removes files that had been added."""
    restores = [commit for commit in commits(history) if commit.info["operation"] == "RESTORE"]
    assert (any(commit.adds for commit in restores), any(commit.removes for commit in restores)) == (True, True)


def test_commits_at_the_same_time(history: History) -> None:
    """Time never runs back, and sometimes it stands still."""
    stamps = [[commit.timestamp for commit in made] for _, made in history]
    assert all(times == sorted(times) for times in stamps)
    assert any(len(set(times)) < len(times) for times in stamps)


def test_truncated_strings(history: History) -> None:
    """Some bounds are cut to 32 characters; a greatest one then ends in U+007F."""
    greatest = {found["maxValues"]["url"] for found in parsed(history)}
    assert {len(url) > 32 for url in greatest} == {True, False}
    assert {url[-1] for url in greatest if len(url) > 32} == {"\x7f"}


def test_nan_and_columns_of_nulls(history: History) -> None:
    """Some greatest amounts are NaN as Spark writes it, some columns have no bounds as all is NULL."""
    assert any(found["maxValues"]["amount"] == "NaN" for found in parsed(history))
    assert any(found["nullCount"]["country"] == found["numRecords"] for found in parsed(history))


def test_clustered_or_not(history: History) -> None:
    """The ids of one table's files are narrow ranges, those of another's overlap."""
    spans: dict[bool, list[int]] = {True: [], False: []}
    for table, made in history:
        for found in parsed([(table, made)]):
            spans[table.plan.style.clustered].append(found["maxValues"]["event_id"] - found["minValues"]["event_id"])
    assert max(spans[True]) <= 50_000 < max(spans[False])


def test_the_schema_evolves(history: History) -> None:
    """In some table a later schema has more columns than the first."""
    bodies = [[dict(commit.others).get("metaData") for commit in made] for _, made in history]
    counts = [[len(json.loads(body["schemaString"])["fields"]) for body in schemas if body] for schemas in bodies]
    assert any(numbers[-1] > numbers[0] for numbers in counts)


def test_equal_fleets_are_equal() -> None:
    """The same seed makes the same commits, another seed does not."""
    made = [[list(table.commits()) for table in Fleet(500, seed=n // 2).tables()] for n in range(3)]
    assert (made[0] == made[1], made[0] == made[2]) == (True, False)
