"""A commit moves the head by compare-and-set and is there whole, or not at all."""

from __future__ import annotations

import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

import proxydb
import proxydb.lake
from proxydb.lake import Commit, errors
from tests.lake.written_logs import METADATA, PROTOCOL, SCHEMA, add, create, remove

if TYPE_CHECKING:
    from proxydb.lake import Lake

INFO = {"commitInfo": {"timestamp": 77, "userName": "ann", "operation": "WRITE", "engineInfo": "tests"}}


def txn(version: int, application: str = "app") -> dict[str, Any]:
    """A transaction of an application."""
    return {"txn": {"appId": application, "version": version, "lastUpdated": 5}}


def domain(name: str, removed: bool = False) -> dict[str, Any]:
    """Metadata of a domain."""
    return {"domainMetadata": {"domain": name, "configuration": "{}", "removed": removed}}


def test_a_new_table_has_version_0(lake: Lake) -> None:
    """create_table() writes its actions as version 0."""
    table = create(lake, add("a"))
    assert (table, table.version, [file.path for file in table.files()]) == (lake.table("t"), 0, ["a"])


@pytest.mark.parametrize(("kept", "missing"), [(PROTOCOL, "metaData"), (METADATA, "protocol")])
def test_version_0_says_what_the_table_is(sqlite_lake: Lake, kept: dict[str, Any], missing: str) -> None:
    """A table is not made without protocol or metaData, and nothing stays of the attempt."""
    with pytest.raises(errors.InvalidAction, match=f"has to hold a '{missing}' action"):
        sqlite_lake.create_table("t", "/data", [kept, add("a")])
    assert sqlite_lake.tables() == ()


def test_a_taken_name_is_refused(lake: Lake) -> None:
    """A second table of the same name is an error."""
    create(lake)
    with pytest.raises(errors.TableExists, match="has a table 't' already"):
        create(lake)


def test_a_commit_makes_the_next_version(lake: Lake) -> None:
    """Every kind of action is there at the new version, and not at the one before."""
    table = create(lake, add("a"))
    schema = SCHEMA | {"fields": []}
    metadata = {"metaData": METADATA["metaData"] | {"schemaString": '{"type":"struct","fields":[]}'}}
    actions = [INFO, remove("a"), add("b", "v" * 20), txn(3), domain("d"), metadata]
    assert lake.commit("t", actions, 0) == Commit(1)
    before, after = table.snapshot(0), table.snapshot(1)
    assert [file.path for file in before.files] == ["a"]
    assert [(file.path, file.deletion_vector_id) for file in after.files] == [("b", f"u{'v' * 20}@1")]
    assert (after.transactions, after.domain_metadata, after.schema) == ({"app": 3}, {"d": "{}"}, schema)


def test_a_commit_says_who_made_it(lake: Lake) -> None:
    """Time, committer and operation are those of commitInfo."""
    table = create(lake)
    table.commit([INFO, add("a")], 0)
    [entry] = table.history(1)
    assert (entry.version, entry.committed_at, entry.committer, entry.operation) == (1, 77, "ann", "WRITE")


def test_a_commit_without_a_time_is_made_now(lake: Lake) -> None:
    """Without commitInfo the commit has the time of its making."""
    table, begin = create(lake), time.time_ns() // 1_000_000
    table.commit([add("a")], 0)
    assert begin <= table.history(1)[0].committed_at <= time.time_ns() // 1_000_000


def test_the_loser_is_told_who_won(lake: Lake) -> None:
    """A commit to a version that exists is refused with the winner's version and who made it, and changes nothing."""
    table = create(lake)
    table.commit([INFO, add("a")], 0)
    table.commit([add("b")], 1)
    with pytest.raises(errors.CommitConflict, match=r"at version 2, not 0: version 1 .* by ann \(WRITE\)") as caught:
        table.commit([add("c")], 0)
    assert (caught.value.winner, caught.value.head, len(table.files())) == (1, 2, 2)


def test_a_version_from_the_future_is_refused(lake: Lake) -> None:
    """A commit after a version that does not exist yet is refused."""
    with pytest.raises(errors.UnknownVersion, match="is at version 0: 5 does not exist"):
        create(lake).commit([add("a")], 5)


def test_of_many_committers_one_wins_each_version(target: str) -> None:
    """Threads that commit to the same version: one wins, the others are told, and every version is one commit."""
    with proxydb.lake.open(target) as lake:
        create(lake)
    with ThreadPoolExecutor(4) as threads:
        won = list(threads.map(lambda name: _commit_until_conflict(target, name), "abcd"))
    with proxydb.lake.open(target) as lake:
        table = lake.table("t")
        assert (table.version, len(table.files())) == (sum(won), sum(won))
        assert [entry.version for entry in table.history(100)] == list(range(sum(won), -1, -1))


