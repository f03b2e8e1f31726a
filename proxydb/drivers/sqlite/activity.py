"""Whether a connection has an unfinished cursor, which keeps an old snapshot although no transaction is open.

The standard library knows but does not tell: a cursor drops its statement when the last row was stepped over, and the
connection keeps weak references to its cursors. The garbage collector shows both. That this holds on the running
interpreter is tried out once; where it does not, every connection counts as busy and nothing is served from memory.
"""

from __future__ import annotations

import sqlite3 as driver
from gc import get_referents
from operator import length_hint
from typing import Any
from weakref import ReferenceType


def has_unfinished_cursor(connection: driver.Connection) -> bool:
    """Whether a cursor or a blob of `connection` has not come to its end."""
    if _STATEMENT is None:
        return True
    return any(map(_is_unfinished, users_of(connection)))


def standing_in(connection: driver.Connection, but: driver.Cursor | None) -> driver.Cursor | None:
    """An unfinished cursor, for cursors that are not read to their end and whose rows are in memory; none without such.

    As long as the driver's own would not have come to its end, a table cannot be dropped, nor the file be vacuumed.
    The cursor `but` is about to execute something, and would let go of its own statement.
    """
    if not any(length_hint(getattr(user, "_rows", ())) for user in users_of(connection) if user is not but):
        return None
    return driver.Cursor(connection).execute("SELECT 1 FROM sqlite_schema")


def users_of(connection: driver.Connection) -> list[Any]:
    """The cursors and blobs of a connection that are alive."""
    lists = [referent for referent in get_referents(connection) if type(referent) is list]
    return [
        user
        for references in lists
        for reference in references
        if type(reference) is ReferenceType and (user := reference()) is not None
    ]


def _is_unfinished(user: Any) -> bool:
    """A blob reads as long as it lives; a cursor while it has a statement."""
    return isinstance(user, driver.Blob) or any(type(referent) is _STATEMENT for referent in get_referents(user))


def _statement_type() -> type | None:
    """The type of the statement that an unfinished cursor refers to; none where a finished one looks the same."""
    connection = driver.connect(":memory:")
    try:
        cursor = connection.execute("VALUES (1), (2)")
        found = {kind for kind in map(type, get_referents(cursor)) if kind.__name__ == "Statement"}
        cursor.fetchone()
        found &= set(map(type, get_referents(cursor)))
        cursor.fetchall()
        found -= set(map(type, get_referents(cursor)))
        return found.pop() if len(found) == 1 else None
    finally:
        connection.close()


_STATEMENT = _statement_type()
