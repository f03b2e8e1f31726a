"""SQLAlchemy URLs of the tests' databases."""

from __future__ import annotations

from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import URL

OWN = {"sqlite": "pysqlite", "postgresql": "psycopg"}
"""SQLAlchemy's own driver names for what the drop-ins stand in for."""


def url_of(target: str, driver: str, **query: str) -> URL:
    """The URL of a SQLite path or a libpq conninfo through `driver`: ``proxydb``, or ``raw`` for SQLAlchemy's own."""
    if "=" not in target:
        return sqlite_url(target, driver, **query)
    parts = {name: str(value) for name, value in conninfo_to_dict(target).items() if value is not None}
    user, password, database = (parts.pop(name, None) for name in ("user", "password", "dbname"))
    return URL.create(_name("postgresql", driver), user, password, database=database, query=parts | query)


def sqlite_url(path: str, driver: str, **query: str) -> URL:
    """The URL of a file."""
    return URL.create(_name("sqlite", driver), database=path, query=query)


def _name(kind: str, driver: str) -> str:
    return f"{kind}+{OWN[kind] if driver == 'raw' else driver}"
