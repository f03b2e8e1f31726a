"""Deferred maintenance: triggers write down which rows were changed, and a refresh puts in anew what those touch.

First everything that comes from a changed row is removed, for all of them, then what there is now is put in. In one
pass a row that has taken over another one's unique value would be taken for what a REPLACE removed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from proxydb.sql.tokens import quoted
from proxydb.views.sqlite import changes
from proxydb.views.sqlite.triggers import EVENTS, trigger

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from proxydb.views.sqlite.facts import Execute
    from proxydb.views.sqlite.linked import LinkedTable
    from proxydb.views.sqlite.rows import RowsTable

SUFFIX = "_log"


@dataclass(frozen=True)
class Log:
    """Which rows of a table were changed, and what is done with one.

    Parameters
    ----------
    name
        The log's name.
    table
        The table whose changes it holds.
    columns
        What it holds of a row.
    first, then
        The statements of the two passes, which speak of the row as `changes.ROW`.
    """

    name: str
    table: str
    columns: tuple[str, ...]
    first: tuple[str, ...]
    then: tuple[str, ...]

    def create(self) -> Iterator[str]:
        """The statements that make it, with its index."""
        held = ", ".join(f"proxydb_{place}" for place in range(len(self.columns)))
        yield f"CREATE TABLE {quoted(self.name)} ({held})"
        yield f"CREATE INDEX {quoted(f'{self.name}_row')} ON {quoted(self.name)} ({held})"

    def triggers(self) -> Iterator[str]:
        """The statements that make the triggers of the table."""
        for event in EVENTS:
            rows = ["OLD"] * (event != "INSERT") + ["NEW"] * (event != "DELETE")
            yield trigger(f"{self.name}_{event.lower()}", event, self.table, map(self._noted, rows))

    def pending(self, execute: Execute) -> list[tuple[object, ...]]:
        """The rows that it holds."""
        rows: list[tuple[object, ...]] = execute(f"SELECT * FROM {quoted(self.name)}").fetchall()
        return rows

    def bound(self, statement: str) -> str:
        """A statement about a row, with parameters for its columns."""
        for place, column in enumerate(self.columns):
            statement = statement.replace(f"{changes.ROW}.{quoted(column)}", f":proxydb_{place}")
        return statement

    def _noted(self, row: str) -> str:
        values = [f"{row}.{quoted(column)}" for column in self.columns]
        same = " AND ".join(f"proxydb_{place} IS {value}" for place, value in enumerate(values))
        there = f"SELECT 1 FROM {quoted(self.name)} WHERE {same}"
        return f"INSERT INTO {quoted(self.name)} SELECT {', '.join(values)} WHERE NOT EXISTS ({there})"


def logs(view: str, tables: Sequence[RowsTable], linked: Sequence[LinkedTable]) -> list[Log]:
    """The logs of the tables that a view reads."""
    copied = {(each.reader.name, each.number): each for each in linked}
    found: dict[str, tuple[dict[str, None], list[str], list[str]]] = {}

    def note(table: str, columns: Iterable[str], first: Sequence[str], then: Sequence[str]) -> None:
        held = found.setdefault(table, ({}, [], []))
        held[0].update(dict.fromkeys(columns))
        held[1].extend(first)
        held[2].extend(then)

    for rows in tables:
        for number, source in enumerate(rows.arm.sources):
            unique = [column for unique in source.table.uniques for column in unique.columns]
            note(source.table.name, [*source.key, *unique], *changes.later_of_source(rows, number))
        for number, each in enumerate(rows.arm.subqueries):
            if copy := copied.get((rows.name, number)):
                names = [kept.name for kept in copy.rows.values]
                note(copy.rows.name, names, [], changes.later_of_sub_query(rows, number, names=names))
            else:
                links = [link.inner for link in each.links]
                note(each.source.table.name, links, [], changes.later_of_sub_query(rows, number))
    return [
        Log(f"proxydb_{view}_{place}{SUFFIX}", table, tuple(columns), tuple(first), tuple(then))
        for place, (table, (columns, first, then)) in enumerate(found.items())
    ]


def take_in(execute: Execute, of_view: Sequence[Log], tables: Sequence[RowsTable]) -> int:
    """Put in anew what the logs tell, and empty them.

    Returns
    -------
    int
        How many changed rows they held.
    """
    pending = [(log, log.pending(execute)) for log in of_view]
    for log, rows in pending:
        _run(execute, log, log.first, rows)
    for log, rows in pending:
        _run(execute, log, log.then, rows)
    for table in tables:
        if changes.needs_touched(table):
            for statement in changes.anew_touched(table, distinct=False):
                execute(statement)
    for log, _ in pending:
        execute(f"DELETE FROM {quoted(log.name)}")
    return sum(len(rows) for _, rows in pending)


def _run(execute: Execute, log: Log, statements: Sequence[str], rows: Sequence[tuple[object, ...]]) -> None:
    bound = [log.bound(statement) for statement in statements]
    for row in rows:
        values = {f"proxydb_{place}": value for place, value in enumerate(row)}
        for statement in bound:
            execute(statement, values)
