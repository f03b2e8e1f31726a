"""Transactions in which views are made and read, on whatever connection there is."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxydb.views.sqlite.facts import Execute


@contextmanager
def writing(connection: Any) -> Iterator[Execute]:
    """One transaction that keeps other writers out from its beginning; a savepoint where one is open already."""
    execute = executor(connection)
    nested = connection.in_transaction
    execute("SAVEPOINT proxydb_views" if nested else "BEGIN IMMEDIATE")
    try:
        yield execute
    except BaseException:
        if nested and connection.in_transaction:
            execute("ROLLBACK TO proxydb_views")
            execute("RELEASE proxydb_views")
        elif connection.in_transaction:
            execute("ROLLBACK")
        raise
    execute("RELEASE proxydb_views" if nested else "COMMIT")


@contextmanager
def reading(connection: Any) -> Iterator[Execute]:
    """One snapshot."""
    execute = executor(connection)
    nested = connection.in_transaction
    if not nested:
        execute("BEGIN")
    try:
        yield execute
    finally:
        if not nested and connection.in_transaction:
            execute("COMMIT")


def executor(connection: Any) -> Execute:
    """Runs statements on a connection, whatever form of rows the application wants."""

    def execute(sql: str, parameters: Any = ()) -> Any:
        cursor = connection.cursor()
        cursor.row_factory = None
        return cursor.execute(sql, parameters)

    return execute
