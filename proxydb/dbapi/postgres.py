"""Postgres connections and cursors: psycopg's own classes, subclassed."""

from __future__ import annotations

from typing import Any

import psycopg as driver
from psycopg.rows import Row


class Cursor(driver.Cursor[Row]):
    """A `psycopg.Cursor` whose statements go through proxydb."""


class ClientCursor(driver.ClientCursor[Row]):
    """A `psycopg.ClientCursor` whose statements go through proxydb."""


class RawCursor(driver.RawCursor[Row]):
    """A `psycopg.RawCursor` whose statements go through proxydb."""


class ServerCursor(driver.ServerCursor[Row]):
    """A `psycopg.ServerCursor` whose statements go through proxydb."""


class RawServerCursor(driver.RawServerCursor[Row]):
    """A `psycopg.RawServerCursor` whose statements go through proxydb."""


class Connection(driver.Connection[Row]):
    """A `psycopg.Connection` whose statements go through proxydb."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.cursor_factory = Cursor
        self.server_cursor_factory = ServerCursor
