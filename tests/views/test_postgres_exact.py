"""Views on Postgres show what their queries give, after whatever changes by writers that know nothing of proxydb."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

from proxydb.views.postgres import engine
from tests.views.postgres_shop import VIEWS, change, change_in_transaction, differences

if TYPE_CHECKING:
    import psycopg
    import pytest

    from proxydb.views.api import Views

SEEDS, STEPS = 3, 60


def test_random_changes(
    walk_seed: int,
    walk_steps: int,
    postgres_plain: psycopg.Connection[Any],
    postgres_views: Views,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After each of many random changes every view holds the bag of rows that its query gives."""
    if walk_seed % 2:
        monkeypatch.setattr(engine, "MUCH", 0.0)  # refreshes compute all anew, whatever is logged
        postgres_plain.execute("ANALYZE")
    random, filled = Random(walk_seed), set()
    assert differences(postgres_plain) == []
    for step in range(walk_steps):
        (change_in_transaction if step % 3 == 0 else change)(postgres_plain, random)
        if step % 3 == 0:
            assert differences(postgres_plain) == []
        if step % 10 == 9:
            postgres_views.refresh(random.choice(list(VIEWS)))
        if step % 20 == 0:
            filled |= {name for name in VIEWS if postgres_plain.execute(f"SELECT 1 FROM {name}").fetchone()}
    assert walk_seed >= SEEDS or filled == set(VIEWS)
    for name in VIEWS:
        postgres_views.refresh(name)
    assert differences(postgres_plain) == []
    assert all(postgres_views.check(name).is_exact for name in VIEWS)
