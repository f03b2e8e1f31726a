"""Which tables a change of one row reads from end to end, for want of an index.

Source: the lines of EXPLAIN QUERY PLAN (https://sqlite.org/eqp.html).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from proxydb.views.sqlite import changes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxydb.views.sqlite.facts import Execute
    from proxydb.views.sqlite.layout import Layout

_ROW = re.compile(r'\b(?:OLD|NEW)\.(?:"(?:[^"]|"")+"|\w+)')
_SCAN = re.compile(r"SCAN (\S+)|SEARCH (\S+) USING AUTOMATIC")
_SMALL = frozenset({"u", changes.TOUCHED})
"""Names under which our statements read the few units that a change touches."""


def scans(layout: Layout, execute: Execute) -> tuple[str, ...]:
    """For each scan the table or alias that is read, and the table after whose change it is."""
    return tuple(dict.fromkeys(_found(layout, execute)))


def _found(layout: Layout, execute: Execute) -> Iterator[str]:
    for table, statement in _statements(layout):
        for line in execute(
            f"EXPLAIN QUERY PLAN {_ROW.sub(':proxydb_row', statement)}", {"proxydb_row": None}
        ).fetchall():
            match = _SCAN.match(line[3])
            read = "" if match is None else match[1] or match[2]
            if read and read not in _SMALL and not read.endswith("_touched"):
                yield f"{read} after a change of {table}"


def _statements(layout: Layout) -> Iterator[tuple[str, str]]:
    """What is done after an update of each table; there is nothing else after an insert or a delete."""
    for rows in layout.rows:
        for number, source in enumerate(rows.arm.sources):
            for statement in changes.of_source(rows, number, "UPDATE"):
                yield source.table.name, statement
        for number, each in enumerate(rows.arm.subqueries):
            for statement in changes.of_sub_query(rows, number, "UPDATE"):
                yield each.source.table.name, statement
