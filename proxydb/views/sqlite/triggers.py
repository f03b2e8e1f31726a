"""The triggers on a view's sources and on its own tables: one for each table and event, as the newest fires first.

Statements in triggers take over the conflict policy of the statement that fired them
(https://sqlite.org/lang_createtrigger.html), so none of them relies on a constraint.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxydb.sql.tokens import quoted
from proxydb.views.sqlite import changes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from proxydb.views.definition import Source
    from proxydb.views.sqlite.groups import GroupsTable
    from proxydb.views.sqlite.linked import LinkedTable
    from proxydb.views.sqlite.rows import RowsTable

EVENTS = ("INSERT", "UPDATE", "DELETE")

_ROWID = ("rowid", "_rowid_", "oid")
"""Other names of an INTEGER PRIMARY KEY, by which an update may change it."""


def source_triggers(view: str, tables: Sequence[RowsTable], linked: Sequence[LinkedTable]) -> Iterator[str]:
    """The statements that make the triggers on the tables that a view reads."""
    copied = {(each.reader.name, each.number) for each in linked}
    roles: dict[str, list[tuple[Source, dict[str, list[str]]]]] = {}
    for rows in (*tables, *(each.rows for each in linked)):
        for number, source in enumerate(rows.arm.sources):
            bodies = {event: changes.of_source(rows, number, event) for event in EVENTS}
            roles.setdefault(source.table.name, []).append((source, bodies))
    for rows in tables:
        for number, each in enumerate(rows.arm.subqueries):
            if (rows.name, number) not in copied:
                bodies = {event: changes.of_sub_query(rows, number, event) for event in EVENTS}
                roles.setdefault(each.source.table.name, []).append((each.source, bodies))
    for place, (table, of_table) in enumerate(roles.items()):
        for event in EVENTS:
            columns = _columns([source for source, _ in of_table]) if event == "UPDATE" else ""
            body = [line for _, bodies in of_table for line in bodies[event]]
            yield trigger(f"proxydb_{view}_{place}_{event.lower()}", f"{event}{columns}", table, body)


def group_triggers(groups: GroupsTable) -> Iterator[str]:
    """The statements that make the triggers on the table of rows that groups are made of."""
    rows, condition = groups.rows.name, groups.rows.condition
    for event, row, body in (("INSERT", "NEW", groups.added()), ("DELETE", "OLD", groups.removed())):
        yield trigger(
            f"{groups.name}_{event.lower()}", event, rows, body, when=f"{row}.{condition}" if condition else ""
        )


def linked_triggers(linked: LinkedTable) -> Iterator[str]:
    """The statements that make the triggers on the copy of a sub-query's table."""
    names = [kept.name for kept in linked.rows.values]
    for event in ("INSERT", "DELETE"):
        body = changes.of_sub_query(linked.reader, linked.number, event, names=names)
        yield trigger(f"{linked.rows.name}_{event.lower()}", event, linked.rows.name, body)


def trigger(name: str, event: str, table: str, body: Iterable[str], *, when: str = "") -> str:
    """A statement that makes a trigger."""
    lines = "".join(f"  {line};\n" for line in body)
    only = f" WHEN {when}" if when else ""
    return f"CREATE TRIGGER {quoted(name)} AFTER {event} ON {quoted(table)}{only} BEGIN\n{lines}END"


def _columns(sources: Sequence[Source]) -> str:
    """The columns whose update matters; all where one is computed from others, and so never named in an update."""
    names: dict[str, None] = dict.fromkeys(_ROWID)
    for source in sources:
        if source.table.rows or any(column.generated for column in source.table.columns):
            return ""
        unique = [column for unique in source.table.uniques for column in unique.columns]
        names |= dict.fromkeys([*source.key, *source.used, *unique])
    return f" OF {', '.join(map(quoted, names))}"
