"""The two sides of a story, in both journal modes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.freshness.sqlite.twins import Twins

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(params=["wal", "delete"])
def journal(request: pytest.FixtureRequest) -> str:
    """SQLite's journal mode."""
    return request.param


@pytest.fixture
def twins(tmp_path: Path, journal: str) -> Iterator[Twins]:
    """A raw side and a proxied side with equal tables."""
    twins = Twins(tmp_path, journal)
    yield twins
    twins.close()
