"""The suite itself is tested: each broken protocol, put in the real one's place, gives a stale read that is noticed."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.freshness.floor.places import Place
from tests.freshness.floor.trial import Trial
from tests.freshness.sqlite import broken, scenarios
from tests.freshness.sqlite.twins import Twins
from tests.freshness.stale import StaleRead
from tests.sqlite_files import empty_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CAUGHT_BY: dict[Any, Any] = {
    broken.label_after_data: scenarios.commit_after_the_rows,
    broken.own_data_version: scenarios.own_commit,
    broken.total_changes: scenarios.foreign_commit,
    broken.schema_version_only: scenarios.foreign_commit,
    broken.open_cursors_ignored: scenarios.unfinished_cursor,
    broken.repinning: scenarios.commit_between_pin_and_label,
    broken.pin_after_other_statements: scenarios.fixed_by_another_statement,
    broken.pin_by_one_label: scenarios.commit_between_pin_and_label,
    broken.step_without_own_version: scenarios.commit_beside_an_own_step,
    broken.steps_under_half_read_cursors: scenarios.commit_behind_an_own_step,
    broken.last_state_trusted: scenarios.returning_between_own_steps,
    broken.write_set_without_triggers: scenarios.trigger,
    broken.write_sets_ignored: scenarios.own_commit,
    broken.schema_generation_ignored: scenarios.new_trigger,
    broken.temporary_objects_ignored: scenarios.temporary_trigger,
    broken.dirty_transactions_served: scenarios.uncommitted,
    broken.key_without_types: scenarios.alike,
    broken.key_without_settings: scenarios.reversed_rows,
    broken.labels_that_start_again: scenarios.reopened_sentinel,
}
SCENARIOS = [
    *dict.fromkeys(CAUGHT_BY.values()),
    scenarios.column_added,
    scenarios.foreign_commit_between_own_steps,
    scenarios.own_commit_of_another_connection,
]
CAUGHT_BY_THE_CLOCK = {broken.label_after_data: 1, broken.own_data_version: 1, broken.total_changes: 0}
"""And how many writers go through the proxy: where one does, `total_changes` rises so far that nothing is served."""


@contextmanager
def _side(directory: Path) -> Iterator[Any]:
    twins = Twins(directory, "wal")
    try:
        yield twins.proxied
    finally:
        twins.close()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_protocol_withstands(scenario: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the real protocol nothing in the scenario is stale, and something in it was served."""
    with _side(tmp_path) as side:
        scenario(side, monkeypatch)
        assert side.db.proxydb.stats().hits > 0


@pytest.mark.parametrize("mutant", CAUGHT_BY, ids=lambda mutant: mutant.__name__)
def test_broken_protocol_is_caught(mutant: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the broken protocol the scenario finds a stale read."""
    mutant(monkeypatch)
    with _side(tmp_path) as side, pytest.raises(StaleRead):
        CAUGHT_BY[mutant](side, monkeypatch)


@pytest.mark.parametrize("mutant", CAUGHT_BY_THE_CLOCK, ids=lambda mutant: mutant.__name__)
def test_broken_protocol_is_caught_by_the_clock(mutant: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Readers and writers that know of no protocol find it out too."""
    mutant(monkeypatch)
    place = Place("sqlite", str(empty_file(tmp_path / "floor.db", "wal")), foreign=2, own=CAUGHT_BY_THE_CLOCK[mutant])
    trial = Trial(place, tmp_path / "board", readers=3, pause=0.005)
    report = trial.run(lambda report: report.stale > 0 or report.seconds > 20)
    assert report.stale > 0
