"""The recorder counts every path that a statement can take, and forgets nothing when a connection goes."""

from __future__ import annotations

import gc
import sqlite3
import threading
import warnings
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any

import pytest

import proxydb
from proxydb.config import Config

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from proxydb.observe.stats import StatementStats

UNCACHED, CACHED = Config(cache="off"), Config(admission=0)
SELECT, INSERT = "SELECT a FROM t ORDER BY a", "INSERT INTO t VALUES (?)"


@pytest.fixture
def connection(sqlite_path: Path) -> Iterator[Any]:
    """An uncached connection to a database with three rows, which nothing has been counted on."""
    with closing(_opened(sqlite_path, UNCACHED)) as connection:
        yield connection


def _opened(path: Path, config: Config) -> Any:
    with closing(sqlite3.connect(path)) as beside:
        beside.executescript("CREATE TABLE IF NOT EXISTS t (a); DELETE FROM t; INSERT INTO t VALUES (1), (2), (3)")
    return proxydb.connect(path, config=config)


def _counted(connection: Any) -> dict[str, StatementStats]:
    return {one.fingerprint: one for one in connection.proxydb.stats().by_fingerprint}


def _calls(connection: Any) -> dict[str, int]:
    return {fingerprint: one.calls for fingerprint, one in _counted(connection).items()}


def _with_block(connection: Any) -> None:
    with connection:
        pass


def _failing_block(connection: Any) -> None:
    with suppress(ZeroDivisionError), connection:
        raise ZeroDivisionError


def _cursor_twice(connection: Any) -> None:
    cursor = connection.cursor()
    cursor.execute(SELECT)
    cursor.execute(SELECT)


PATHS: dict[str, tuple[Callable[[Any], Any], dict[str, int]]] = {
    "cursor.execute": (lambda c: c.cursor().execute(SELECT), {"select a from t order by a": 1}),
    "connection.execute": (lambda c: c.execute(SELECT), {"select a from t order by a": 1}),
    "one cursor twice": (_cursor_twice, {"select a from t order by a": 2}),
    "write": (lambda c: c.execute("DELETE FROM t"), {"delete from t": 1}),
    "ddl": (lambda c: c.execute("CREATE TABLE u (b)"), {"create table u(b)": 1}),
    "pragma": (lambda c: c.execute("PRAGMA foreign_keys"), {"pragma foreign_keys": 1}),
    "explain": (lambda c: c.execute("EXPLAIN SELECT 1"), {"explain select ?": 1}),
    "begin": (lambda c: c.execute("BEGIN"), {"begin": 1}),
    "cursor.executemany": (
        lambda c: c.cursor().executemany("INSERT INTO t VALUES (?)", [(1,), (2,)]),
        {"insert into t values (?)": 1},
    ),
    "connection.executemany": (
        lambda c: c.executemany("INSERT INTO t VALUES (?)", []),
        {"insert into t values (?)": 1},
    ),
    "cursor.executescript": (lambda c: c.cursor().executescript("SELECT 1; SELECT 2"), {"executescript": 1}),
    "connection.executescript": (lambda c: c.executescript("SELECT 1"), {"executescript": 1}),
    "commit": (lambda c: [c.execute("DELETE FROM t"), c.commit()], {"delete from t": 1, "commit": 1}),
    "rollback": (lambda c: [c.execute("DELETE FROM t"), c.rollback()], {"delete from t": 1, "rollback": 1}),
    "nothing to end": (lambda c: [c.commit(), c.rollback()], {}),
    "with": (_with_block, {"commit": 1}),
    "failing with": (_failing_block, {"rollback": 1}),
}
FETCHES: dict[str, tuple[Callable[[Any], Any], int]] = {
    "fetchall": (lambda cursor: cursor.fetchall(), 3),
    "fetchmany": (lambda cursor: cursor.fetchmany(2), 2),
    "fetchmany by default": (lambda cursor: cursor.fetchmany(), 1),
    "fetchmany by name": (lambda cursor: cursor.fetchmany(size=2), 2),
    "fetchmany to the end": (lambda cursor: [cursor.fetchmany(2) for _ in range(3)], 3),
}


@pytest.mark.parametrize(("call", "expected"), PATHS.values(), ids=PATHS)
def test_every_path_is_counted(connection: Any, call: Callable[[Any], Any], expected: dict[str, int]) -> None:
    """Whichever method runs a statement, it is counted under its fingerprint."""
    call(connection)
    assert expected == _calls(connection)


