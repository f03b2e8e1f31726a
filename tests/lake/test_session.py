"""Connections of either driver, opened here or by the caller, in any transaction mode."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg.rows import dict_row

import proxydb
from tests.lake.written_logs import add, write_log

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def delta_path(tmp_path: Path) -> Path:
    """A Delta table of one file."""
    return write_log(tmp_path / "t", [add("a")])


def test_a_callers_connection_stays_open(delta_path: Path, target: str) -> None:
    """Closing a lake does not close the connection that it was given."""
    with closing(proxydb.connect(target)) as connection:
        with proxydb.lake.open(connection) as lake:
            lake.import_delta(delta_path)
        assert connection.execute("SELECT COUNT(*) FROM dl_tables").fetchone()[0] == 1


def test_an_own_connection_is_closed(target: str) -> None:
    """Closing a lake closes the connection that it opened."""
    lake = proxydb.lake.open(target)
    lake.close()
    with pytest.raises((sqlite3.ProgrammingError, psycopg.OperationalError)):
        lake.tables()


def _is_committed(path: Path) -> bool:
    with closing(sqlite3.connect(path)) as beside:
        return bool(beside.execute("SELECT COUNT(*) FROM dl_tables").fetchone()[0])


@pytest.mark.parametrize("options", [{}, {"isolation_level": None}, {"isolation_level": "EXCLUSIVE"}])
def test_an_import_on_a_sqlite_connection_is_committed(
    delta_path: Path, sqlite_path: Path, options: dict[str, Any]
) -> None:
    """Whatever the isolation level, an import outside a transaction is there for others afterwards."""
    with closing(sqlite3.connect(sqlite_path, **options)) as connection:
        proxydb.lake.open(connection).import_delta(delta_path)
        assert _is_committed(sqlite_path)


@pytest.mark.parametrize("autocommit", [True, False])
def test_an_import_on_a_postgres_connection_is_committed(delta_path: Path, postgres_dsn: str, autocommit: bool) -> None:
    """With autocommit or without, an import outside a transaction is there for others afterwards."""
    with psycopg.connect(postgres_dsn, autocommit=autocommit) as connection:
        lake = proxydb.lake.open(connection)
        lake.tables()
        lake.import_delta(delta_path)
        with psycopg.connect(postgres_dsn) as beside:
            assert beside.execute("SELECT COUNT(*) FROM dl_tables").fetchone() == (1,)


def test_an_import_joins_the_callers_transaction(delta_path: Path, target: str) -> None:
    """Inside the caller's transaction an import is undone by the caller's rollback."""
    proxydb.lake.open(target).close()
    with closing(proxydb.connect(target)) as connection:
        connection.execute("BEGIN")
        lake = proxydb.lake.open(connection)
        lake.import_delta(delta_path)
        connection.rollback()
        assert lake.tables() == ()


def test_a_failed_import_leaves_the_callers_transaction(delta_path: Path, target: str) -> None:
    """A refused import undoes its own part, and the caller's transaction goes on."""
    with closing(proxydb.connect(target)) as connection:
        lake = proxydb.lake.open(connection)
        connection.execute("BEGIN")
        lake.import_delta(delta_path, "kept")
        with pytest.raises(proxydb.lake.errors.TableExists):
            lake.import_delta(delta_path, "kept")
        connection.commit()
        assert [table.name for table in lake.tables()] == ["kept"]


def test_row_factories_do_not_matter(delta_path: Path, sqlite_path: Path, postgres_dsn: str) -> None:
    """A connection whose rows are no tuples serves a lake all the same."""
    with closing(sqlite3.connect(sqlite_path)) as sqlite, psycopg.connect(postgres_dsn, row_factory=dict_row) as pg:
        sqlite.row_factory = sqlite3.Row
        versions = [proxydb.lake.open(connection).import_delta(delta_path).version for connection in (sqlite, pg)]
    assert versions == [0, 0]


@pytest.mark.parametrize("wrong", [7, None, object()])
def test_anything_else_is_no_lake(wrong: object) -> None:
    """What is neither a target nor a connection is refused with what is accepted."""
    with pytest.raises(proxydb.errors.TargetError, match="open sqlite3 or psycopg connection"):
        proxydb.lake.open(wrong)
