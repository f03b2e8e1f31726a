"""Threads of one process that write to one SQLite file wait for each other; nobody waits for ever."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from threading import Event, Thread
from typing import TYPE_CHECKING

import pytest

import proxydb.lake
from proxydb.lake.errors import CommitConflict
from proxydb.lake.write_lock import WriteLock

if TYPE_CHECKING:
    from pathlib import Path

PROTOCOL = {"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}}
METADATA = {"metaData": {"id": "1", "schemaString": '{"type":"struct","fields":[]}', "partitionColumns": []}}
COMMITS, THREADS = 25, 6


def add(path: str) -> dict[str, object]:
    """An add without statistics."""
    return {"add": {"path": path, "size": 1, "partitionValues": {}, "modificationTime": 0, "dataChange": True}}


def test_no_database_is_locked(sqlite_wal_path: Path) -> None:
    """Threads that commit as fast as they can get all their commits done."""
    with proxydb.lake.open(sqlite_wal_path) as lake:
        lake.create_table("t", "t", [PROTOCOL, METADATA])
    failures: list[BaseException] = []
    threads = [Thread(target=commit_much, args=(sqlite_wal_path, n, failures)) for n in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with proxydb.lake.open(sqlite_wal_path) as lake:
        assert (failures, lake.table("t").version) == ([], COMMITS * THREADS)


def commit_much(path: Path, number: int, failures: list[BaseException]) -> None:
    """Make `COMMITS` commits, each again until it has not met another."""
    try:
        with proxydb.lake.open(path) as lake:
            table = lake.table("t")
            for n in range(COMMITS):
                while not committed(table, f"{number}-{n}"):
                    pass
    except BaseException as error:
        failures.append(error)


def committed(table: proxydb.lake.Table, path: str) -> bool:
    """Whether nobody else was faster."""
    try:
        table.commit([add(path)], table.version)
    except CommitConflict:
        return False
    return True


def test_the_second_waits_for_the_first(sqlite_path: Path) -> None:
    """Two connections to one file, by whatever path, hold the lock one after the other."""
    order, entered, may_leave = list[str](), Event(), Event()

    def first() -> None:
        with closing(sqlite3.connect(sqlite_path)) as connection, WriteLock(connection).held():
            entered.set()
            may_leave.wait(30)
            order.append("first")

    thread = Thread(target=first)
    thread.start()
    entered.wait(30)
    link = sqlite_path.with_name("link.db")
    link.symlink_to(sqlite_path)
    with closing(sqlite3.connect(link, timeout=30)) as connection:
        lock = WriteLock(connection)
        may_leave.set()
        with lock.held():
            order.append("second")
    thread.join()
    assert order == ["first", "second"]


def test_waiting_ends(sqlite_path: Path) -> None:
    """After SQLite's own time-out the lock is passed by, and SQLite says what it says."""
    with (
        closing(sqlite3.connect(sqlite_path, isolation_level=None, check_same_thread=False)) as holder,
        closing(sqlite3.connect(sqlite_path, isolation_level=None, timeout=0.05)) as other,
    ):
        done, may_leave = Event(), Event()

        def hold() -> None:
            with WriteLock(holder).held():
                holder.execute("BEGIN IMMEDIATE")
                done.set()
                may_leave.wait(30)
                holder.execute("ROLLBACK")

        thread = Thread(target=hold)
        thread.start()
        done.wait(30)
        with pytest.raises(sqlite3.OperationalError, match="database is locked"), WriteLock(other).held():
            other.execute("BEGIN IMMEDIATE")
        may_leave.set()
        thread.join()


def test_the_same_thread_does_not_wait_for_itself(sqlite_path: Path) -> None:
    """A thread with two connections is told by SQLite, and soon."""
    with (
        closing(sqlite3.connect(sqlite_path, timeout=0.05)) as one,
        closing(sqlite3.connect(sqlite_path, timeout=3600)) as two,
        WriteLock(one).held(),
        WriteLock(two).held(),
    ):
        assert one.execute("SELECT 1").fetchall() == two.execute("SELECT 1").fetchall()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_fork_while_it_is_held(sqlite_path: Path) -> None:
    """A child does not wait for a thread that it does not have."""
    entered, may_leave = Event(), Event()

    def hold() -> None:
        with closing(sqlite3.connect(sqlite_path)) as connection, WriteLock(connection).held():
            entered.set()
            may_leave.wait(60)

    thread = Thread(target=hold)
    thread.start()
    entered.wait(30)
    if (child := os.fork()) == 0:
        with closing(sqlite3.connect(sqlite_path, timeout=3600)) as connection, WriteLock(connection).held():
            os._exit(7)
    _, status = os.waitpid(child, 0)
    may_leave.set()
    thread.join()
    assert os.waitstatus_to_exitcode(status) == 7
