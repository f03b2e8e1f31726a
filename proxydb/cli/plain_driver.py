"""Connections of the plain drivers, which know nothing of proxydb: what the demo compares with."""

from __future__ import annotations

import sqlite3
from typing import Any

from proxydb.dbapi.connect import parse_target
from proxydb.errors import MissingExtra

AUTOCOMMIT: dict[str, dict[str, Any]] = {"sqlite": {"isolation_level": None}, "postgresql": {"autocommit": True}}
"""Each driver's option to open no transaction unasked."""


def open_plain(target: str) -> Any:
    """A connection of `sqlite3` or `psycopg` in autocommit mode."""
    where = parse_target(target)
    options = AUTOCOMMIT[where.system]
    if where.system == "sqlite":
        return sqlite3.connect(where.address, uri=where.uri, timeout=30, **options)
    return _psycopg().connect(where.address, **options)


def with_database(target: str, name: str) -> str:
    """The same Postgres server and role, another database."""
    conninfo = _psycopg().conninfo
    parameters = conninfo.conninfo_to_dict(parse_target(target).address)
    return str(conninfo.make_conninfo("", **{**parameters, "dbname": name}))


def system_of(target: str) -> str:
    """``"sqlite"`` or ``"postgresql"``."""
    return parse_target(target).system


def driver_error(system: str) -> type[Exception]:
    """What the driver raises."""
    return sqlite3.Error if system == "sqlite" else _psycopg().Error


def _psycopg() -> Any:
    try:
        import psycopg
    except ImportError as error:
        raise MissingExtra.named("postgres", "a Postgres target") from error
    return psycopg