@pytest.mark.parametrize(("fetch", "rows"), FETCHES.values(), ids=FETCHES)
def test_fetched_rows_are_counted(connection: Any, fetch: Callable[[Any], Any], rows: int) -> None:
    """Rows fetched in lists are counted for their statement."""
    fetch(connection.execute(SELECT))
    assert _counted(connection)["select a from t order by a"].rows == rows


@pytest.mark.parametrize(("fetch", "rows"), FETCHES.values(), ids=FETCHES)
def test_served_rows_are_counted(sqlite_path: Path, fetch: Callable[[Any], Any], rows: int) -> None:
    """Rows fetched in lists are counted when they come from memory, too."""
    with closing(_opened(sqlite_path, CACHED)) as connection:
        fetch(connection.execute(SELECT))
        fetch(connection.execute(SELECT))
        assert _counted(connection)["select a from t order by a"].rows == 2 * rows


def test_rows_of_postgres_are_counted(postgres_dsn: str) -> None:
    """What the server sent is counted, however it is fetched, live and from memory."""
    with closing(proxydb.connect(postgres_dsn, config=CACHED)) as connection:
        for _ in range(8):
            list(connection.execute("SELECT n FROM generate_series(1, 30) AS n"))
        (counted,) = (each for text, each in _counted(connection).items() if "generate_series" in text)
        assert counted.rows == 8 * 30


def test_rows_are_counted_for_their_own_statement(connection: Any) -> None:
    """Rows of a second statement on a cursor are not counted for the first."""
    cursor = connection.cursor()
    cursor.execute(SELECT)
    cursor.execute("PRAGMA foreign_keys").fetchall()
    assert _counted(connection)["select a from t order by a"].rows == 0


def test_texts_of_one_fingerprint_are_counted_together(connection: Any) -> None:
    """Statements that differ in their literals are one fingerprint."""
    for number in range(5):
        connection.execute(f"SELECT a FROM t WHERE a = {number}")
    assert _calls(connection) == {"select a from t where a = ?": 5}


@pytest.mark.parametrize("sql", ["INSERT INTO t VALUES (?, ?)", "SELECT nothing FROM t", "PRAGMA x = (", "SELECT ?"])
def test_errors_are_counted(connection: Any, sql: str) -> None:
    """A statement that raises is an execution and an error."""
    with pytest.raises(sqlite3.Error):
        connection.execute(sql)
    assert [(one.calls, one.errors) for one in _counted(connection).values()] == [(1, 1)]


def test_failing_script_is_an_error(connection: Any) -> None:
    """A script that raises is an execution and an error."""
    with pytest.raises(sqlite3.Error):
        connection.executescript("SELECT nothing")
    assert (_counted(connection)["executescript"].calls, _counted(connection)["executescript"].errors) == (1, 1)


def test_hits_and_misses_are_counted(sqlite_path: Path) -> None:
    """A first read is a miss, and what repeats it is a hit."""
    with closing(_opened(sqlite_path, CACHED)) as connection:
        for _ in range(5):
            connection.execute(SELECT).fetchall()
        one = _counted(connection)["select a from t order by a"]
    assert (one.calls, one.hits, one.misses) == (5, 4, 1)


def test_bypasses_are_counted_by_reason(sqlite_path: Path) -> None:
    """A read that goes past the cache is counted under its reason."""
    with closing(_opened(sqlite_path, CACHED)) as connection:
        connection.execute("DELETE FROM t")
        connection.execute(SELECT).fetchall()
        assert connection.proxydb.stats().bypasses == {"the transaction has written": 1}


def test_closed_connections_stay_counted(sqlite_path: Path) -> None:
    """What a connection has counted stays when it is closed."""
    with closing(_opened(sqlite_path, UNCACHED)) as first, closing(_opened(sqlite_path, UNCACHED)) as second:
        first.execute(SELECT).fetchall()
        second.execute(SELECT).fetchall()
        first.close()
        one = _counted(second)["select a from t order by a"]
    assert (one.calls, one.rows) == (2, 6)


def test_bypasses_of_closed_connections_stay_counted(sqlite_path: Path) -> None:
    """The reasons of a connection's bypasses stay when it is closed."""
    with closing(_opened(sqlite_path, CACHED)) as first, closing(_opened(sqlite_path, CACHED)) as second:
        second.execute("SELECT 1")
        first.execute("DELETE FROM t")
        first.execute(SELECT).fetchall()
        first.close()
        assert second.proxydb.stats().bypasses == {"the transaction has written": 1}


