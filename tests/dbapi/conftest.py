"""What every test of SQLite's cursors and connections may ask for."""

from __future__ import annotations

import sqlite3
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

import pytest

import proxydb
from proxydb.config import Config
from tests.dbapi.sides import Both, made

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def both(tmp_path: Path) -> Iterator[Both]:
    """A raw connection and a proxied one that keeps whatever may be kept."""
    with ExitStack() as stack:
        raw, ours = made(tmp_path / "raw.db"), made(tmp_path / "ours.db")
        yield Both(
            stack.enter_context(closing(sqlite3.connect(raw))),
            stack.enter_context(closing(proxydb.connect(ours, config=Config(admission=0)))),
        )
