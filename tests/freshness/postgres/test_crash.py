"""A server that crashes: transaction ids are given out a second time, and a label must not come back with them."""

from __future__ import annotations

import os
import signal
import time
from contextlib import closing
from typing import TYPE_CHECKING

import psycopg
import pytest

import proxydb.psycopg
from tests.freshness.postgres import broken
from tests.freshness.postgres.twins import SCHEMA, Side, U
from tests.freshness.stale import StaleRead, verify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.postgres_server import Cluster

FORGETFUL = {"wal_writer_delay": "10s", "synchronous_commit": "off", "autovacuum": "off", "bgwriter_delay": "10s"}
ENOUGH = 5


@pytest.fixture
def dsn(postgres_crashable: Cluster) -> Iterator[str]:
    """A database on a server that acknowledges commits which it has not written down, known throughout the test."""
    with postgres_crashable.fresh_database() as dsn:
        with closing(psycopg.connect(dsn, autocommit=True)) as connection:
            for name, value in FORGETFUL.items():
                connection.execute(f"ALTER SYSTEM SET {name} = '{value}'")
            connection.execute(SCHEMA)
            connection.execute("CHECKPOINT")
        postgres_crashable.restart()
        with proxydb.database(dsn):
            yield dsn


def _write_and_lose(dsn: str, crash: Callable[[], object]) -> None:
    """Keep what a commit has written, lose the commit in a crash, and commit something else under its number."""
    with closing(Side(dsn, proxydb.psycopg)) as side:
        side.beside.execute("UPDATE u SET x = 1")
        for _ in range(ENOUGH):
            side.db.execute(U).fetchall()
        lost = _snapshot(side)
        crash()
    with closing(Side(dsn, proxydb.psycopg)) as side:
        while _snapshot(side) < lost:
            side.beside.execute("UPDATE u SET x = 2 WHERE id = 7")
        verify(lost, _snapshot(side))
        for _ in range(ENOUGH):
            verify(side.beside.execute(U).fetchall(), side.db.execute(U).fetchall())


def _snapshot(side: Side) -> int:
    """The number of the next transaction."""
    return int(side.beside.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text").fetchone()[0])


def _kill_a_backend(server: Cluster) -> None:
    """Kill one backend: the server ends all others, and recovers without being started again."""
    with psycopg.connect(server.dsn(), autocommit=True) as victim:
        os.kill(victim.info.backend_pid, signal.SIGKILL)
        victim.close()
    for _ in range(200):
        time.sleep(0.05)
        try:
            psycopg.connect(server.dsn(), connect_timeout=2).close()
        except psycopg.OperationalError:
            continue
        return


CRASHES = {"whole server": lambda server: server.restart(immediate=True), "one backend": _kill_a_backend}


@pytest.mark.parametrize("crash", CRASHES)
def test_lost_commit(postgres_crashable: Cluster, dsn: str, crash: str) -> None:
    """What was read of a commit that a crash has undone is not read after it."""
    _write_and_lose(dsn, lambda: CRASHES[crash](postgres_crashable))


def test_label_without_incarnation_is_caught(
    postgres_crashable: Cluster, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A label that is the snapshot's text alone comes back after the crash, and gives the lost rows."""
    broken.no_incarnation(monkeypatch)
    with pytest.raises(StaleRead):
        _write_and_lose(dsn, lambda: postgres_crashable.restart(immediate=True))
