"""Which file a SQLite connection has opened, found out while its path still names it."""

from __future__ import annotations

import os
import sqlite3 as driver
from typing import Any, NamedTuple

from proxydb.drivers.sqlite.sentinel import identity_of

_HINDERING_OPTIONS = {
    "cache": ("shared", "the connection shares its page cache with others"),
    "nolock": ("1", "the file is opened without locks"),
    "immutable": ("1", "the file is opened as immutable"),
    "vfs": (None, "the file is opened through a VFS of the application's own"),
}


class File(NamedTuple):
    """The main database of a connection.

    Parameters
    ----------
    path
        Its absolute path; empty for a database in memory or in a temporary file.
    identity
        Its real path, device and inode; none likewise, or when that cannot be told.
    hindrance
        Why nothing may be served from memory on the connection; empty when it may.
    """

    path: str
    identity: tuple[str, int, int] | None
    hindrance: str


def file_named(args: tuple[Any, ...], options: dict[str, Any]) -> tuple[str, int, int] | None:
    """What the path that a connection is about to open names; none when that is nothing, or no plain path."""
    try:
        path = os.fsdecode(options.get("database", args[0] if args else ""))
        return None if _is_uri(path) else identity_of(path)
    except (TypeError, ValueError):
        return None


def _is_uri(path: str) -> bool:
    """Whether SQLite may take a path for a URI: some of its builds do so without being asked (sqlite.org/uri.html)."""
    return path.startswith("file:")


def file_of(connection: Any, before: tuple[str, int, int] | None) -> File:
    """The main database of a connection that has just been opened; `before` is what its path named until then."""
    path = _main_path(connection)
    identity = identity_of(path) if path else None
    hindrance = _hindrance(connection._options)
    if path and (identity is None or before not in (None, identity)):
        hindrance = "another file took the place of the database while it was opened"
    return File(path, identity, hindrance)


def _main_path(connection: driver.Connection) -> str:
    text_factory, connection.text_factory = connection.text_factory, os.fsdecode
    try:
        rows = driver.Cursor(connection).execute("PRAGMA database_list").fetchall()
    finally:
        connection.text_factory = text_factory
    return next(str(path or "") for _, name, path in rows if name == "main")


def _hindrance(options: dict[str, Any]) -> str:
    """Why nothing may be served on a connection that was opened with these options; empty when it may."""
    path = os.fsdecode(options.get("database", ""))
    if not _is_uri(path):
        return ""
    from urllib.parse import parse_qs, urlsplit  # only now: a plain path never needs it

    given = parse_qs(urlsplit(path).query)
    for name, (value, reason) in _HINDERING_OPTIONS.items():
        if name in given and value in (None, given[name][-1]):
            return reason
    return ""
