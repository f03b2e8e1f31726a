"""A Django application's tests have the same outcomes and see the same values with our back ends as with Django's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.django.sample import ADMIT_ALL, Record, run, settings_for
from tests.sqlite_files import SqliteFiles

if TYPE_CHECKING:
    from pathlib import Path

    from tests.postgres_server import PostgresServer

ENGINES = {"raw": "django.db.backends", "proxied": "proxydb.django"}
POOL = {"pool": {"min_size": 1, "max_size": 4, "timeout": 60}, "server_side_binding": True}
WRITE_AHEAD = {"init_command": "PRAGMA synchronous = OFF; PRAGMA journal_mode = WAL"}


class Sides:
    """Runs checks with both back ends for a system, in databases of the same names."""

    def __init__(self, system: SqliteFiles | PostgresServer, directory: Path) -> None:
        self._settings = settings_for(system, directory)
        self._directory = directory
        self._kind = "sqlite3" if system.name == "sqlite" else "postgresql"

    def run(self, side: str, options: dict[str, Any], *arguments: str) -> Record:
        record = self._directory / f"{side}.json"
        record.unlink(missing_ok=True)
        given = options | ({"proxydb": ADMIT_ALL} if side == "proxied" else {})
        return run(self._settings, f"{ENGINES[side]}.{self._kind}", given, record, *arguments)


@pytest.fixture(scope="module")
def sides(system: SqliteFiles | PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Sides:
    """Both back ends for each system."""
    return Sides(system, tmp_path_factory.mktemp("django"))


@pytest.fixture(scope="module")
def raw(sides: Sides) -> Record:
    """What Django's own back end does."""
    return sides.run("raw", {}, "checks")


@pytest.fixture(scope="module")
def proxied(sides: Sides) -> Record:
    """What ours does, with everything admitted to the cache."""
    return sides.run("proxied", {}, "checks")


def test_outcomes(raw: Record, proxied: Record) -> None:
    """Each check has the same outcome, and nearly all of them pass."""
    assert raw.outcomes == proxied.outcomes
    assert list(raw.outcomes.values()).count("passed") > 100


def test_values(raw: Record, proxied: Record) -> None:
    """Each check sees the same values, to the last type."""
    assert raw.notes == proxied.notes
    assert len(raw.notes) > 90


def test_hits(proxied: Record) -> None:
    """Much of what the checks read comes from memory."""
    assert proxied.counters["hits"] > 500


def test_cloned_databases(sides: Sides, proxied: Record) -> None:
    """Checks that run in parallel, each process in a clone of the test database, have the same outcomes."""
    parallel = sides.run("proxied", {}, "--parallel", "2", "checks.check_transactions", "checks.check_schema")
    assert parallel.outcomes == {test: proxied.outcomes[test] for test in parallel.outcomes}
    assert len(parallel.outcomes) > 10


def test_pool(postgres_server: PostgresServer, tmp_path: Path) -> None:
    """Django's own pool and parameters that are sent beside the statement work as they do with the raw back end."""
    sides = Sides(postgres_server, tmp_path)
    raw, proxied = (sides.run(side, POOL, "checks.check_views", "checks.check_connections") for side in ENGINES)
    assert (raw.outcomes, raw.notes) == (proxied.outcomes, proxied.notes)
    assert proxied.counters["hits"] > 30


def test_write_ahead_log(tmp_path: Path) -> None:
    """In SQLite's other journal mode each check passes, and sees the same values."""
    sides = Sides(SqliteFiles(tmp_path), tmp_path)
    labels = "checks.check_freshness", "checks.check_transactions"
    raw, proxied = (sides.run(side, WRITE_AHEAD, *labels) for side in ENGINES)
    assert (raw.outcomes, raw.notes) == (proxied.outcomes, proxied.notes)
    assert proxied.counters["hits"] > 300
