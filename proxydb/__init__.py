"""proxydb: a drop-in DB-API 2.0 proxy driver for SQLite and Postgres.

>>> import proxydb
>>> with proxydb.connect(":memory:") as connection:
...     connection.execute("SELECT 1").fetchall()
[(1,)]
"""

from __future__ import annotations

from proxydb import errors
from proxydb.config import Config
from proxydb.dbapi.connect import connect

__all__ = ["Config", "connect", "errors"]
