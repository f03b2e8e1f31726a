"""Which file a SQLite connection has opened, and what its URI says against serving from memory."""

from __future__ import annotations

import os
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

import proxydb.sqlite3
from proxydb.dbapi.sqlite_file import file_named
from proxydb.drivers.sqlite.sentinel import identity_of

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("uri", [False, True])
def test_plain_path(sqlite_path: Path, uri: bool) -> None:
    """A path that is no URI names its file, whether or not URIs are allowed, as Django always does."""
    assert file_named((sqlite_path,), {"uri": uri}) == identity_of(str(sqlite_path))
    assert file_named((), {"database": os.fsencode(sqlite_path), "uri": uri}) == identity_of(str(sqlite_path))


def test_uri(sqlite_path: Path) -> None:
    """What a URI names is told only after it was opened."""
    assert file_named((f"file:{sqlite_path}",), {"uri": True}) is None


@pytest.mark.parametrize("parameter", ["nolock=1", "immutable=1", "cache=shared", "vfs=unix"])
def test_hindering_uri(sqlite_path: Path, parameter: str) -> None:
    """A URI that changes what can be noticed of other programs keeps everything from being served."""
    with closing(proxydb.sqlite3.connect(f"file:{sqlite_path}?{parameter}", uri=True)) as connection:
        assert connection._file.hindrance


def test_hindering_uri_that_was_not_asked_for(sqlite_path: Path) -> None:
    """Where SQLite is built to take URIs always, they are looked into always."""
    with closing(proxydb.sqlite3.connect(":memory:")) as connection:
        if ("USE_URI",) not in connection.execute("PRAGMA compile_options").fetchall():
            pytest.skip("this SQLite takes URIs only where they are asked for")
    with closing(proxydb.sqlite3.connect(f"file:{sqlite_path}?nolock=1")) as connection:
        assert connection._file.hindrance == "the file is opened without locks"


def test_question_mark_in_a_path(tmp_path: Path) -> None:
    """A plain path that looks like such a URI from behind is none."""
    with closing(proxydb.sqlite3.connect(tmp_path / "a?nolock=1", uri=True)) as connection:
        assert connection._file == (str(tmp_path / "a?nolock=1"), identity_of(str(tmp_path / "a?nolock=1")), "")
