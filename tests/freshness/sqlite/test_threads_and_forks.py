"""Threads that share a connection or a file, and processes that are forked with a full cache."""

from __future__ import annotations

import os
import threading
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.freshness.sqlite.twins import U, agree, agree_unserved

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.freshness.sqlite.twins import Side, Twins


def _in_thread(call: Callable[..., Any], *arguments: Any) -> None:
    """Run the call in a thread of its own, to its end."""
    thread = threading.Thread(target=call, args=arguments)
    thread.start()
    thread.join(30)


@agree
def test_shared_connection(side: Side) -> None:
    """Threads that take turns on one connection are in one transaction."""
    db = side.open(check_same_thread=False)
    side.read_all(db)
    _in_thread(side.run, "UPDATE u SET x = 0", (), db)
    side.read_all(db, side.other)
    _in_thread(side.read_all, db)
    _in_thread(db.rollback)
    side.read_all(db, side.other)


@agree_unserved
def test_foreign_thread(side: Side) -> None:
    """A connection that is used in a foreign thread raises, kept rows or not."""
    side.read()
    _in_thread(side.read)
    cursor = side.db.execute(U)
    _in_thread(side.attempt, cursor.fetchall)
    _in_thread(side.attempt, lambda: list(cursor))
    side.say(cursor.fetchall())


def test_write_of_another_thread_between_label_and_rows(twins: Twins, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that another thread wrote on the shared connection during the read, and rolled back, go to nobody."""
    side = twins.proxied
    db = side.open(check_same_thread=False)
    cursor_class = type(db.cursor())
    fetch = cursor_class._fetch

    def fetch_after_write(cursor: Any, *arguments: Any) -> Any:
        monkeypatch.undo()
        _in_thread(db.execute, "UPDATE u SET x = 0")
        return fetch(cursor, *arguments)

    monkeypatch.setattr(cursor_class, "_fetch", fetch_after_write)
    db.execute(U).fetchall()
    db.rollback()
    assert side.beside.execute(U).fetchall() == side.other.execute(U).fetchall()


@contextmanager
def _forked() -> Iterator[bool]:
    """Fork; the child, for which this is true, ends with the block, and the parent sees whether it failed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child:
        yield False
        assert os.waitpid(child, 0)[1] == 0
        return
    status = 1
    try:
        yield True
        status = 0
    finally:
        os._exit(status)


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="the system cannot fork")


@needs_fork
def test_child_is_fresh(twins: Twins) -> None:
    """A child's new connection reads what was written after the fork, and is served."""
    side = twins.proxied
    side.read_all()
    with _forked() as is_child:
        if is_child:
            _writes_are_seen(side)


@needs_fork
def test_parent_is_fresh(twins: Twins) -> None:
    """The parent goes on reading what the child and others write."""
    side = twins.proxied
    side.read_all()
    with _forked() as is_child:
        if is_child:
            side.open(isolation_level=None).execute("UPDATE u SET x = -7")
            os._exit(0)
    assert side.db.execute(U).fetchone() == (3, -21)
    _writes_are_seen(side)


def _writes_are_seen(side: Side) -> None:
    """Foreign and own commits are seen on a new connection, and its repeated reads are hits."""
    reader, before = side.open(isolation_level=None), side.db.proxydb.stats().hits
    writer = _raw(side)
    for connection in (writer, reader, writer, reader):
        connection.execute("UPDATE u SET x = x + 1")
        for _ in range(3):
            assert writer.execute(U).fetchall() == reader.execute(U).fetchall()
    assert reader.proxydb.stats().hits >= before + 8


def _raw(side: Side) -> Any:
    import sqlite3

    return side._kept(sqlite3.connect(side.path, isolation_level=None))


@needs_fork
@pytest.mark.parametrize("lock", ["history", "sentinel"])
def test_fork_while_another_thread_holds_a_lock(twins: Twins, lock: str) -> None:
    """A child that was forked in the middle of another thread's check does not wait for that thread for ever."""
    side = twins.proxied
    side.read_all()
    sentinel = side.db.proxydb.driver
    with (sentinel.history if lock == "history" else sentinel)._lock, _forked() as is_child:
        if is_child:
            import signal

            signal.alarm(10)
            side.open().execute(U).fetchall()


def test_threads_that_miss_together(twins: Twins) -> None:
    """Many threads that read at once all read the truth."""
    side, answers = twins.proxied, []

    def reader() -> None:
        db = side.open(check_same_thread=False)
        answers.extend(db.execute(U).fetchall()[0] for _ in range(50))

    for number in range(3):
        side.beside.execute("UPDATE u SET x = ?", (number,))
        answers.clear()
        threads = [threading.Thread(target=reader) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert {(3, 3 * number)} == set(answers)
