"""Action reconciliation: the newest action for each (path, deletion vector) wins, and nothing else decides."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import proxydb.lake
from tests.lake.written_logs import add, remove, write_log

if TYPE_CHECKING:
    from pathlib import Path

    from proxydb.lake import Lake, Snapshot

DV = "0123456789abcdefghij"
OTHER_DV = "abcdefghij0123456789"
CASES: dict[str, list[list[dict[str, Any]]]] = {
    "a remove ends a file": [[add("a"), add("b")], [remove("a")]],
    "a file comes back": [[add("a")], [remove("a")], [add("a", size=7)]],
    "a file is added again without a remove": [[add("a")], [add("a", size=7, dataChange=False)]],
    "rows are deleted": [[add("a")], [remove("a"), add("a", DV)]],
    "rows are deleted twice": [[add("a")], [remove("a"), add("a", DV)], [remove("a", DV), add("a", OTHER_DV)]],
    "deleted rows are restored": [[add("a")], [remove("a"), add("a", DV)], [remove("a", DV), add("a")]],
    "the remove of another vector": [[add("a", DV)], [remove("a", OTHER_DV)]],
    "a remove of what never was": [[add("a")], [remove("b")]],
    "a remove and a later add in one log": [[add("a"), add("b")], [remove("b"), add("c")], [add("b"), remove("c")]],
}


def _keys(snapshot: Snapshot) -> list[tuple[str, str, int]]:
    return [(file.path, file.deletion_vector_id, file.size) for file in snapshot.files]


def _replayed(commits: list[list[dict[str, Any]]]) -> list[tuple[str, str, int]]:
    """The protocol's own words as a program: scan all file actions, keep the newest for each logical file."""
    newest: dict[tuple[str, str], tuple[str, dict[str, Any]]] = {}
    for actions in commits:
        for action in actions:
            [(kind, body)] = action.items()
            vector = body.get("deletionVector")
            newest[body["path"], f"u{vector['pathOrInlineDv']}@1" if vector else ""] = (kind, body)
    return sorted((*key, body["size"]) for key, (kind, body) in newest.items() if kind == "add")


@pytest.mark.parametrize("name", CASES)
def test_the_newest_action_wins(tmp_path: Path, lake: Lake, name: str) -> None:
    """The active files of a log at each version are those that a replay of its actions leaves."""
    table = lake.import_delta(write_log(tmp_path / "t", *CASES[name]))
    expected = [_replayed(CASES[name][: version + 1]) for version in range(len(CASES[name]))]
    assert expected == [_keys(table.snapshot(version)) for version in range(len(CASES[name]))]


@pytest.mark.parametrize("name", CASES)
def test_deltalake_counts_the_same_files(tmp_path: Path, sqlite_lake: Lake, name: str) -> None:
    """deltalake opens the same log and finds the same paths and sizes."""
    path = write_log(tmp_path / "t", *CASES[name])
    adds = pa.RecordBatchReader.from_stream(DeltaTable(path).get_add_actions()).read_all().to_pylist()
    expected = sorted((found["path"], found["size_bytes"]) for found in adds)
    assert expected == [(file.path, file.size) for file in sqlite_lake.import_delta(path).snapshot().files]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_random_logs_are_replayed(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    """Any sequence of adds and removes leaves what a replay leaves, at every version."""
    rng = random.Random(seed)
    commits = [_random_commit(rng) for _ in range(8)]
    path = write_log(tmp_path_factory.mktemp("random"), *commits)
    with proxydb.lake.open(":memory:") as lake:
        table = lake.import_delta(path, "t")
        assert [_replayed(commits[: n + 1]) for n in range(8)] == [_keys(table.snapshot(n)) for n in range(8)]


def _random_commit(rng: random.Random) -> list[dict[str, Any]]:
    """At most one action for each logical file, as the protocol has it."""
    logical_files = [(path, dv) for path in "abc" for dv in ("", DV, OTHER_DV)]
    chosen = rng.sample(logical_files, rng.randrange(1, 5))
    return [rng.choice((add, remove))(path, dv) for path, dv in chosen]


def test_the_newest_transaction_wins(tmp_path: Path, lake: Lake) -> None:
    """The last version that an application recorded counts, even when it is lower."""
    first = {"txn": {"appId": "app", "version": 9, "lastUpdated": 1}}
    table = lake.import_delta(write_log(tmp_path / "t", [first], [{"txn": {"appId": "app", "version": 4}}]))
    assert [table.snapshot(version).transactions for version in (0, 1)] == [{"app": 9}, {"app": 4}]


def test_a_removed_domain_is_gone(tmp_path: Path, lake: Lake) -> None:
    """Domain metadata follows its newest action, and a removed domain is not shown."""
    kept = {"domainMetadata": {"domain": "kept", "configuration": "{}", "removed": False}}
    gone = {"domainMetadata": {"domain": "gone", "configuration": "1", "removed": False}}
    tombstone = {"domainMetadata": {"domain": "gone", "configuration": "1", "removed": True}}
    table = lake.import_delta(write_log(tmp_path / "t", [kept, gone], [tombstone]))
    expected = [{"kept": "{}", "gone": "1"}, {"kept": "{}"}]
    assert expected == [table.snapshot(version).domain_metadata for version in (0, 1)]


def test_two_tables_do_not_mix(tmp_path: Path, lake: Lake) -> None:
    """Paths that two tables share are told apart."""
    first = lake.import_delta(write_log(tmp_path / "first", [add("a"), add("b")]))
    lake.import_delta(write_log(tmp_path / "second", [add("a")], [remove("a")]))
    assert [file.path for file in first.snapshot().files] == ["a", "b"]
