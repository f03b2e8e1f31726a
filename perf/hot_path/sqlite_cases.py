"""The cases on a SQLite file in WAL mode, to which other processes may write."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import proxydb
from perf.hot_path import files_table as files
from perf.hot_path.case import Case
from perf.hot_path.complaints import has_entries, hits_only, no_hits
from perf.hot_path.goals import AtMost, Extra, Faster
from perf.hot_path.peers import dogpile_hits, opentelemetry_reads
from proxydb import Config

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_KEY = (4711,)
_FILLED = files.TABLES // 2
_COPIES = count()


@contextmanager
def source(directory: Path) -> Iterator[Path]:
    """The database of which each case takes copies."""
    yield _database(directory / "files.db")


def _database(path: Path) -> Path:
    with sqlite3.connect(path, isolation_level=None) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        for statement in files.DDL:
            connection.execute(statement)
        connection.execute("BEGIN")
        connection.executemany(files.INSERT, files.rows())
        connection.execute("COMMIT")
    connection.close()
    return path


def _connections(original: Path, config: Config) -> tuple[Any, Any]:
    """A raw connection and a proxied one, each to a copy of its own: the writes of one are not foreign to the other."""
    options: dict[str, Any] = {"isolation_level": None}
    raw = sqlite3.connect(_copy(original), **options)
    proxied = proxydb.connect(_copy(original), config=config, **options)
    for connection in (raw, proxied):
        connection.execute("PRAGMA synchronous = NORMAL")
    return raw, proxied


def _copy(original: Path) -> Path:
    return Path(shutil.copy(original, original.with_name(f"{next(_COPIES)}.db")))


def _by_key(connection: Any) -> Callable[[], object]:
    cursor = connection.cursor()
    return lambda: cursor.execute(files.BY_KEY, _KEY).fetchone()


def _all(connection: Any, sql: str, parameters: tuple[Any, ...] = ()) -> Callable[[], object]:
    cursor = connection.cursor()
    return lambda: cursor.execute(sql, parameters).fetchall()


def by_key(original: Path) -> Case:
    """Admission has to find the statement too cheap to be kept; it is tried again now and then, which counts too."""
    raw, proxied = sides = _connections(original, Config())
    calls = _by_key(raw), _by_key(proxied)
    peers = opentelemetry_reads(lambda: _connections(original, Config())[0], _by_key)
    return Case("SQLite primary-key read, not cached", *calls, AtMost(1.6), no_hits(proxied), sides, peers)


def by_key_unrecorded(original: Path) -> Case:
    raw, proxied = sides = _connections(original, Config(record="off"))
    calls = _by_key(raw), _by_key(proxied)
    return Case("  the same, recording off", *calls, AtMost(1.25), no_hits(proxied), sides)


def scan(original: Path) -> Case:
    """The statement calls a function that the cache refuses."""
    raw, proxied = sides = _connections(original, Config())
    calls = _iterated(raw), _iterated(proxied)
    return Case("SQLite 1,000-row scan, live, iterated", *calls, AtMost(1.05), no_hits(proxied), sides)


def _iterated(connection: Any) -> Callable[[], object]:
    cursor = connection.cursor()

    def call() -> None:
        for _row in cursor.execute(files.SCAN):
            pass

    return call


def listing_hit(original: Path) -> Case:
    raw, proxied = sides = _connections(original, Config())
    sql, parameters = files.OF_TABLE, (7,)
    calls = _all(raw, sql, parameters), _all(proxied, sql, parameters)
    peers = dogpile_hits(_copy(original), sql.replace("?", ":table_id"), {"table_id": 7})
    return Case("SQLite 400-row read, hit", *calls, Faster(40), hits_only(proxied), sides, peers)


def aggregate_hit(original: Path) -> Case:
    raw, proxied = sides = _connections(original, Config())
    calls = _all(raw, files.BY_PARTITION), _all(proxied, files.BY_PARTITION)
    return Case("SQLite aggregate over 20,000 rows, hit", *calls, Faster(200), hits_only(proxied), sides)


def write(original: Path) -> Case:
    raw, proxied = sides = _connections(original, Config())
    _fill(proxied)
    calls = _update(raw), _update(proxied)
    return Case("SQLite one-row UPDATE, autocommit", *calls, Extra(15), has_entries(proxied, _FILLED), sides)


def write_transaction(original: Path) -> Case:
    raw, proxied = sides = _connections(original, Config())
    _fill(proxied)
    calls = _transaction(raw), _transaction(proxied)
    return Case("SQLite BEGIN, one-row UPDATE, COMMIT", *calls, Extra(15), has_entries(proxied, _FILLED), sides)


def _fill(proxied: Any) -> None:
    """Have results in memory, so that a commit has something to be explained to."""
    for table_id in range(files.TABLES):
        proxied.execute(files.OF_TABLE, (table_id,)).fetchall()


def _update(connection: Any) -> Callable[[], object]:
    cursor = connection.cursor()
    return lambda: cursor.execute(files.UPDATE, _KEY)


def _transaction(connection: Any) -> Callable[[], object]:
    execute = connection.cursor().execute

    def call() -> None:
        execute("BEGIN")
        execute(files.UPDATE, _KEY)
        execute("COMMIT")

    return call


CASES = (by_key, by_key_unrecorded, scan, listing_hit, aggregate_hit, write, write_transaction)
