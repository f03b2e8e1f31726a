"""The copy of the columns by which a sub-query is tied to the rows around it.

It is needed where a REPLACE could remove a row of the sub-query's table whose links nobody would know any more: where
the links are not part of the table's key.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from proxydb.sql.tokens import quoted
from proxydb.views.clauses import Span
from proxydb.views.definition import Arm, Definition
from proxydb.views.sqlite.coverage import is_told_by_key
from proxydb.views.sqlite.rows import rows_table
from proxydb.views.sqlite.selects import column_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxydb.views.sqlite.facts import Execute
    from proxydb.views.sqlite.rows import RowsTable


@dataclass(frozen=True)
class LinkedTable:
    """The links of a sub-query's table, with its keys.

    Parameters
    ----------
    rows
        The table that holds them.
    reader, number
        The rows that depend on them, by their sub-query of this number.
    """

    rows: RowsTable
    reader: RowsTable
    number: int


def linked_tables(reader: RowsTable, execute: Execute) -> Iterator[LinkedTable]:
    """The copies that the sub-queries of a SELECT need."""
    for number, each in enumerate(reader.arm.subqueries):
        table = each.source.table
        if is_told_by_key(each):
            continue
        alias = "proxydb_linked"
        sql = f"{quoted(table.name)} AS {alias}"
        columns = tuple(dict.fromkeys(link.inner for link in each.links))
        keyed = each.source.table if table.key else replace(table, key=columns, unique_key=False)
        place = Span(0, len(quoted(table.name)))
        source = replace(each.source, table=keyed, alias=alias, place=place, aliased=True)
        texts = tuple(column_of(source, link.inner) for link in each.links)
        arm = Arm((source,), (), Span(0, len(sql)), None, texts)
        name = f"{reader.name}_linked{number}"
        yield LinkedTable(rows_table(name, Definition(sql, "rows"), arm, texts, execute), reader, number)
