"""A lake of an older proxydb becomes what a new one is, and keeps what it holds."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

import proxydb
import proxydb.lake
from proxydb.errors import ConfigError
from proxydb.lake.migrations import STEPS
from proxydb.lake.schema import DEFINITIONS, INDEXES, SCHEMA_VERSION

if TYPE_CHECKING:
    from typing import Any

    from proxydb.lake import Lake

# What schema version 1 lacked.
NEWER_COLUMNS = dict.fromkeys(("dl_table_versions", "dl_add_files", "dl_remove_files", "dl_metadata_updates"), "extra")
NEWER_TABLES = ("dl_cdc_files",)


@pytest.fixture
def old_target(target: str) -> str:
    """A database with a lake as schema version 1 made it, with one file."""
    with proxydb.lake.open(target) as lake:
        for name in NEWER_TABLES:
            lake.connection.execute(f"DROP TABLE {name}")
        for name, column in NEWER_COLUMNS.items():
            lake.connection.execute(f"ALTER TABLE {name} DROP COLUMN {column}")
        lake.connection.execute("UPDATE dl_schema_version SET version = 1")
        lake.connection.execute("INSERT INTO dl_add_files VALUES (1, 0, 'a', '', 5, '{}', NULL, 1, true)")
    return target


def columns(connection: Any, name: str) -> list[tuple[str, str]]:
    """The columns of a table with their types, by the driver."""
    cursor = connection.execute(f"SELECT * FROM {name}")
    return [(column[0], str(column[1])) for column in cursor.description]


def test_an_old_lake_is_brought_up_to_date(old_target: str, target: str) -> None:
    """Opening it adds what is missing, in the place where a new lake has it, and says so in the version row."""
    with proxydb.lake.open(old_target) as lake:
        found = {table.name: [name for name, _ in columns(lake.connection, table.name)] for table in DEFINITIONS}
        versions = [tuple(row) for row in lake.connection.execute("SELECT * FROM dl_schema_version").fetchall()]
    assert (found, versions) == ({table.name: list(table.columns) for table in DEFINITIONS}, [(SCHEMA_VERSION,)])


def test_what_an_old_lake_holds_stays(old_target: str) -> None:
    """The rows are there afterwards, with nothing in the new columns."""
    with proxydb.lake.open(old_target) as lake:
        rows = lake.connection.execute("SELECT path, size_bytes, extra FROM dl_add_files").fetchall()
    assert [tuple(row) for row in rows] == [("a", 5, None)]


def test_processes_may_migrate_at_once(old_target: str) -> None:
    """Several processes that open an old lake at the same time all succeed."""
    command = [sys.executable, "-c", "import sys, proxydb.lake; proxydb.lake.open(sys.argv[1]).close()", old_target]
    processes = [subprocess.Popen(command) for _ in range(4)]
    assert [process.wait(timeout=60) for process in processes] == [0] * 4


def test_every_version_has_a_step() -> None:
    """Each schema version after the first can be reached."""
    assert sorted(STEPS) == list(range(2, SCHEMA_VERSION + 1))


def index_names(lake: Lake) -> set[str]:
    """The names of the indexes on the lake's tables."""
    catalog = {
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'index'",
        "postgresql": "SELECT indexname FROM pg_indexes",
    }
    return {row[0] for row in lake.connection.execute(catalog[lake.system]).fetchall() if row[0].startswith("dl_")}


def test_indexes_come_and_go(target: str) -> None:
    """ "hand" makes the indexes, no option leaves them, "none" drops them; a new lake has none."""
    wanted = {index.name for index in INDEXES}
    found = []
    for indexes in (None, "hand", None, "hand", "none"):
        with proxydb.lake.open(target, indexes=indexes) as lake:
            found.append(index_names(lake) & wanted)
    assert found == [set(), wanted, wanted, wanted, set()]


def test_an_unknown_choice_of_indexes_is_refused(target: str) -> None:
    """Another word than these two is an error that names them, and opens nothing."""
    with pytest.raises(ConfigError, match="indexes is 'all': choose one of 'none', 'hand'"):
        proxydb.lake.open(target, indexes="all")  # type: ignore[arg-type]
    with closing(proxydb.connect(target)) as connection, pytest.raises(Exception, match="dl_tables"):
        connection.execute("SELECT * FROM dl_tables")
