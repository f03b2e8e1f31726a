"""The executor adds few function calls to a statement, runs it once, and lets the driver's errors through."""

from __future__ import annotations

import os
import sqlite3
import sys
import threading
import time
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any

import pytest

import proxydb
import proxydb.sqlite3
from proxydb.cache.admission import ENOUGH, FIRST_RETRIAL, REST, TRIALS, UNUSED, Admission
from proxydb.cache.results import Flight
from proxydb.config import Config
from proxydb.executor import reading, statement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

READ, BY_KEY = "SELECT a, b FROM t WHERE b < ?", "SELECT b FROM t WHERE a = ?"
SLOW = "SELECT count(*) FROM t x, t y, t z, t w"
CALLS = {
    "hit": 36,
    "fetch of a hit": 6,
    "miss of one row": 160,
    "bypass": 16,
    "read by key, not worth keeping": 8,
    "read by key, uncached": 7,
    "read by key, uncached and unrecorded": 3,
    "the same through the connection": 10,
    "live fetchall": 7,
    "live fetchmany": 9,
    "live fetchone": 1,
    "write": 22,
}
"""Function calls, of Python's and of C, that a statement may take at most, on every version of Python."""


@pytest.fixture
def path(sqlite_wal_path: Path) -> Path:
    """A database with a table of 1,000 rows."""
    with closing(sqlite3.connect(sqlite_wal_path)) as beside:
        beside.execute("CREATE TABLE t (a INTEGER PRIMARY KEY, b)")
        beside.executemany("INSERT INTO t VALUES (?, ?)", [(number, str(number)) for number in range(1000)])
        beside.commit()
    return sqlite_wal_path


@pytest.fixture
def cached(path: Path) -> Iterator[Any]:
    """A cursor of a connection that keeps whatever may be kept."""
    with _opened(path, admission=0) as connection:
        yield connection.cursor()


def _opened(path: Path, **options: Any) -> Any:
    return closing(proxydb.connect(path, config=Config(**options), isolation_level=None))


