"""proxydb: a drop-in DB-API 2.0 proxy driver for SQLite and Postgres.

>>> import proxydb
>>> with proxydb.connect(":memory:") as connection:
...     connection.execute("SELECT 1").fetchall()
[(1,)]
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from proxydb import errors as errors
    from proxydb.config import Config as Config
    from proxydb.dbapi.connect import connect as connect
    from proxydb.dbapi.connect import database as database
    from proxydb.dbapi.instrument import install as install
    from proxydb.dbapi.instrument import uninstall as uninstall

__all__ = ["Config", "connect", "database", "errors", "install", "uninstall"]

_LATER = {
    "Config": "proxydb.config",
    "connect": "proxydb.dbapi.connect",
    "database": "proxydb.dbapi.connect",
    "install": "proxydb.dbapi.instrument",
    "uninstall": "proxydb.dbapi.instrument",
}


def __getattr__(name: str) -> Any:
    """What is not needed by every program is loaded when it is first asked for, so importing a drop-in stays light."""
    from importlib import import_module

    if name in ("errors", "lake"):
        return import_module(f"proxydb.{name}")
    if name in _LATER:
        return getattr(import_module(_LATER[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class _Package(ModuleType):
    """The package, whose function `database` has the name of one of its modules."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name != "database" or not isinstance(value, ModuleType):  # importing the module must not hide the function
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
