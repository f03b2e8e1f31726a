"""`Stats` is a snapshot that adds up, and that a program can print as JSON."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import FrozenInstanceError
from typing import TYPE_CHECKING, Any

import pytest

import proxydb
from proxydb.config import Config
from proxydb.sql.fingerprint import fingerprint_id

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CAPACITY = 1_000_000


@pytest.fixture
def connection(sqlite_path: Path) -> Iterator[Any]:
    """A connection that has read twice, of which once from memory, and has written once."""
    with closing(sqlite3.connect(sqlite_path)) as beside:
        beside.executescript("CREATE TABLE t (a); INSERT INTO t VALUES (1), (2)")
    with closing(proxydb.connect(sqlite_path, config=Config(admission=0, cache_bytes=CAPACITY))) as connection:
        connection.execute("SELECT a FROM t").fetchall()
        connection.execute("SELECT a FROM t").fetchall()
        connection.execute("INSERT INTO t VALUES (3)")
        yield connection


def test_totals(connection: Any) -> None:
    """The totals are those of all statements."""
    stats = connection.proxydb.stats()
    assert (stats.statements, stats.hits, stats.misses) == (3, 1, 1)


def test_cache(connection: Any) -> None:
    """The cache's own numbers are in it."""
    stats = connection.proxydb.stats()
    assert (stats.fills, stats.evictions, stats.entries, stats.capacity) == (1, 0, 1, CAPACITY)


def test_bytes(connection: Any) -> None:
    """The bytes in use are the cache's."""
    assert connection.proxydb.stats().bytes == connection.proxydb.cache.size > 0


def test_sums(connection: Any) -> None:
    """Totals are the sums over the fingerprints."""
    stats = connection.proxydb.stats()
    each = stats.by_fingerprint
    sums = (sum(one.calls for one in each), sum(one.hits for one in each), sum(one.misses for one in each))
    assert sums == (stats.statements, stats.hits, stats.misses)


def test_largest_total_first(connection: Any) -> None:
    """The statement that took most time in total comes first."""
    totals = [one.total for one in connection.proxydb.stats().by_fingerprint]
    assert totals == sorted(totals, reverse=True)


def test_kind_and_id(connection: Any) -> None:
    """A fingerprint comes with its kind and its number."""
    each = {one.fingerprint: (one.kind, one.id) for one in connection.proxydb.stats().by_fingerprint}
    assert each["insert into t values (?)"] == ("write", fingerprint_id("insert into t values (?)"))


def test_percentiles_are_in_order(connection: Any) -> None:
    """The median is not above the 95th percentile, nor that above the 99th."""
    stats = connection.proxydb.stats()
    assert 0 < stats.p50 <= stats.p95 <= stats.p99 < 10


def test_hit_rate(connection: Any) -> None:
    """The hit rate is that of the reads that could be hits."""
    assert connection.proxydb.stats().hit_rate == 0.5


def test_hit_rate_of_nothing() -> None:
    """Without a read there is no hit rate."""
    with closing(proxydb.connect(":memory:")) as connection:
        assert connection.proxydb.stats().hit_rate == 0.0


def test_snapshot(connection: Any) -> None:
    """What happens later does not show in a snapshot."""
    stats = connection.proxydb.stats()
    connection.execute("SELECT a FROM t").fetchall()
    assert (stats.statements, connection.proxydb.stats().statements) == (3, 4)


def test_frozen(connection: Any) -> None:
    """A snapshot cannot be changed."""
    with pytest.raises(FrozenInstanceError):
        connection.proxydb.stats().hits = 5


def test_json(connection: Any) -> None:
    """A snapshot goes through JSON as it is."""
    stats = connection.proxydb.stats()
    again = json.loads(json.dumps(stats.to_dict()))
    assert again == {**stats.to_dict(), "by_fingerprint": [vars_of(one) for one in stats.by_fingerprint]}


def vars_of(one: Any) -> dict[str, Any]:
    """The fields of a slotted dataclass."""
    return {name: getattr(one, name) for name in one.__slots__}


def test_repr_is_short(connection: Any) -> None:
    """The single fingerprints are not in the snapshot's repr."""
    assert "insert into" not in repr(connection.proxydb.stats())
