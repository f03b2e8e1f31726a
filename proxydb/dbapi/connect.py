"""From a connection target to a proxied connection: a path, a URI, a URL or a libpq conninfo."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from proxydb.errors import MissingExtra, TargetError

if TYPE_CHECKING:
    from proxydb.config import Config
    from proxydb.database import Database

ACCEPTED = (
    "a file path, ':memory:', a 'file:' URI, 'sqlite:///path', 'postgresql://user@host/dbname' "
    "or a libpq conninfo such as 'host=… dbname=…'"
)

_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]+)://")
_CONNINFO = re.compile(r"\s*[a-z_]+\s*=\s*('(?:[^'\\]|\\.)*'|\S*)(\s+[a-z_]+\s*=\s*('(?:[^'\\]|\\.)*'|\S*))*\s*\Z")


class Target(NamedTuple):
    """A connection target, understood.

    Parameters
    ----------
    system
        ``"sqlite"`` or ``"postgresql"``.
    address
        What the driver's own `connect` takes: a path or URI for SQLite, a conninfo string for Postgres.
    uri
        Whether a SQLite `address` is a ``file:`` URI.
    """

    system: str
    address: str
    uri: bool = False


def parse_target(target: str | os.PathLike[str] | bytes) -> Target:
    """Tell which database `target` names.

    Raises
    ------
    proxydb.errors.TargetError
        The target is neither a SQLite file nor a Postgres server; the message says what is accepted, and never
        repeats the target, which may hold a password.
    """
    if not isinstance(target, (str, bytes, os.PathLike)):
        raise TargetError(f"a connection target is {ACCEPTED}, not {type(target).__name__}")
    text = os.fsdecode(target)
    if isinstance(target, os.PathLike) or text == ":memory:":
        return Target("sqlite", text)
    if text.startswith("file:"):
        return Target("sqlite", text, uri=True)
    if url := _URL.match(text):
        return _parse_url(url["scheme"].lower(), text, text[url.end() :])
    if _CONNINFO.match(text):
        return Target("postgresql", text)
    if not text or "\0" in text:
        raise TargetError(f"a connection target is {ACCEPTED}")
    return Target("sqlite", text)


def _parse_url(scheme: str, text: str, rest: str) -> Target:
    """A URL's target; after ``sqlite://`` comes no host, so its path starts at the third slash, as in SQLAlchemy."""
    if scheme in ("postgresql", "postgres"):
        return Target("postgresql", text)
    if scheme != "sqlite":
        raise TargetError(f"the URL scheme {scheme!r} is not known: a connection target is {ACCEPTED}")
    from urllib.parse import unquote  # only now: a plain path never needs it

    host, slash, path = rest.partition("/")
    if host or (rest and not slash):
        raise TargetError("a sqlite URL has no host: write three slashes before a relative path, four before /")
    return Target("sqlite", unquote(path) or ":memory:")


def connect(target: str | os.PathLike[str] | bytes, *, config: Config | None = None, **driver_kwargs: Any) -> Any:
    """Open a proxied connection to a SQLite file or a Postgres server.

    Parameters
    ----------
    target
        A file path, ``":memory:"``, a ``file:`` URI, ``sqlite:///path``, ``postgresql://…`` or a libpq conninfo.
    config
        The options; by default those of the PROXYDB_* variables. Connections of one process to one database share
        the options of the first.
    driver_kwargs
        Passed to the driver's own `connect` as they are.

    Returns
    -------
    proxydb.sqlite3.Connection or proxydb.psycopg.Connection
        The driver's own connection class, subclassed: whatever works on the driver works on it.

    Raises
    ------
    proxydb.errors.TargetError
        The target names neither kind of database.
    proxydb.errors.MissingExtra
        The target is Postgres and psycopg is not installed.
    """
    where = parse_target(target)
    if where.system == "sqlite":
        return _connect_sqlite(where, config, driver_kwargs)
    return _connect_postgres(where, config, driver_kwargs)


def database(target: str | os.PathLike[str] | bytes, *, config: Config | None = None) -> Database:
    """The one `Database` of this process for a target, open until its `close`.

    What it has learned and kept outlives the connections that come and go meanwhile.

    Parameters
    ----------
    target, config
        As for `connect`.

    Raises
    ------
    proxydb.errors.TargetError
        The target names neither kind of database, or one in memory, which only its own connection can see.
    """
    from proxydb.database import hold

    if parse_target(target).address == ":memory:":
        raise TargetError("a database in memory belongs to its connection: use the connection's attribute `proxydb`")
    connection = connect(target, config=config)
    try:
        return hold(connection.proxydb)
    finally:
        connection.close()


def _connect_sqlite(where: Target, config: Config | None, driver_kwargs: dict[str, Any]) -> Any:
    from proxydb.dbapi import sqlite

    if where.uri:
        driver_kwargs.setdefault("uri", True)
    connection = sqlite.connect(where.address, **driver_kwargs)
    connection._config = config
    return connection


def _connect_postgres(where: Target, config: Config | None, driver_kwargs: dict[str, Any]) -> Any:
    try:
        from proxydb.dbapi import postgres
    except MissingExtra:  # there is one, but too old
        raise
    except ImportError as error:
        raise MissingExtra.named("postgres", "a Postgres target") from error
    connection = postgres.Connection.connect(where.address, **driver_kwargs)
    connection._config = config
    return connection
