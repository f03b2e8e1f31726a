"""The lake's list of tables and what it says about those it does not have."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import proxydb.lake
from proxydb.lake import errors
from tests.lake.written_logs import add, write_log

if TYPE_CHECKING:
    from pathlib import Path

    from proxydb.lake import Lake


def test_a_table_is_found_by_name(tmp_path: Path, lake: Lake) -> None:
    """table() gives what import_delta() gave."""
    imported = lake.import_delta(write_log(tmp_path / "events", [add("a")]))
    assert lake.table("events") == imported


def test_tables_are_listed_in_order(tmp_path: Path, lake: Lake) -> None:
    """tables() lists them in the order in which they came."""
    for name in ("second", "first"):
        lake.import_delta(write_log(tmp_path / name, [add("a")]))
    assert [table.name for table in lake.tables()] == ["second", "first"]


def test_near_names_are_offered(tmp_path: Path, sqlite_lake: Lake) -> None:
    """A misspelt name gets the names that are near."""
    for name in ("events", "orders"):
        sqlite_lake.import_delta(write_log(tmp_path / name, [add("a")]))
    with pytest.raises(errors.UnknownTable, match=r"no table 'evens'; there is 'events'$"):
        sqlite_lake.table("evens")


def test_an_empty_lake_says_so(sqlite_lake: Lake) -> None:
    """Where there is no table at all, the way to one is named."""
    with pytest.raises(errors.UnknownTable, match="it is empty, import_delta"):
        sqlite_lake.table("events")


@pytest.mark.parametrize("version", [-1, 2])
def test_an_unknown_version_names_the_range(tmp_path: Path, lake: Lake, version: int) -> None:
    """A version that does not exist gets the range of those that do."""
    table = lake.import_delta(write_log(tmp_path / "t", [add("a")], [add("b")]))
    with pytest.raises(errors.UnknownVersion, match=f"versions 0 to 1, not {version}"):
        table.snapshot(version)


def test_errors_are_those_of_pep_249() -> None:
    """Each error is caught by the PEP 249 class that callers catch already."""
    kinds = (errors.LogError, errors.UnsupportedTable, errors.SchemaTooNew, errors.UnknownTable, errors.TableExists)
    assert all(issubclass(kind, proxydb.errors.DatabaseError) for kind in kinds)