def test_collected_connections_stay_counted(sqlite_path: Path) -> None:
    """What a connection has counted stays when it is garbage-collected without `close`."""
    with closing(_opened(sqlite_path, UNCACHED)) as kept:
        kept.execute("BEGIN")
        _leak(sqlite_path)
        assert _calls(kept) == {"begin": 1, "select a from t order by a": 3}


def _leak(path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        connection = proxydb.connect(path)
        for _ in range(3):
            connection.execute(SELECT).fetchall()
        del connection
        gc.collect()


def test_forgotten_statements_stay_counted(sqlite_path: Path) -> None:
    """What a statement has counted stays when the table of plans has no more room for it."""
    with closing(_opened(sqlite_path, Config(cache="off", plans=4))) as connection:
        for number in range(50):
            connection.execute(f"SELECT a FROM t WHERE a = {number}")
        assert _calls(connection) == {"select a from t where a = ?": 50}


def test_replanned_statements_are_counted_once(sqlite_path: Path) -> None:
    """A change of the schema gives statements new plans, and counts nothing twice."""
    with closing(_opened(sqlite_path, CACHED)) as connection:
        for number in range(3):
            connection.execute(SELECT).fetchall()
            connection.execute(f"ALTER TABLE t ADD COLUMN b{number}")
        assert _calls(connection)["select a from t order by a"] == 3


def test_threads_are_counted(sqlite_path: Path) -> None:
    """Nothing is lost when threads count at once, each on its own connection."""
    with closing(_opened(sqlite_path, UNCACHED)) as connection:
        connection.execute("SELECT 1")
        threads = [threading.Thread(target=_read_often, args=(sqlite_path, 200)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for _ in range(20):
            connection.proxydb.stats()
        for thread in threads:
            thread.join()
        assert _calls(connection)["select a from t order by a"] == 800


def _read_often(path: Path, times: int) -> None:
    with closing(proxydb.connect(path, config=UNCACHED)) as connection:
        for _ in range(times):
            connection.execute(SELECT).fetchall()


READS = {
    "select": lambda c: c.execute(SELECT).fetchall(),
    "pragma that asks": lambda c: c.execute("PRAGMA table_info(t)"),
}


@pytest.mark.parametrize("call", READS.values(), ids=READS)
def test_recording_off_counts_no_read(sqlite_path: Path, call: Callable[[Any], Any]) -> None:
    """With ``record="off"`` an uncached read is not counted."""
    with closing(_opened(sqlite_path, Config(cache="off", record="off"))) as connection:
        call(connection)
        assert _calls(connection) == {}


@pytest.mark.parametrize("path", PATHS)
def test_recording_off_counts_nothing(sqlite_path: Path, path: str) -> None:
    """With ``record="off"`` no path is counted."""
    with closing(_opened(sqlite_path, Config(record="off", admission=0))) as connection:
        PATHS[path][0](connection)
        assert _calls(connection) == {}


def test_ring_holds_recent_statements(sqlite_path: Path) -> None:
    """With ``record="sampled"`` the ring holds the last statements, the newest last."""
    with closing(_opened(sqlite_path, Config(record="sampled", ring=2, cache="off"))) as connection:
        for sql in ("SELECT 1", "SELECT 1, 2", "SELECT 1, 2, 3"):
            connection.execute(sql)
        ring = [recent.fingerprint for recent in connection.proxydb.recorder.ring]
    assert ring == ["select ?, ?", "select ?, ?, ?"]


@pytest.mark.parametrize(("log_parameters", "expected"), [(True, (5,)), (False, None)])
def test_ring_holds_parameters_when_it_may(sqlite_path: Path, log_parameters: bool, expected: Any) -> None:
    """Parameters are in the ring only with ``log_parameters=True``."""
    config = Config(record="sampled", cache="off", log_parameters=log_parameters)
    with closing(_opened(sqlite_path, config)) as connection:
        connection.execute("SELECT a FROM t WHERE a = ?", (5,))
        assert [expected] == [recent.parameters for recent in connection.proxydb.recorder.ring]


def test_ring_is_empty_by_default(connection: Any) -> None:
    """Without ``record="sampled"`` no statement is remembered."""
    connection.execute(SELECT)
    assert list(connection.proxydb.recorder.ring) == []
