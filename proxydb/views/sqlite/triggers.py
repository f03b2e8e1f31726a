"""The triggers on a view's sources and on its own tables: one for each table and event, as the newest fires first.

Statements in triggers take over the conflict policy of the statement that fired them
(https://sqlite.org/lang_createtrigger.html), so none of them relies on a constraint.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxydb.views.arms import quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from proxydb.views.definition import Source
    from proxydb.views.sqlite.groups import GroupsTable
    from proxydb.views.sqlite.rows import RowsTable

EVENTS = ("INSERT", "UPDATE", "DELETE")


def source_triggers(view: str, tables: Sequence[RowsTable]) -> Iterator[str]:
    """The statements that make the triggers on the tables that a view reads."""
    roles: dict[str, list[tuple[RowsTable, int]]] = {}
    for rows in tables:
        for number, source in enumerate(rows.arm.sources):
            roles.setdefault(source.table.name, []).append((rows, number))
    for place, (table, of_table) in enumerate(roles.items()):
        for event in EVENTS:
            body = [line for rows, number in of_table for line in _changed(rows, number, event)]
            columns = _columns([rows.arm.sources[number] for rows, number in of_table]) if event == "UPDATE" else ""
            yield trigger(f"proxydb_{view}_{place}_{event.lower()}", f"{event}{columns}", table, body)


def group_triggers(groups: GroupsTable) -> Iterator[str]:
    """The statements that make the triggers on the table of rows that groups are made of."""
    rows = groups.rows.name
    yield trigger(f"{rows}_insert", "INSERT", rows, groups.added())
    yield trigger(f"{rows}_delete", "DELETE", rows, groups.removed())


def trigger(name: str, event: str, table: str, body: Iterable[str]) -> str:
    """A statement that makes a trigger."""
    lines = "".join(f"  {line};\n" for line in body)
    return f"CREATE TRIGGER {quoted(name)} AFTER {event} ON {quoted(table)} BEGIN\n{lines}END"


def _changed(rows: RowsTable, number: int, event: str) -> Iterator[str]:
    """What has to be done with the rows of a view after a row of a source was changed."""
    source = rows.arm.sources[number]
    if event != "INSERT":
        yield rows.remove(number, "OLD")
    if event != "DELETE":
        yield rows.remove(number, "NEW")
        yield from rows.remove_victims(number)
        yield rows.fill(rows.key_is(number, "NEW"))
    if not source.unique_key and event == "DELETE":
        yield rows.fill(rows.key_is(number, "OLD"))
    elif not source.unique_key and event == "UPDATE":
        moved = " OR ".join(f"OLD.{quoted(column)} IS NOT NEW.{quoted(column)}" for column in source.key)
        yield rows.fill(f"{rows.key_is(number, 'OLD')} AND ({moved})")


def _columns(sources: Sequence[Source]) -> str:
    """The columns whose update matters; all where one is computed from others, and so never named in an update."""
    names: dict[str, None] = {}
    for source in sources:
        if source.table.rows or any(column.generated for column in source.table.columns):
            return ""
        unique = [column for unique in source.table.uniques for column in unique.columns]
        names |= dict.fromkeys([*source.key, *source.used, *unique])
    return f" OF {', '.join(map(quoted, names))}"
