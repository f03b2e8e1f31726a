"""Fixtures of the lake tests: an open lake on either database, and a real Delta table written once."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

import proxydb.lake
from tests.lake.real_tables import write_real_table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def lake(target: str) -> Iterator[proxydb.lake.Lake]:
    """An empty lake, on SQLite and on Postgres."""
    with proxydb.lake.open(target) as opened:
        yield opened


@pytest.fixture
def sqlite_lake() -> Iterator[proxydb.lake.Lake]:
    """An empty lake in memory, where the system makes no difference."""
    with proxydb.lake.open(":memory:") as opened:
        yield opened


@pytest.fixture(scope="session")
def real_table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real Delta table; only to be read."""
    return write_real_table(tmp_path_factory.mktemp("real") / "events")


@pytest.fixture
def own_table(real_table: Path, tmp_path: Path) -> Path:
    """A copy of the real table that a test may damage."""
    return shutil.copytree(real_table, tmp_path / "events")
