"""Delta's conflict rules: which commits may land on top of versions that they have not seen."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from proxydb.errors import ProgrammingError
from proxydb.lake import Commit, Reads, errors
from tests.lake.test_commit import domain, txn
from tests.lake.written_logs import METADATA, PROTOCOL, add, create, remove

if TYPE_CHECKING:
    from proxydb.lake import Lake

BLIND = {"commitInfo": {"operation": "WRITE", "isBlindAppend": True}}
REARRANGED = {"remove": remove("old")["remove"] | {"dataChange": False}}
KEPT = add("kept", dataChange=False)
ALL, OLD = Reads(whole_table=True), Reads(paths=["old"])
Actions = list[dict[str, Any]]

PASSES: dict[str, tuple[Actions, Actions, Reads]] = {
    "append against append": ([add("w")], [add("c")], Reads()),
    "append against delete": ([remove("old")], [add("c")], Reads()),
    "delete against append": ([add("w")], [remove("old")], OLD),
    "delete against delete of another file": ([remove("other")], [remove("old")], OLD),
    "a read of everything against a blind append": ([BLIND, add("w")], [remove("old"), add("c")], ALL),
    "rearranging against an append": (
        [add("w")],
        [REARRANGED, KEPT],
        OLD,
    ),
    "another application": ([txn(1, "other")], [txn(1)], Reads()),
    "another domain": ([domain("other")], [domain("mine")], Reads()),
}
FAILS: dict[str, tuple[Actions, Actions, Reads, type[errors.CommitConflict]]] = {
    "delete against the same delete": (
        [remove("old")],
        [remove("old")],
        Reads(),
        errors.ConcurrentDeleteDelete,
    ),
    "two vectors for one file": (
        [remove("old"), add("old", "w")],
        [remove("old"), add("old", "c")],
        Reads(),
        errors.ConcurrentDeleteDelete,
    ),
    "a file that was read is gone": ([remove("old")], [add("c")], OLD, errors.ConcurrentDeleteRead),
    "any file is gone for who read all": ([remove("other")], [add("c")], ALL, errors.ConcurrentDeleteRead),
    "new files for who read all": ([add("w")], [add("c")], ALL, errors.ConcurrentAppend),
    "a changed schema": ([METADATA], [add("c")], Reads(), errors.MetadataChanged),
    "a changed protocol": ([PROTOCOL], [add("c")], Reads(), errors.ProtocolChanged),
    "the same application": ([txn(1)], [txn(2)], Reads(), errors.ConcurrentTransaction),
    "an application that was read": ([txn(1)], [add("c")], Reads(applications=["app"]), errors.ConcurrentTransaction),
    "the same domain": ([domain("mine")], [domain("mine")], Reads(), errors.DomainMetadataChanged),
    "a new schema against a blind append": ([BLIND, add("w")], [METADATA], ALL, errors.ConcurrentAppend),
}


@pytest.mark.parametrize("name", PASSES)
def test_what_does_not_conflict_lands_on_top(lake: Lake, name: str) -> None:
    """The commit becomes the version after the winner's."""
    winner, actions, reads = PASSES[name]
    table = create(lake, add("old"), add("other"))
    table.commit(winner, 0)
    assert table.commit_rebased(actions, 0, reads=reads) == Commit(2)


@pytest.mark.parametrize("name", FAILS)
def test_what_conflicts_is_refused(lake: Lake, name: str) -> None:
    """The error says which rule and which version, and nothing is committed."""
    winner, actions, reads, kind = FAILS[name]
    table = create(lake, add("old"), add("other"))
    table.commit([txn(1, "harmless")], 0)
    table.commit(winner, 1)
    with pytest.raises(kind, match=r"ersion 2 .*: read version 2 and compute") as caught:
        table.commit_rebased(actions, 0, reads=reads)
    assert (type(caught.value), caught.value.winner, table.version) == (kind, 2, 2)


def _with_ids(path: str, low: int, high: int) -> dict[str, Any]:
    """An add of a file whose ids lie between two numbers."""
    bounds = {"minValues": {"id": low}, "maxValues": {"id": high}, "nullCount": {"id": 0}}
    return add(path, stats=json.dumps({"numRecords": 5, **bounds}))


