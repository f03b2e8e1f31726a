"""SQLite connections and cursors: the standard library's own classes, subclassed."""

from __future__ import annotations

import sqlite3 as driver
from typing import Any


class Cursor(driver.Cursor):
    """A `sqlite3.Cursor` whose statements go through proxydb."""

    __slots__ = ()


class Connection(driver.Connection):
    """A `sqlite3.Connection` whose statements go through proxydb."""

    def cursor(self, factory: Any = Cursor) -> Any:
        return super().cursor(factory)


def connect(*args: Any, **kwargs: Any) -> Any:
    """Open a SQLite database as `sqlite3.connect` does; a caller's own `factory` is mixed with ours."""
    kwargs.setdefault("factory", Connection)
    return driver.connect(*args, **kwargs)