def _calls(call: Callable[..., Any], *arguments: Any) -> int:
    """How many functions are called when `call` is, itself not counted unless it is one of Python's."""
    counted = 0

    def count(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal counted
        counted += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        call(*arguments)
    finally:
        sys.setprofile(None)
    return counted - 1


def _each(rows: Any) -> None:
    for _row in rows:
        pass


def test_calls_of_a_hit(cached: Any) -> None:
    """An answer from memory takes few calls."""
    for _ in range(3):
        cached.execute(READ, ("2",)).fetchall()
    assert _calls(cached.execute, READ, ("2",)) <= CALLS["hit"]


def test_calls_of_a_fetch_of_a_hit(cached: Any) -> None:
    """Fetching all rows from memory takes the same few calls however many there are."""
    for _ in range(3):
        cached.execute(READ, ("9",)).fetchall()
    cached.execute(READ, ("9",))
    assert _calls(cached.fetchall) <= CALLS["fetch of a hit"]


def test_calls_of_a_miss(cached: Any) -> None:
    """A run that fills the cache takes not too many calls."""
    for number in range(3):
        cached.execute(BY_KEY, (number,)).fetchall()
    assert _calls(cached.execute, BY_KEY, (5,)) <= CALLS["miss of one row"]


def test_calls_of_a_bypass(cached: Any) -> None:
    """A read in a transaction that has written takes few calls."""
    cached.execute(READ, ("2",)).fetchall()
    cached.execute("BEGIN")
    cached.execute("DELETE FROM t WHERE a = 1")
    cached.execute(READ, ("2",)).fetchall()
    assert _calls(cached.execute, READ, ("2",)) <= CALLS["bypass"]


KEY_READS: dict[str, dict[str, Any]] = {
    "read by key, not worth keeping": {"admission": 10_000},
    "read by key, uncached": {"cache": "off"},
    "read by key, uncached and unrecorded": {"cache": "off", "record": "off"},
}


@pytest.mark.parametrize("case", KEY_READS)
def test_calls_of_a_read_by_key(path: Path, case: str) -> None:
    """A read that is not worth keeping takes hardly more calls than the driver's own."""
    with _opened(path, **KEY_READS[case]) as connection:
        cursor = connection.cursor()
        for number in range(8):
            cursor.execute(BY_KEY, (number,)).fetchall()
        assert _calls(cursor.execute, BY_KEY, (5,)) <= CALLS[case]


def test_calls_of_the_connections_shortcut(path: Path) -> None:
    """The connection's `execute` makes a cursor first."""
    with _opened(path, cache="off", record="off") as connection:
        connection.execute(BY_KEY, (1,)).fetchall()
        assert _calls(connection.execute, BY_KEY, (5,)) <= CALLS["the same through the connection"]


def test_calls_of_a_write(path: Path) -> None:
    """A write takes few calls while nothing is kept that it could make stale."""
    with _opened(path) as connection:
        cursor = connection.cursor()
        for _ in range(2):
            cursor.execute("UPDATE t SET b = 'x' WHERE a = 1")
        assert _calls(cursor.execute, "UPDATE t SET b = 'x' WHERE a = 1") <= CALLS["write"]


FETCHES: dict[str, tuple[str, tuple[Any, ...]]] = {
    "live fetchall": ("fetchall", ()),
    "live fetchmany": ("fetchmany", (10,)),
    "live fetchone": ("fetchone", ()),
}


@pytest.mark.parametrize("case", FETCHES)
def test_calls_of_a_live_fetch(path: Path, case: str) -> None:
    """A fetch from a cursor that was not served takes few calls, however many rows there are."""
    method, arguments = FETCHES[case]
    with _opened(path, cache="off") as connection:
        cursor = connection.execute("SELECT a, b FROM t")
        assert _calls(getattr(cursor, method), *arguments) <= CALLS[case]


@pytest.mark.parametrize("rows", [1, 10, 1000])
def test_calls_of_live_iteration(path: Path, rows: int) -> None:
    """A row of a live cursor costs no call: the driver's own iteration is at work."""
    with _opened(path, cache="off") as connection:
        cursor = connection.execute("SELECT a, b FROM t LIMIT ?", (rows,))
        assert _calls(_each, cursor) == 1


LIVE_METHODS = ["__next__", "__iter__", "fetchone"]


@pytest.mark.parametrize("method", LIVE_METHODS)
def test_live_methods_are_the_drivers_own(method: str) -> None:
    """A cursor that is not served has the driver's C methods for single rows."""
    assert getattr(proxydb.sqlite3.Cursor, method) is getattr(sqlite3.Cursor, method)


ERRORS: dict[str, tuple[Any, Any]] = {
    "syntax": ("SELEC 1", ()),
    "missing table": ("SELECT a FROM missing", ()),
    "too few parameters": (BY_KEY, ()),
    "too many parameters": (BY_KEY, (1, 2)),
    "parameters in no container": (BY_KEY, 5),
    "parameters in a set": (BY_KEY, {5}),
    "parameter of no type": (BY_KEY, (object(),)),
    "missing name": ("SELECT b FROM t WHERE a = :a", {"b": 1}),
    "large integer": (BY_KEY, (2**70,)),
    "lone surrogate": (BY_KEY, ("\ud800",)),
    "several statements": ("SELECT 1; SELECT 2", ()),
    "constraint": ("INSERT INTO t VALUES (1, 2)", ()),
    "overflow between rows": ("SELECT abs(-9223372036854775808) FROM t", ()),
    "nul in the text": ("SELECT '\0'", ()),
    "surrogate in the text": ("SELECT '\ud800'", ()),
    "text of no type": (5, ()),
    "bytes": (b"SELECT 1", ()),
    "list": (["SELECT 1"], ()),
}


@pytest.mark.parametrize("cache", ["strict", "off"])
@pytest.mark.parametrize("case", ERRORS)
def test_errors_are_the_drivers(path: Path, case: str, cache: str) -> None:
    """A statement that the driver refuses raises what the driver raises, each time."""
    sql, parameters = ERRORS[case]
    with closing(sqlite3.connect(path, isolation_level=None)) as raw, _opened(path, cache=cache, admission=0) as ours:
        expected = _error(raw, sql, parameters)
        assert [expected] * 4 == [_error(ours, sql, parameters) for _ in range(4)]


def _error(connection: Any, sql: Any, parameters: Any) -> tuple[type, str]:
    try:
        connection.execute(sql, parameters).fetchall()
    except Exception as error:
        return type(error), str(error)
    raise AssertionError("not refused")


class _Text(str):
    __slots__ = ()


def test_text_of_another_class(path: Path) -> None:
    """A text that is of a subclass of `str` is sent to the driver as it is, and not kept."""
    with _opened(path, admission=0) as connection:
        rows = [connection.execute(_Text(BY_KEY), (5,)).fetchall() for _ in range(3)]
        assert (rows, connection.proxydb.stats().statements) == ([[("5",)]] * 3, 0)


def test_clock_that_stands_still(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that is too coarse to see a statement does not break it."""
    with _opened(path, cache="off") as connection:
        monkeypatch.setattr(statement, "now", lambda: 5)
        assert connection.execute(BY_KEY, (5,)).fetchall() == [("5",)]


def test_cheap_reads_are_given_up(path: Path) -> None:
    """A read that is cheaper than its check is run without one after a few trials."""
    with _opened(path, admission=10_000) as connection:
        for number in range(10):
            connection.execute(BY_KEY, (number,)).fetchall()
        stats = connection.proxydb.stats()
    assert (stats.statements, stats.hits, stats.misses) == (10, 0, 3)


def test_cheap_reads_are_tried_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A read that was given up is tried again after many runs."""
    monkeypatch.setattr(reading, "RETRIAL", 5)
    with _opened(path, admission=10_000) as connection:
        for number in range(20):
            connection.execute(BY_KEY, (number,)).fetchall()
        assert connection.proxydb.stats().misses > 3


def test_kept_reads_near_the_threshold_are_measured_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A read that was dear and has become cheap is given up long before the retrials of all others."""
    costs, measure = iter([3] * ENOUGH + [1] * 1000), Admission.measure
    monkeypatch.setattr(Admission, "measure", lambda self, _cost, _check: measure(self, next(costs), 1))
    with _opened(path, admission=2.0) as connection:
        for _ in range(ENOUGH + FIRST_RETRIAL * 2**ENOUGH + TRIALS):
            connection.execute(BY_KEY, (5,)).fetchall()
        before = connection.proxydb.stats().hits
        connection.execute(BY_KEY, (5,)).fetchall()
        assert (before > 0, connection.proxydb.stats().hits) == (True, before)


def test_large_results_are_not_kept(path: Path) -> None:
    """A result that is over the size of one entry is given whole, and not kept."""
    with _opened(path, admission=0, cache_entry_bytes=2000) as connection:
        rows = [len(connection.execute("SELECT a, b FROM t").fetchall()) for _ in range(3)]
        assert (rows, connection.proxydb.stats().fills) == ([1000] * 3, 0)


def test_results_over_the_budget_make_room(path: Path) -> None:
    """When results do not fit together the older ones are evicted, and the bytes stay within the budget."""
    with _opened(path, admission=0, cache_bytes=5000) as connection:
        for number in range(30):
            connection.execute(BY_KEY, (number,)).fetchall()
        stats = connection.proxydb.stats()
    assert (stats.bytes <= 5000, stats.evictions > 20) == (True, True)


def _runs(path: Path, count: int, **options: Any) -> tuple[list[Any], Any]:
    """The rows that several threads read at once, each on its own connection, and the statistics of them all."""
    rows: list[Any] = []
    barrier = threading.Barrier(count)

    def run() -> None:
        with _opened(path, **options) as connection:
            connection.execute("SELECT 1").fetchall()
            barrier.wait(10)
            rows.append(connection.execute(SLOW).fetchall())
            barrier.wait(10)

    with _opened(path, **options) as kept:
        kept.proxydb.explain(SLOW)
        threads = [threading.Thread(target=run) for _ in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        return rows, kept.proxydb.stats()


@pytest.fixture
def small(sqlite_wal_path: Path) -> Path:
    """A database with thirty rows."""
    with closing(sqlite3.connect(sqlite_wal_path)) as beside:
        beside.execute("CREATE TABLE t (a)")
        beside.executemany("INSERT INTO t VALUES (?)", [(1,)] * 30)
        beside.commit()
    return sqlite_wal_path


def test_single_flight(small: Path) -> None:
    """Threads that miss the same key at once run its statement once."""
    rows, stats = _runs(small, 8)
    assert (rows, stats.misses, stats.hits) == ([[(810000,)]] * 8, 1, 7)


def test_flight_that_keeps_nothing(small: Path) -> None:
    """When the one that runs the statement cannot keep its rows, the others run it themselves."""
    rows, stats = _runs(small, 3, cache_entry_bytes=1)
    assert (rows, stats.hits) == ([[(810000,)]] * 3, 0)


def test_failing_flight_lands(small: Path) -> None:
    """A flight whose statement raises lands, so the next to miss does not wait."""
    with _opened(small, admission=0) as connection:
        for _ in range(3):
            with suppress(sqlite3.Error):
                connection.execute("SELECT a FROM t WHERE a = ?", ())
        started = time.monotonic()
        _in_thread(lambda: _read(small))
        assert time.monotonic() - started < reading.WAIT


def _read(path: Path) -> list[Any]:
    with _opened(path, admission=0) as connection:
        rows: list[Any] = connection.execute("SELECT a FROM t WHERE a = ?", (1,)).fetchall()
        return rows


def _in_thread(call: Callable[[], Any]) -> None:
    thread = threading.Thread(target=call)
    thread.start()
    thread.join(20)


def test_flight_waits_no_longer_than_its_patience(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread does not wait for ever for another that fills the key: it runs the statement itself."""
    monkeypatch.setattr(reading, "WAIT", 0.05)
    with _opened(small, admission=0) as connection:
        monkeypatch.setattr(connection.proxydb.cache, "join", lambda _key: _NeverLanding())
        started = time.monotonic()
        rows = connection.execute("SELECT DISTINCT a FROM t").fetchall()
        assert (rows, 0.05 <= time.monotonic() - started < 1) == ([(1,)], True)


class _NeverLanding(Flight):
    def __init__(self) -> None:
        super().__init__({}, "")


def test_transaction_that_waits_for_a_flight(small: Path) -> None:
    """A reader in a transaction that holds the write lock, and a pilot that wants it, both go on."""
    rows: list[Any] = []

    def read() -> None:
        with _opened(small, admission=0) as connection:
            connection.execute("BEGIN IMMEDIATE")
            rows.append(connection.execute(SLOW).fetchall())
            connection.execute("ROLLBACK")

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert rows == [[(810000,)]] * 4


def test_readers_beside_a_writer(small: Path) -> None:
    """Reads of many threads end while another thread commits, and never go back in time."""
    stop = threading.Event()

    def write() -> None:
        with closing(proxydb.connect(small, timeout=10)) as connection:
            while not stop.is_set():
                with connection:
                    connection.execute("UPDATE t SET a = a + 1")

    seen: list[list[int]] = []

    def read() -> None:
        with closing(proxydb.connect(small, config=Config(admission=0), timeout=10)) as connection:
            seen.append([connection.execute("SELECT max(a) FROM t").fetchone()[0] for _ in range(50)])

    writer, readers = threading.Thread(target=write), [threading.Thread(target=read) for _ in range(3)]
    for thread in (writer, *readers):
        thread.start()
    for thread in readers:
        thread.join(20)
    stop.set()
    writer.join(10)
    assert seen == [sorted(values) for values in seen] and len(seen) == 3


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_fork(small: Path) -> None:
    """A child process starts with an empty cache, opens its own connections, and reads what is committed."""
    with _opened(small, admission=0) as connection:
        for _ in range(3):
            connection.execute("SELECT DISTINCT a FROM t").fetchall()
        reader, writer = os.pipe()
        child = os.fork()
        if not child:
            os.write(writer, _seen_by_child(small, connection.proxydb).encode())
            os._exit(0)
        os.close(writer)
        os.waitpid(child, 0)
        with os.fdopen(reader) as told:
            assert told.read() == "0 entries, [(1,)]"


def _seen_by_child(path: Path, database: Any) -> str:
    entries = len(database.cache)
    with _opened(path, admission=0) as connection:
        return f"{entries} entries, {connection.execute('SELECT DISTINCT a FROM t').fetchall()}"


def test_results_that_nobody_asks_for_are_not_kept(path: Path) -> None:
    """Of many different reads few are kept after the first ones; a read that repeats is soon answered from memory."""
    with _opened(path, admission=1e-9) as connection:
        for number in range(UNUSED * 20):
            connection.execute(READ, (str(number),)).fetchall()
        fills = connection.proxydb.stats().fills
        for _ in range(3 * REST):
            connection.execute(READ, ("0",)).fetchall()
        assert (fills < 3 * UNUSED, connection.proxydb.stats().hits > REST // 2) == (True, True)
