"""The dialect of ``sqlite+proxydb://``: SQLAlchemy's own for `sqlite3`, on the drop-in."""

from __future__ import annotations

from typing import Any

from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

from proxydb.sqlalchemy.dialect import Proxied


class SqliteDialect(Proxied, SQLiteDialect_pysqlite):
    """`sqlite3` through proxydb."""

    supports_statement_cache = True

    @classmethod
    def import_dbapi(cls) -> Any:
        """The module that the dialect speaks to."""
        from proxydb import sqlite3

        return sqlite3
