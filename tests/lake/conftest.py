"""Fixtures of the lake tests: an open lake on either database, and a real Delta table written once."""

from __future__ import annotations

import shutil
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

import proxydb.lake
from proxydb.cli.plain_driver import open_plain
from proxydb.lake.schema import DEFINITIONS
from tests.lake.real_tables import write_real_table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.postgres_server import PostgresServer
    from tests.sqlite_files import SqliteFiles


@pytest.fixture(scope="session")
def lake_database(system: SqliteFiles | PostgresServer) -> Iterator[str]:
    """A database for the lakes of all tests that do not touch its tables otherwise; a new one takes half a second."""
    with system.fresh_database() as target:
        yield target


@pytest.fixture
def lake(lake_database: str) -> Iterator[proxydb.lake.Lake]:
    """An empty lake, on SQLite and on Postgres."""
    try:
        with proxydb.lake.open(lake_database) as opened:
            yield opened
    finally:
        _empty(lake_database)


def _empty(target: str) -> None:
    """Remove every row."""
    with closing(open_plain(target)) as connection:
        connection.execute("BEGIN")
        for name in _FILLED:
            connection.execute(f"DELETE FROM {name}")
        connection.execute("COMMIT")


_FILLED = [definition.name for definition in DEFINITIONS if definition.name != "dl_schema_version"]


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
