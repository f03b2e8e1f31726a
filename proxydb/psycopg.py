"""Drop-in for `psycopg`: every name of it, with connections and cursors that go through proxydb.

``from proxydb import psycopg`` is the only line that changes; its submodules (`psycopg.rows`, `psycopg.sql`, …) are the
driver's own.
"""

from __future__ import annotations

from proxydb.errors import MissingExtra as _MissingExtra

try:
    import psycopg as _driver
    from psycopg import *  # noqa: F403 - a drop-in has every name of what it stands in for
except ImportError as _error:
    raise _MissingExtra.named("postgres", "proxydb.psycopg") from _error

from proxydb.dbapi.postgres import (
    ClientCursor,
    Connection,
    Cursor,
    RawCursor,
    RawServerCursor,
    ServerCursor,
)
from proxydb.dbapi.postgres_async import (
    AsyncClientCursor,
    AsyncConnection,
    AsyncCursor,
    AsyncRawCursor,
    AsyncRawServerCursor,
    AsyncServerCursor,
)

connect = Connection.connect

globals().update({name: value for name, value in vars(_driver).items() if name not in globals()})

__path__ = _driver.__path__
__doc__ = _driver.__doc__
