"""Two fresh databases of one kind, for the same story told to a raw client and to a proxied one."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.sqlalchemy.urls import url_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.postgres_server import PostgresServer
    from tests.sqlite_files import SqliteFiles


class Addresses(NamedTuple):
    """URLs for SQLAlchemy.

    Parameters
    ----------
    raw
        A database through SQLAlchemy's own dialect.
    proxied
        Another one through ours, which keeps everything.
    foreign
        The same through SQLAlchemy's own, for a program that knows nothing of proxydb.
    """

    raw: str
    proxied: str
    foreign: str


@pytest.fixture
def addresses(system: SqliteFiles | PostgresServer) -> Iterator[Addresses]:
    """The URLs of fresh databases; a test that asks for them runs on every system."""
    with system.fresh_database() as one, system.fresh_database() as other:
        urls = url_of(one, "raw"), url_of(other, "proxydb", proxydb_admission="0"), url_of(other, "raw")
        yield Addresses(*(url.render_as_string(hide_password=False) for url in urls))
