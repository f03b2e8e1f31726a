"""The suite itself is tested: each broken protocol, in the real one's place, gives a wrong answer that is noticed."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

import proxydb.psycopg
from tests.driven import Loop
from tests.freshness.postgres import broken, scenarios
from tests.freshness.postgres.conftest import EMPTY
from tests.freshness.postgres.twins import SCHEMA, Side
from tests.freshness.stale import StaleRead

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.usefixtures("roles")

CAUGHT_BY: dict[Any, Any] = {
    broken.sequence: scenarios.commit_seen_too_early,
    broken.max_id: scenarios.commits_out_of_order,
    broken.max_xid: scenarios.commits_out_of_order,
    broken.oldest_running: scenarios.commit_behind_a_long_transaction,
    broken.notify: scenarios.late_notification,
    broken.label_after_data: scenarios.commit_after_the_rows,
    broken.own_writes_ignored: scenarios.uncommitted,
    broken.serializable_served: scenarios.write_skew,
    broken.key_without_role: scenarios.another_role,
    broken.key_without_search_path: scenarios.another_search_path,
    broken.key_without_float_digits: scenarios.other_digits,
    broken.key_without_types: scenarios.alike,
    broken.verdict_for_ever: scenarios.replaced_view,
}


@pytest.fixture
def side(emptied: tuple[str, str], awaited: bool) -> Iterator[Side]:
    """The proxied side, with the triggers that some broken protocols need."""
    with closing(Side(emptied[1], proxydb.psycopg, Loop() if awaited else None)) as side:
        side.beside.execute(EMPTY + SCHEMA + broken.LOG)
        yield side


@pytest.mark.parametrize("scenario", dict.fromkeys(CAUGHT_BY.values()), ids=lambda scenario: scenario.__name__)
def test_protocol_withstands(scenario: Any, side: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the real protocol no answer in the scenario is wrong, and some came from memory."""
    scenario(side, monkeypatch)
    assert side.db.proxydb.stats().hits > 0


@pytest.mark.parametrize("mutant", CAUGHT_BY, ids=lambda mutant: mutant.__name__)
def test_broken_protocol_is_caught(mutant: Any, side: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the broken protocol the scenario finds a wrong answer."""
    mutant(monkeypatch, side)
    with pytest.raises(StaleRead):
        CAUGHT_BY[mutant](side, monkeypatch)
