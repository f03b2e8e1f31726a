"""proxydb: a drop-in DB-API 2.0 proxy driver for SQLite and Postgres.

>>> import proxydb
>>> with proxydb.connect(":memory:") as connection:
...     connection.execute("SELECT 1").fetchall()
[(1,)]
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import proxydb.database  # noqa: F401 - first, or its later import would take the place of the function of that name
from proxydb import errors
from proxydb.dbapi.connect import connect, database

if TYPE_CHECKING:
    from proxydb.config import Config as Config

__all__ = ["Config", "connect", "database", "errors"]


def __getattr__(name: str) -> Any:
    """`Config` and `lake` are loaded when they are first asked for, so that importing a drop-in stays light."""
    from importlib import import_module

    if name == "Config":
        return import_module("proxydb.config").Config
    if name == "lake":
        return import_module("proxydb.lake")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
