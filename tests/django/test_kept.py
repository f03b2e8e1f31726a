"""What an alias of Django's has learned outlives its connections, until another database takes the alias over."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

import proxydb
from proxydb.django.kept import keep, release
from tests.sqlite_files import empty_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from proxydb.database import Database


@pytest.fixture(autouse=True)
def _nothing_is_kept_afterwards() -> Iterator[None]:
    yield
    release("default")


def database(path: Path) -> Database:
    """The database that a new connection to a file finds."""
    with closing(proxydb.connect(path)) as connection:
        found: Database = connection.proxydb
        return found


def kept(path: Path) -> Database:
    """The same, kept."""
    with closing(proxydb.connect(path)) as connection:
        found: Database = connection.proxydb
        keep("default", found)
        return found


def test_outlives_connections(sqlite_path: Path) -> None:
    """The next connection finds the same `Database`; without `keep` it does not."""
    assert database(sqlite_path) is not database(sqlite_path)
    assert kept(sqlite_path) is database(sqlite_path)


def test_released(sqlite_path: Path) -> None:
    """Having been released, it goes with its last connection, however often it was kept."""
    first, *_ = [kept(sqlite_path) for _ in range(3)]
    release("default")
    assert database(sqlite_path) is not first


def test_another_takes_its_place(sqlite_path: Path, tmp_path: Path) -> None:
    """An alias keeps one: the former goes."""
    first = kept(sqlite_path)
    second = kept(empty_file(tmp_path / "second.db", "delete"))
    assert database(sqlite_path) is not first
    assert database(tmp_path / "second.db") is second


def test_aliases_do_not_disturb_each_other(sqlite_path: Path) -> None:
    """What another alias releases stays with this one."""
    first = kept(sqlite_path)
    keep("other", first)
    release("other")
    assert database(sqlite_path) is first


def test_threads(sqlite_path: Path) -> None:
    """Threads that keep the same at the same time hold it once."""
    with closing(proxydb.connect(sqlite_path)) as connection, ThreadPoolExecutor(8) as pool:
        first = connection.proxydb
        list(pool.map(lambda _: keep("default", first), range(200)))
        release("default")
        assert first.is_last()
