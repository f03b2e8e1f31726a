"""The dialects of ``postgresql+proxydb://``: SQLAlchemy's own for psycopg 3, sync and async, on the drop-in."""

from __future__ import annotations

from typing import Any

from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg, PGDialectAsync_psycopg

from proxydb.sqlalchemy.dialect import Proxied


class PostgresDialect(Proxied, PGDialect_psycopg):
    """psycopg through proxydb."""

    supports_statement_cache = True

    @classmethod
    def import_dbapi(cls) -> Any:
        """The module that the dialect speaks to."""
        from proxydb import psycopg

        return psycopg

    @classmethod
    def get_async_dialect_cls(cls, url: Any) -> Any:
        """What `create_async_engine` takes for the same URL."""
        return PostgresAsyncDialect


class PostgresAsyncDialect(Proxied, PGDialectAsync_psycopg):
    """psycopg's asynchronous connections through proxydb."""

    supports_statement_cache = True

    @classmethod
    def import_dbapi(cls) -> Any:
        """What SQLAlchemy makes of psycopg's module for its own, of ours."""
        from proxydb import psycopg

        adapted: Any = super().import_dbapi()  # type: ignore[no-untyped-call]
        vars(adapted).update({name: value for name, value in vars(psycopg).items() if name != "connect"})
        adapted.psycopg = psycopg
        return adapted

    @classmethod
    def get_async_dialect_cls(cls, url: Any) -> Any:
        """This one, where the URL names it."""
        return cls
