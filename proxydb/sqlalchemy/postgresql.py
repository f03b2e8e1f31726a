"""The dialects of ``postgresql+proxydb://``: SQLAlchemy's own for psycopg 3, on the drop-in."""

from __future__ import annotations

from typing import Any

from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from proxydb.sqlalchemy.dialect import Proxied


class PostgresDialect(Proxied, PGDialect_psycopg):
    """psycopg through proxydb."""

    supports_statement_cache = True

    @classmethod
    def import_dbapi(cls) -> Any:
        """The module that the dialect speaks to."""
        from proxydb import psycopg

        return psycopg
