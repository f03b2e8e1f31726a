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
    from proxydb.dbapi.instrument import install as install
    from proxydb.dbapi.instrument import uninstall as uninstall

__all__ = ["Config", "connect", "database", "errors", "install", "uninstall"]

_LATER = {
    "Config": "proxydb.config",
    "install": "proxydb.dbapi.instrument",
    "uninstall": "proxydb.dbapi.instrument",
}


def __getattr__(name: str) -> Any:
    """What is not needed by every program is loaded when it is first asked for, so importing a drop-in stays light."""
    from importlib import import_module

    if name == "lake":
        return import_module("proxydb.lake")
    if name in _LATER:
        return getattr(import_module(_LATER[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
