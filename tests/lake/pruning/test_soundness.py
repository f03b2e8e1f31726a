"""No file that holds a row of the predicate is ever left out, by what the Parquet files hold."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import proxydb.lake
from proxydb.lake.pruning import prune
from proxydb.lake.pruning.parse import parse_predicate
from tests.lake.pruning.predicates import PREDICATES, is_true
from tests.lake.pruning.soundness import read_truth, write_random_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxydb.lake import PrunedFiles, Table
    from tests.lake.pruning.soundness import Truth

FILES = 24


@pytest.fixture(scope="module")
def case(system: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Table, Truth]]:
    """A table of many files in a lake on each system, and its rows."""
    path = write_random_table(tmp_path_factory.mktemp("sound") / "t", Random(11), FILES)
    with system.fresh_database() as target, proxydb.lake.open(target) as lake:  # type: ignore[attr-defined]
        yield lake.import_delta(path), read_truth(path)


def missed(table: Table, truth: Truth, predicate: str) -> set[str]:
    """The files that hold a row of a predicate by one of the oracles, and were left out."""
    kept = {file.path for file in table.prune_files(predicate).files}
    expression = parse_predicate(predicate)
    unordered = {row["file"] for row in truth.rows if is_true(expression, row)}
    return (truth.files(predicate) | unordered) - kept


def asked_closely(table: Table, predicate: str) -> PrunedFiles:
    """The result when each file that the database does not leave out is looked at again."""
    unsure = "CASE WHEN ({may_hold}) IS FALSE THEN 1 ELSE 3 END"
    with patch.multiple(prune, _ASKED_ONCE=unsure, _ASKED_TWICE=unsure):
        return table.prune_files(predicate)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(predicate=PREDICATES)
def test_no_file_with_a_row_is_left_out(case: tuple[Table, Truth], predicate: str) -> None:
    """Whatever the predicate, each file with a row for which it is true is kept."""
    assert missed(*case, predicate) == set()


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(predicate=PREDICATES)
def test_what_the_database_is_sure_of_is_so(case: tuple[Table, Truth], predicate: str) -> None:
    """Whatever the predicate, files and report are the same when the database is never taken to be sure."""
    table, _ = case
    assert table.prune_files(predicate) == asked_closely(table, predicate)


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32), predicates=st.lists(PREDICATES, min_size=15, max_size=15))
def test_no_file_of_a_random_table_is_left_out(
    tmp_path_factory: pytest.TempPathFactory, seed: int, predicates: list[str]
) -> None:
    """Whatever the table and the predicate, each file with a row for which it is true is kept."""
    path = write_random_table(tmp_path_factory.mktemp("random") / "t", Random(seed), 5)
    truth = read_truth(path)
    with proxydb.lake.open(":memory:") as lake:
        table = lake.import_delta(path)
        assert [missed(table, truth, predicate) for predicate in predicates] == [set()] * len(predicates)
