"""The demo's table: imported into a database for as long as it is needed, and removed again."""

from __future__ import annotations

import os
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import proxydb.lake
from proxydb.cli.plain_driver import driver_error, open_plain, system_of
from proxydb.lake.schema import DEFINITIONS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from proxydb.cli.screen import Progress
    from proxydb.lake import ParameterRanges, Table

_TABLES = [definition.name for definition in DEFINITIONS]


class DemoTable(NamedTuple):
    """The table in its database.

    Parameters
    ----------
    target, system
        The database, as `proxydb.connect` takes it, and ``"sqlite"`` or ``"postgresql"``.
    ranges
        What the operations' parameters are drawn from.
    """

    target: str
    system: str
    ranges: ParameterRanges


@contextmanager
def imported(log: str | Path, target: str, progress: Progress) -> Iterator[DemoTable]:
    """The Delta table of the directory `log`, in the database `target`, until the block ends."""
    with _clean_again(target), proxydb.lake.open(target) as lake:
        name = f"proxydb-demo-{os.getpid()}-{time.time_ns()}"
        table = lake.import_delta(log, name, progress=lambda done, total: progress("importing", done, total))
        ranges = table.parameter_ranges()
        lake.close()  # or its connection, with options of its own, would be the database's first
        try:
            yield DemoTable(target, lake.system, ranges)
        finally:
            _remove(target, table)


@contextmanager
def _clean_again(target: str) -> Iterator[None]:
    """Drop the lake's tables at the end unless they were there at the beginning, or somebody uses them now."""
    with closing(open_plain(target)) as connection:
        had_tables = _count_of_tables(connection, target) is not None
    try:
        yield
    finally:
        with closing(open_plain(target)) as connection:
            if not had_tables and _count_of_tables(connection, target) == 0:
                for name in _TABLES:
                    connection.execute(f"DROP TABLE {name}")


def _count_of_tables(connection: Any, target: str) -> int | None:
    """How many Delta tables the database holds; none where there is no lake."""
    try:
        return int(connection.execute("SELECT COUNT(*) FROM dl_tables").fetchone()[0])
    except driver_error(system_of(target)):
        return None


def _remove(target: str, table: Table) -> None:
    """Delete every row of the table, in one transaction."""
    with closing(open_plain(target)) as connection:
        connection.execute("BEGIN")
        for definition in DEFINITIONS:
            if "table_id" in definition.columns:
                connection.execute(f"DELETE FROM {definition.name} WHERE table_id = {table.table_id:d}")
        connection.execute("COMMIT")
