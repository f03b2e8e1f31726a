"""SQLite database files for tests."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class SqliteFiles:
    """SQLite as a system that makes fresh databases, as a Postgres server does."""

    name = "sqlite"

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._numbers = count(1)

    @contextmanager
    def fresh_database(self) -> Iterator[str]:
        """The path of a new empty database; the directory is removed with everything in it by who made it."""
        yield str(empty_file(self._directory / f"{next(self._numbers)}.db", "delete"))


def empty_file(path: Path, journal: str) -> Path:
    """Make an empty database in this journal mode: ``delete`` is SQLite's default, ``wal`` stays with the file."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA journal_mode = {journal}")
    path.touch()
    return path
