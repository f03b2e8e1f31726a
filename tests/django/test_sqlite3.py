"""What Django's settings of a SQLite database mean for its connections."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from django.core.exceptions import ImproperlyConfigured

import proxydb.sqlite3
from proxydb.django.kept import release
from proxydb.django.sqlite3.base import DatabaseWrapper

if TYPE_CHECKING:
    from pathlib import Path


class Own(sqlite3.Connection):
    """An application's own connection."""

    def answer(self) -> int:
        return int(self.execute("SELECT 42").fetchone()[0])


def opened(path: Path, **options: Any) -> Any:
    """A new connection of the driver's for settings with these options."""
    wrapper = DatabaseWrapper({"NAME": path, "OPTIONS": options}, "default")
    try:
        return wrapper.get_new_connection(wrapper.get_connection_params())
    finally:
        release("default")


def test_options(sqlite_path: Path) -> None:
    """A connection has the options of proxydb's that the settings give, from its first statement on."""
    with closing(opened(sqlite_path, proxydb={"cache": "off"})) as connection:
        assert connection.proxydb.config.cache == "off"


def test_mistake(sqlite_path: Path) -> None:
    """A mistake is told before anything is opened."""
    with pytest.raises(ImproperlyConfigured, match="cache is 'sometimes'"):
        opened(sqlite_path, proxydb={"cache": "sometimes"})


def test_own_factory(sqlite_path: Path) -> None:
    """A connection class that the settings name is mixed with proxydb's."""
    with closing(opened(sqlite_path, factory=Own)) as connection:
        assert (connection.answer(), isinstance(connection, proxydb.sqlite3.Connection)) == (42, True)


def test_memory() -> None:
    """A database in memory goes with its connection: nothing of it is kept."""
    with closing(opened(":memory:")) as connection:  # type: ignore[arg-type]
        assert connection.proxydb.is_last()


def test_served_beside_the_functions_of_django(sqlite_path: Path) -> None:
    """Django defines some thirty functions on each connection; what calls none of them comes from memory."""
    with closing(opened(sqlite_path, proxydb={"admission": 0})) as connection:
        connection.execute("CREATE TABLE t (a)")
        for _ in range(3):
            connection.execute("SELECT upper(a) FROM t").fetchall()
            connection.execute("SELECT sign(a) FROM t").fetchall()
        stats = connection.proxydb.stats()
    assert stats.hits == 2
    assert stats.bypasses == {"calls a function that the application defined": 3}
