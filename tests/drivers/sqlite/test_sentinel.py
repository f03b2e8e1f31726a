"""The sentinel labels a file's states, and is gone when the last connection is."""

from __future__ import annotations

import gc
import os
import sqlite3
import sys
import warnings
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import proxydb
from proxydb.config import Config
from proxydb.drivers.sqlite.sentinel import NO_LABEL, Sentinel, identity_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DESCRIPTORS = Path("/proc/self/fd")
ON_LINUX = pytest.mark.skipif(not DESCRIPTORS.exists(), reason="open files are counted in /proc")


@pytest.fixture(params=["delete", "wal"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A database with one row, in each journal mode."""
    path = tmp_path / f"{request.param}.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA journal_mode = {request.param}")
        connection.executescript("CREATE TABLE t (a); INSERT INTO t VALUES (1)")
    return path


@pytest.fixture
def sentinel(path: Path) -> Iterator[Sentinel]:
    """The sentinel of that database."""
    identity = identity_of(str(path))
    assert identity is not None
    sentinel = Sentinel(str(path), identity)
    yield sentinel
    sentinel.release()


@pytest.fixture
def writer(path: Path) -> Iterator[sqlite3.Connection]:
    """Another program's connection to it."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


WRITES: dict[str, str] = {
    "insert": "INSERT INTO t VALUES (2)",
    "update": "UPDATE t SET a = 5",
    "delete": "DELETE FROM t",
    "schema": "CREATE TABLE u (a)",
    "user_version": "PRAGMA user_version = 5",
    "transaction": "BEGIN; INSERT INTO t VALUES (3); COMMIT",
    "vacuum": "VACUUM",
}
QUIET: dict[str, str] = {
    "read": "SELECT a FROM t",
    "rollback": "BEGIN; INSERT INTO t VALUES (2); ROLLBACK",
    "empty transaction": "BEGIN; COMMIT",
    "temporary table": "CREATE TEMP TABLE u (a)",
}


@pytest.mark.parametrize("script", WRITES.values(), ids=WRITES)
def test_label_grows_with_a_commit(sentinel: Sentinel, writer: sqlite3.Connection, script: str) -> None:
    """After anybody's commit the label is larger."""
    before = sentinel.label()
    writer.executescript(script)
    assert sentinel.label() > before > NO_LABEL


@pytest.mark.parametrize("script", QUIET.values(), ids=QUIET)
def test_label_stays_without_a_commit(sentinel: Sentinel, writer: sqlite3.Connection, script: str) -> None:
    """Without a commit the label stays."""
    before = sentinel.label()
    writer.executescript(script)
    assert sentinel.label() == before


def test_label_of_an_open_transaction(sentinel: Sentinel, writer: sqlite3.Connection) -> None:
    """A transaction that is still open has no label of its own."""
    before = sentinel.label()
    writer.executescript("BEGIN; INSERT INTO t VALUES (2)")
    assert sentinel.label() == before


def test_label_while_another_holds_the_file(sentinel: Sentinel, writer: sqlite3.Connection) -> None:
    """While another holds the file for itself there is no label, or the one of the last commit."""
    before = sentinel.label()
    writer.executescript("BEGIN EXCLUSIVE; INSERT INTO t VALUES (2)")
    assert sentinel.label() in (NO_LABEL, before)


def test_label_grows_over_a_release(sentinel: Sentinel) -> None:
    """After the sentinel was released and opened again the label is larger: nobody watched meanwhile."""
    before = sentinel.label()
    sentinel.release()
    assert sentinel.label() > before


def test_label_grows_over_an_abandonment(sentinel: Sentinel) -> None:
    """After a fork the child's first label is larger than the parent's last."""
    before = sentinel.label()
    sentinel.abandon()
    assert sentinel.label() > before


def test_other_file_in_its_place(sentinel: Sentinel, path: Path, tmp_path: Path) -> None:
    """A file that took the place of the database is never looked at."""
    with closing(sqlite3.connect(tmp_path / "other.db")) as other:
        other.execute("CREATE TABLE t (a)")
    os.replace(tmp_path / "other.db", path)
    assert sentinel.label() == NO_LABEL


def test_file_that_is_gone(sentinel: Sentinel, path: Path) -> None:
    """A file that is gone has no label, and is not made anew."""
    path.unlink()
    assert (sentinel.label(), path.exists()) == (NO_LABEL, False)


def test_query_plan_of_a_file_that_is_gone(sentinel: Sentinel, path: Path) -> None:
    """Without a file there is no query plan."""
    path.unlink()
    assert sentinel.query_plan("SELECT a FROM t", ()) == []


def test_query_plan_that_cannot_be_made(sentinel: Sentinel) -> None:
    """A statement that cannot be prepared has no query plan."""
    assert sentinel.query_plan("SELECT missing", ()) == []


def test_check_has_a_cost(sentinel: Sentinel) -> None:
    """What a check costs is known from the first label on."""
    sentinel.label()
    assert 0 < sentinel.check_cost < 10_000_000


def test_sentinel_never_writes(sentinel: Sentinel, path: Path) -> None:
    """Looking at a database leaves the file as it was."""
    before = path.read_bytes()
    sentinel.label()
    sentinel.analyse("INSERT INTO t VALUES (5)")
    sentinel.query_plan("SELECT a FROM t", ())
    assert path.read_bytes() == before


def test_identity_of_links(path: Path, tmp_path: Path) -> None:
    """A file has one identity under all its names."""
    (tmp_path / "link.db").symlink_to(path)
    assert identity_of(str(tmp_path / "link.db")) == identity_of(str(path))


def test_identity_of_nothing(tmp_path: Path) -> None:
    """A path without a file has none."""
    assert identity_of(str(tmp_path / "missing.db")) is None


def _used(path: Path, **options: Any) -> Any:
    """A connection that has been served."""
    connection = proxydb.connect(path, config=Config(admission=0), **options)
    for _ in range(3):
        connection.execute("SELECT a FROM t").fetchall()
    assert connection.proxydb.stats().hits
    return connection


def _files(path: Path) -> list[str]:
    return sorted(file.name for file in path.parent.iterdir())


def test_nothing_is_left_beside_the_file(path: Path) -> None:
    """After the last connection is closed no journal is left, as with the driver alone."""
    _used(path).close()
    assert _files(path) == [path.name]


def test_nothing_is_left_after_a_write(path: Path) -> None:
    """After a write and the last `close` the log is folded into the file."""
    connection = _used(path)
    connection.execute("INSERT INTO t VALUES (2)")
    connection.commit()
    connection.execute("SELECT a FROM t").fetchall()
    connection.close()
    assert _files(path) == [path.name]


def test_nothing_is_left_of_several_connections(path: Path) -> None:
    """The last of several connections is the one that counts."""
    connections = [_used(path) for _ in range(3)]
    for connection in connections:
        connection.close()
    assert _files(path) == [path.name]


def test_file_can_be_removed_and_made_again(path: Path) -> None:
    """A database that was closed, removed and made again under its name is another one."""
    _used(path).close()
    path.unlink()
    with closing(proxydb.connect(path)) as connection:
        connection.execute("CREATE TABLE t (a)")
        assert connection.execute("SELECT a FROM t").fetchall() == []


@pytest.mark.parametrize("mode", ["wal", "delete", "truncate", "memory"])
def test_journal_mode_can_be_switched(path: Path, mode: str) -> None:
    """A served connection may switch the journal mode, for which it needs the file for itself."""
    with closing(_used(path)) as connection:
        switched = connection.execute(f"PRAGMA journal_mode = {mode}").fetchall()
        assert ([(mode,)], [(1,)]) == (switched, connection.execute("SELECT a FROM t").fetchall())


def test_served_after_a_switch(path: Path) -> None:
    """After a switch of the journal mode what others commit is seen."""
    with closing(_used(path)) as connection, closing(sqlite3.connect(path, isolation_level=None)) as other:
        connection.execute("PRAGMA journal_mode = wal").fetchall()
        connection.execute("SELECT a FROM t").fetchall()
        other.execute("INSERT INTO t VALUES (2)")
        assert connection.execute("SELECT a FROM t").fetchall() == [(1,), (2,)]


EXCLUSIVE: dict[str, Callable[[Any], Any]] = {
    "begin exclusive": lambda c: c.execute("BEGIN EXCLUSIVE"),
    "vacuum": lambda c: c.execute("VACUUM"),
    "drop": lambda c: c.execute("DROP TABLE t"),
    "reindex": lambda c: c.execute("REINDEX"),
    "checkpoint": lambda c: c.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall(),
    "locking_mode": lambda c: c.execute("PRAGMA locking_mode = exclusive").fetchall(),
}


@pytest.mark.parametrize("call", EXCLUSIVE.values(), ids=EXCLUSIVE)
def test_sentinel_holds_no_lock(path: Path, call: Callable[[Any], Any]) -> None:
    """What needs the file for itself works on a served connection as on the driver's own."""
    with closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as raw:
        raw.execute("SELECT a FROM t").fetchall()
        expected = str(call(raw)).split(" object at ")[0]
        if raw.in_transaction:
            raw.execute("ROLLBACK")
        raw.execute("CREATE TABLE IF NOT EXISTS t (a)")
        raw.execute("PRAGMA locking_mode = normal").fetchall()
        raw.execute("SELECT a FROM t").fetchall()
    with closing(_used(path, isolation_level=None, timeout=0)) as connection:
        actual = str(call(connection)).split(" object at ")[0]
    assert expected.replace("sqlite3.", "") == actual.replace("proxydb.dbapi.sqlite.", "")


def _open_files() -> int:
    gc.collect()
    return len(list(DESCRIPTORS.iterdir()))


@ON_LINUX
def test_files_are_closed(path: Path) -> None:
    """Connections that are opened, served and closed leave no file open."""
    _used(path).close()
    before = _open_files()
    for _ in range(5):
        _used(path).close()
    assert _open_files() == before


@ON_LINUX
def test_files_of_collected_connections_are_closed(path: Path) -> None:
    """A connection that was garbage-collected is swept, and with the last one the sentinel's file is closed."""
    _used(path).close()
    before = _open_files()
    _leak(path)
    with closing(proxydb.connect(":memory:")) as other:
        other.execute("SELECT 1")
    assert _open_files() == before


def _leak(path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        connection = _used(path)
        del connection
        gc.collect()


@ON_LINUX
def test_one_sentinel_for_a_file(path: Path) -> None:
    """However many connections there are to a file, one sentinel watches it."""
    with closing(_used(path)) as first:
        one = _open_files()
        first.execute("SELECT a FROM t").fetchall()
        with closing(sqlite3.connect(path)) as raw:
            raw.execute("SELECT a FROM t").fetchall()
            for_a_connection = _open_files() - one
        with closing(_used(path)):
            assert _open_files() - one == for_a_connection


def test_error_of_a_corrupt_file(tmp_path: Path) -> None:
    """A file that is no database raises the driver's own error, and no other."""
    path = tmp_path / "corrupt.db"
    path.write_bytes(b"no database at all" * 100)
    with closing(proxydb.connect(path)) as connection, pytest.raises(sqlite3.DatabaseError, match="not a database"):
        connection.execute("SELECT a FROM t")


@pytest.mark.skipif(sys.platform == "win32", reason="files have no mode there")
def test_read_only_file(path: Path) -> None:
    """A file that may only be read is read."""
    path.chmod(0o444)
    with closing(_used(path)) as connection:
        assert connection.execute("SELECT a FROM t").fetchall() == [(1,)]
