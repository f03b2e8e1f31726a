"""Views stay whole when processes are killed, and when several make the same one."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING

import pytest

import proxydb
from proxydb.errors import ProgrammingError
from tests.views import killed
from tests.views.shop import differences

if TYPE_CHECKING:
    from collections.abc import Iterator

VIEW = {"v": killed.QUERY}
ROOT = Path(__file__).parents[2]


@pytest.fixture
def plain(sqlite_path: Path) -> Iterator[sqlite3.Connection]:
    """A connection of the plain driver to a database with a table."""
    with closing(sqlite3.connect(sqlite_path, isolation_level=None)) as connection:
        connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, g TEXT NOT NULL, x INTEGER)")
        connection.executemany("INSERT INTO t (g, x) VALUES (?, ?)", [("abc"[i % 3], i) for i in range(40)])
        yield connection


def start(path: Path, statements: int, action: str) -> subprocess.Popen[str]:
    """Start a process that is killed after so many statements."""
    command = [sys.executable, "-m", "tests.views.killed", str(path), str(statements), action]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=pipe, stderr=pipe, text=True)


def finish(process: subprocess.Popen[str]) -> tuple[str, str]:
    """What a process has printed, when it has ended."""
    return process.communicate(timeout=120)


@pytest.mark.parametrize("statements", [3, 30, 45, 52, 60])
def test_killed_while_a_view_is_made(statements: int, plain: sqlite3.Connection, sqlite_path: Path) -> None:
    """There is the whole view or nothing of it."""
    out, _ = finish(start(sqlite_path, statements, "create"))
    with proxydb.database(sqlite_path) as database:
        if "done" not in out:
            assert list(database.views.list()) == []
            assert plain.execute("SELECT name FROM sqlite_master WHERE name LIKE 'proxydb%'").fetchall() == []
            database.views.create("v", killed.QUERY)
        assert differences(plain, VIEW) == []


@pytest.mark.parametrize(("statements", "action"), [(20, "refresh"), (50, "refresh"), (25, "change"), (150, "change")])
def test_killed_while_a_view_changes(
    statements: int, action: str, plain: sqlite3.Connection, sqlite_path: Path
) -> None:
    """A refresh or a change of many rows that is not finished has not happened."""
    with proxydb.database(sqlite_path) as database:
        database.views.create("v", killed.QUERY)
        before = sorted(plain.execute("SELECT * FROM v"))
        out, _ = finish(start(sqlite_path, statements, action))
        assert "done" not in out
        assert sorted(plain.execute("SELECT * FROM v")) == before
        assert (differences(plain, VIEW), [view.state for view in database.views.list()]) == ([], ["fresh"])
    plain.execute("UPDATE t SET g = 'z' WHERE id < 10")
    assert differences(plain, VIEW) == []


def test_two_processes_make_the_same_view(plain: sqlite3.Connection, sqlite_path: Path) -> None:
    """One of them makes it, the other is told that it is there."""
    processes = [start(sqlite_path, 1_000_000, "create") for _ in range(2)]
    told = [finish(process) for process in processes]
    assert sorted(out.strip() for out, _ in told) == ["", "done"]
    assert sum("there is a materialized view 'v' already" in error for _, error in told) == 1
    assert differences(plain, VIEW) == []


def test_a_writer_waits_for_a_view_that_is_made(plain: sqlite3.Connection, sqlite_path: Path) -> None:
    """What is written by others while a view is made waits for it, and is in it."""
    process = start(sqlite_path, 1_000_000, "create")
    while process.poll() is None:
        plain.execute("INSERT INTO t (g, x) VALUES ('w', 1)")
        sleep(0.02)  # or the other process would seldom find the file unlocked
    assert "done" in finish(process)[0]
    assert differences(plain, VIEW) == []


def test_a_failure_leaves_nothing(plain: sqlite3.Connection, sqlite_path: Path) -> None:
    """A view whose making fails in the end has not been made in part."""
    plain.execute('CREATE TABLE "proxydb_v_groups" (x)')
    with proxydb.database(sqlite_path) as database:
        with pytest.raises(sqlite3.OperationalError, match="already exists"):
            database.views.create("v", killed.QUERY)
        assert list(database.views.list()) == []
        with pytest.raises(ProgrammingError, match="there is no materialized view 'v'"):
            database.views.drop("v")