WITH_PREDICATE: dict[str, tuple[Actions, type[errors.CommitConflict] | None]] = {
    "a file that cannot match": ([_with_ids("w", 50, 60)], None),
    "a file that may match": ([_with_ids("w", 5, 60)], errors.ConcurrentAppend),
    "a file of which nothing is known": ([add("w")], errors.ConcurrentAppend),
    "a removed file that could not match": ([remove("high")], None),
    "a removed file that could match": ([remove("low")], errors.ConcurrentDeleteRead),
}


@pytest.mark.parametrize("name", WITH_PREDICATE)
def test_a_predicate_tells_what_was_read(lake: Lake, name: str) -> None:
    """Who has read the rows of a predicate conflicts with files that may hold such rows, and with no others."""
    winner, kind = WITH_PREDICATE[name]
    table = create(lake, _with_ids("low", 0, 9), _with_ids("high", 90, 99))
    table.commit(winner, 0)
    reads = Reads(predicate="id < 10")
    if kind is None:
        assert table.commit_rebased([add("c")], 0, reads=reads) == Commit(2)
    else:
        with pytest.raises(kind):
            table.commit_rebased([add("c")], 0, reads=reads)


def test_the_level_decides_about_blind_appends(lake: Lake) -> None:
    """Serializable looks at blind appends, write-serializable does not, and a snapshot at no appends at all."""
    table = create(lake, add("old"))
    table.commit([BLIND, add("w")], 0)
    with pytest.raises(errors.ConcurrentAppend):
        table.commit_rebased([add("c")], 0, reads=ALL, isolation="serializable")
    assert table.commit_rebased([add("c")], 0, reads=ALL, isolation="write_serializable") == Commit(2)
    assert table.commit_rebased([add("d")], 0, reads=ALL, isolation="snapshot") == Commit(3)


def test_an_unknown_level_is_refused(lake: Lake) -> None:
    """A level that does not exist is an error that names those that do."""
    table = create(lake)
    table.commit([add("w")], 0)
    with pytest.raises(ProgrammingError, match="isolation is 'chaos': choose one of 'serializable', "):
        table.commit_rebased([add("c")], 0, isolation="chaos")  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["paths", "applications"])
def test_reads_are_collections(name: str) -> None:
    """One string would be read as its letters, so it is an error."""
    with pytest.raises(TypeError, match=f"{name} is a collection of strings"):
        Reads(**{name: "part-0.parquet"})


def test_the_level_is_the_tables_own(lake: Lake) -> None:
    """Without an argument the property delta.isolationLevel counts."""
    table = create(lake, configuration={"delta.isolationLevel": "Serializable"})
    table.commit([BLIND, add("w")], 0)
    with pytest.raises(errors.ConcurrentAppend):
        table.commit_rebased([add("c")], 0, reads=ALL)


def test_an_append_on_top_is_blind(lake: Lake) -> None:
    """A commit that only adds and has read nothing says so, another does not, and what the caller says stays."""
    table = create(lake, add("old"))
    table.commit_rebased([add("a")], 0)
    table.commit_rebased([add("b")], 1, reads=OLD)
    table.commit_rebased([add("c"), {"commitInfo": {"isBlindAppend": False}}], 2)
    assert [entry.is_blind_append for entry in table.history(3)] == [False, False, True]


def test_a_repeated_transaction_comes_before_conflicts(lake: Lake) -> None:
    """Who commits again what was committed gets its version, although it conflicts with itself."""
    table = create(lake, add("old"))
    first = table.commit_rebased([txn(1), remove("old")], 0)
    assert table.commit_rebased([txn(1), remove("old")], 0) == Commit(first.version, repeated=True)


def test_a_version_from_the_future_is_refused(lake: Lake) -> None:
    """What was never read cannot be built upon."""
    with pytest.raises(errors.UnknownVersion, match="is at version 0: 3 does not exist"):
        create(lake).commit_rebased([add("a")], 3)


def test_a_version_before_the_first_is_refused(lake: Lake) -> None:
    """What was never there was not read either."""
    with pytest.raises(errors.UnknownVersion, match="has no version -1: its history starts at 0"):
        create(lake).commit_rebased([add("a")], -1, reads=Reads(predicate="id = 1"))


def test_a_removed_table_is_said_to_be_gone(lake: Lake) -> None:
    """Without a head there is nothing to commit to."""
    table = create(lake)
    lake.connection.execute("DELETE FROM dl_table_heads")
    with pytest.raises(errors.UnknownTable, match="has been removed"):
        table.commit_rebased([add("a")], 0)
