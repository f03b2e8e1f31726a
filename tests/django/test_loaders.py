"""Timestamps that Django's own loader makes are made once, and each connection sees those of its own time zone."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any
from zoneinfo import ZoneInfo

import psycopg as raw
from django.db.backends.postgresql.psycopg_any import get_adapters_template

import proxydb
from proxydb import psycopg
from proxydb.dbapi.postgres_served import Served

ZONES = (ZoneInfo("Europe/Bucharest"), ZoneInfo("Asia/Tokyo"), None)
QUESTION = "SELECT at, n FROM t ORDER BY n"


def connect(module: Any, dsn: str, zone: ZoneInfo | None) -> Any:
    """A connection as Django's back end opens it."""
    context = get_adapters_template(zone is not None, zone)
    connection = module.connect(dsn, autocommit=True, context=context, cursor_factory=module.ClientCursor)
    connection._config = proxydb.Config(admission=0)
    connection.execute(f"SET TIME ZONE '{zone or 'UTC'}'")
    return connection


def test_timestamps(postgres_dsn: str) -> None:
    """The rows are decoded already when they are asked for again, and are what psycopg's connection gives."""
    with ExitStack() as stack:
        ours, theirs = (
            [stack.enter_context(connect(module, postgres_dsn, zone)) for zone in ZONES] for module in (psycopg, raw)
        )
        ours[0].execute("CREATE TABLE t (at timestamptz, n int)")
        ours[0].execute(
            "INSERT INTO t SELECT TIMESTAMPTZ '2024-07-01+00' + n * INTERVAL '1h', n FROM generate_series(1, 3) n"
        )
        for _ in range(4):
            cursors = [connection.execute(QUESTION) for connection in ours]
            expected = [connection.execute(QUESTION).fetchall() for connection in theirs]
            served = [isinstance(cursor, Served) for cursor in cursors]
            assert [repr(cursor.fetchall()) for cursor in cursors] == list(map(repr, expected))
        assert served == [True] * 3
