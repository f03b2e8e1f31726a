"""Drop-in for `aiosqlite`: every name of it, with connections that go through proxydb.

``from proxydb import aiosqlite`` is the only line that changes.
"""

from __future__ import annotations

from proxydb.errors import MissingExtra as _MissingExtra

try:
    import aiosqlite as _driver
    from aiosqlite import *  # noqa: F403 - a drop-in has every name of what it stands in for
except ImportError as _error:
    raise _MissingExtra.named("aio", "proxydb.aiosqlite") from _error

from proxydb.dbapi.sqlite_async import Connection, connect

globals().update({name: value for name, value in vars(_driver).items() if name not in globals()})

__path__ = _driver.__path__
__doc__ = _driver.__doc__