def _commit_until_conflict(target: str, name: str) -> int:
    """Ten attempts, each from the version just read; how many were won."""
    won = 0
    with proxydb.lake.open(target) as lake:
        table = lake.table("t")
        for number in range(10):
            try:
                table.commit([add(f"{name}{number}")], table.version)
                won += 1
            except errors.CommitConflict:
                pass
    return won


BROKEN: dict[str, tuple[list[Any], str]] = {
    "an unknown kind": ([add("a"), {"ad": {}}], "action 2: 'ad' is no kind of action: there are commitInfo, add, "),
    "no mapping": (["add"], "action 1: an action is a mapping with one key"),
    "two kinds": ([add("a") | remove("b")], "action 1: an action is a mapping with one key"),
    "no body": ([{"add": None}], "action 1: the body of 'add' has to be a mapping, not None"),
    "a size in words": ([add("a", size="ten")], "action 1: in the action 'add': 'size' has to be an integer"),
    "the same file twice": ([add("a"), remove("a")], "action 2: the commit holds two actions for the same file a"),
    "a vector without its feature": (
        [{"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}}, add("a", "v")],
        "lacks the writer feature 'deletionVectors'",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_action_is_refused(lake: Lake, name: str) -> None:
    """A broken action is named by its place, and nothing is committed."""
    table = create(lake)
    with pytest.raises(errors.InvalidAction, match=BROKEN[name][1]):
        table.commit(BROKEN[name][0], 0)
    assert (table.version, table.files(), len(table.history())) == (0, (), 1)


def test_an_unknown_reader_feature_is_refused(lake: Lake) -> None:
    """A protocol that proxydb could not read afterwards is not committed."""
    protocol = {"protocol": PROTOCOL["protocol"] | {"readerFeatures": ["timeMachine"]}}
    with pytest.raises(errors.UnsupportedTable, match=r"action 2: .* does not know: timeMachine"):
        create(lake).commit([add("a"), protocol], 0)


def test_an_append_only_table_keeps_its_rows(lake: Lake) -> None:
    """With delta.appendOnly rows cannot be removed, while files may be rearranged."""
    table = create(lake, add("a"), configuration={"delta.appendOnly": "true"})
    with pytest.raises(errors.InvalidAction, match="is append-only"):
        table.commit([remove("a")], 0)
    rearranged = {"remove": remove("a")["remove"] | {"dataChange": False}}
    assert table.commit([rearranged, add("b", dataChange=False)], 0) == Commit(1)


def test_a_transaction_is_committed_once(lake: Lake) -> None:
    """The same application transaction again writes nothing and gives the version that has it."""
    table = create(lake)
    table.commit([txn(5), add("a")], 0)
    table.commit([add("b")], 1)
    repeated = [table.commit([txn(number), add("c")], version) for number, version in ((5, 0), (4, 2), (5, 2))]
    assert (repeated, len(table.files())) == ([Commit(1, repeated=True)] * 3, 2)


def test_a_later_transaction_is_committed(lake: Lake) -> None:
    """Another version of the same application, or another application, is a new commit."""
    table = create(lake, txn(5))
    assert [table.commit([txn(6)], 0), table.commit([txn(5, "other")], 1)] == [Commit(1), Commit(2)]
    assert [table.transaction_version(name) for name in ("app", "other", "none")] == [6, 5, None]


def test_transactions_that_disagree_are_refused(lake: Lake) -> None:
    """One transaction that is recorded and one that is not cannot be in one commit."""
    table = create(lake, txn(5))
    with pytest.raises(errors.ConcurrentTransaction, match="that of 'app' is recorded already and others are not"):
        table.commit([txn(5), txn(1, "other")], 0)


def test_a_commit_joins_the_callers_transaction(target: str) -> None:
    """Inside the caller's transaction a commit is undone by its rollback, and a refused one leaves the rest alone."""
    with closing(proxydb.connect(target)) as connection:
        lake = proxydb.lake.open(connection)
        table = create(lake)
        connection.commit()
        connection.execute("BEGIN")
        table.commit([add("a")], 0)
        with pytest.raises(errors.CommitConflict):
            table.commit([add("b")], 0)
        assert table.version == 1
        connection.rollback()
        assert (table.version, table.files()) == (0, ())


def test_the_drivers_errors_pass(target: str) -> None:
    """What the database refuses is said in the driver's own words, and nothing stays."""
    with proxydb.lake.open(target) as lake:
        table = create(lake)
        lake.connection.execute("ALTER TABLE dl_add_files RENAME TO dl_add_files_away")
        with pytest.raises((sqlite3.OperationalError, psycopg.errors.UndefinedTable)):
            table.commit([add("a")], 0)
        assert table.version == 0


def test_a_cached_head_is_never_stale(target: str) -> None:
    """A lake on a proxied connection sees at once what another lake commits."""
    with proxydb.lake.open(target) as one, proxydb.lake.open(target) as other:
        table = create(one, add("a"))
        seen = other.table("t")
        for version in range(5):
            assert (seen.version, len(seen.files())) == (version, version + 1)
            table.commit([add(f"b{version}")], version)
