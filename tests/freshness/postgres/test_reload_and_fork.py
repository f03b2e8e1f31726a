"""What comes from outside the session: a reloaded configuration, a fork, another database of the same name."""

from __future__ import annotations

import os
import time
import warnings
from contextlib import closing
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

import proxydb
import proxydb.psycopg
from tests.freshness.postgres.twins import KEEP_ALL, SCHEMA, Side, Twins, U
from tests.freshness.stale import verify

if TYPE_CHECKING:
    from tests.postgres_server import Cluster, PostgresServer

ENOUGH = 5
RELOADED = {
    "timezone": ("Asia/Tokyo", "SELECT to_char(max(timestamptz '2020-01-01 00:00+00'), 'HH24'), count(*) FROM t"),
    "intervalstyle": ("iso_8601", "SELECT (count(*) * interval '1 day 2 hours')::text FROM t"),
    "extra_float_digits": ("-9", "SELECT (sum(x) / 7.0)::float8::text FROM t"),
    "bytea_output": ("escape", "SELECT decode('00ff', 'hex')::text, count(*) FROM t"),
}


def test_reloaded_configuration(postgres_crashable: Cluster) -> None:
    """The first read after a reload is shown as the new configuration says."""
    with postgres_crashable.fresh_database() as dsn, closing(Side(dsn, proxydb.psycopg)) as side:
        side.beside.execute(SCHEMA)
        for name, (value, question) in RELOADED.items():
            for _ in range(ENOUGH):
                side.db.execute(question).fetchall()
            side.beside.execute(f"ALTER SYSTEM SET {name} = '{value}'")
            side.beside.execute("SELECT pg_reload_conf()")
            time.sleep(0.2)
            for _ in range(ENOUGH):
                verify(side.open_beside().execute(question).fetchall(), side.db.execute(question).fetchall())
        side.beside.execute("ALTER SYSTEM RESET ALL")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system cannot fork")
def test_fork(twins: Twins) -> None:
    """A child's new connection and the parent's old one both go on reading what is there."""
    side = twins.proxied
    side.read_all()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if not child:
        os._exit(_in_child(side.dsn))
    assert os.waitpid(child, 0)[1] == 0
    for _ in range(ENOUGH):
        assert side.beside.execute(U).fetchall() == side.db.execute(U).fetchall()


def _in_child(dsn: str) -> int:
    """Read and write with connections of the child's own; 0 when nothing was stale and something was served."""
    reader, writer = proxydb.connect(dsn, config=KEEP_ALL, autocommit=True), psycopg.connect(dsn, autocommit=True)
    before, stale = reader.proxydb.stats().hits, 0
    for _ in range(3):
        writer.execute("UPDATE u SET x = x + 1")
        for _ in range(ENOUGH):
            stale += writer.execute(U).fetchall() != reader.execute(U).fetchall()
    return int(stale > 0 or reader.proxydb.stats().hits == before)


def test_database_of_the_same_name(postgres_server: PostgresServer) -> None:
    """A database that was dropped and made again has nothing of the old one."""
    with postgres_server.fresh_database() as dsn:
        name = sql.Identifier(str(conninfo_to_dict(dsn)["dbname"]))
        with proxydb.database(dsn):
            for number in range(3):
                with closing(Side(dsn, proxydb.psycopg)) as side:
                    side.beside.execute(SCHEMA)
                    side.beside.execute("UPDATE u SET x = %s", (number,))
                    for _ in range(ENOUGH):
                        verify([(300, 300 * number)], side.db.execute(U).fetchall())
                postgres_server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))
                postgres_server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(name))
