"""The dialects of ``sqlite+proxydb://``: SQLAlchemy's own for `sqlite3` and for aiosqlite, on the drop-ins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy.dialects.sqlite.aiosqlite import AsyncAdapt_aiosqlite_dbapi, SQLiteDialect_aiosqlite
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

from proxydb.sqlalchemy.dialect import Proxied

if TYPE_CHECKING:
    from proxydb.config import Config


class SqliteDialect(Proxied, SQLiteDialect_pysqlite):
    """`sqlite3` through proxydb."""

    supports_statement_cache = True

    @classmethod
    def import_dbapi(cls) -> Any:
        """The module that the dialect speaks to."""
        from proxydb import sqlite3

        return sqlite3

    @classmethod
    def get_async_dialect_cls(cls, url: Any) -> Any:
        """What `create_async_engine` takes for the same URL."""
        return SqliteAsyncDialect


class SqliteAsyncDialect(Proxied, SQLiteDialect_aiosqlite):
    """aiosqlite through proxydb."""

    supports_statement_cache = True

    @classmethod
    def import_dbapi(cls) -> Any:
        """The module that the dialect speaks to."""
        from proxydb import aiosqlite, sqlite3

        return AsyncAdapt_aiosqlite_dbapi(aiosqlite, sqlite3)

    def _open(self, config: Config, *arguments: Any, **keywords: Any) -> Any:
        """The options are needed in the connection's thread, before it can be seen here."""
        if "async_creator_fn" not in keywords:
            keywords["config"] = config
        return super(Proxied, self).connect(*arguments, **keywords)
