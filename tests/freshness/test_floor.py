"""Nothing stale in the face of the clock: readers through the proxy against writers that never heard of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.freshness.floor.places import Place
from tests.freshness.floor.trial import Trial
from tests.sqlite_files import empty_file

if TYPE_CHECKING:
    from pathlib import Path

    from tests.freshness.floor.trial import Report

READS, COMMITS = 6000, 15
SERVED = 0.5
PAUSES = {False: 0.02, True: 0.05}
"""Mean seconds between two commits of a writer; event loops, which are the `True` ones, read less often."""

SECONDS = 40


def _try(place: Place, directory: Path, *, awaited: bool = False) -> Report:
    return Trial(place, directory / "board", readers=3, pause=PAUSES[awaited], awaited=awaited).run(_enough)


def _enough(report: Report) -> bool:
    tried = report.reads >= READS and report.commits >= COMMITS and report.hit_share >= SERVED
    return tried or report.seconds > SECONDS or bool(report.stale)


def _verify(report: Report) -> None:
    """No stale read, and at least half of them from memory, while commits came in."""
    assert (report.violations, report.hit_share >= SERVED, report.commits >= COMMITS) == ((), True, True), report


@pytest.mark.parametrize("journal", ["wal", "delete"])
@pytest.mark.parametrize("own", [0, 1], ids=["foreign writers", "own writer too"])
def test_sqlite(tmp_path: Path, journal: str, own: int) -> None:
    """SQLite: alone and in transactions no read is stale, whoever writes."""
    path = empty_file(tmp_path / "floor.db", journal)
    _verify(_try(Place("sqlite", str(path), foreign=2 - own, own=own), tmp_path))


@pytest.mark.parametrize("isolation", ["READ COMMITTED", "REPEATABLE READ"])
def test_postgres(postgres_dsn: str, tmp_path: Path, isolation: str) -> None:
    """Postgres: alone and in transactions no read is stale, at both levels of isolation."""
    _verify(_try(Place("postgresql", postgres_dsn, foreign=1, own=1, isolation=isolation), tmp_path))


def test_awaited_sqlite(tmp_path: Path) -> None:
    """SQLite in event loops of several threads: no read is stale."""
    path = empty_file(tmp_path / "floor.db", "wal")
    _verify(_try(Place("sqlite", str(path), foreign=1, own=1), tmp_path, awaited=True))


def test_awaited_postgres(postgres_dsn: str, tmp_path: Path) -> None:
    """Postgres in event loops of several threads: no read is stale."""
    _verify(_try(Place("postgresql", postgres_dsn, foreign=1, own=1), tmp_path, awaited=True))
