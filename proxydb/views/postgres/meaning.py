"""A view's query as Postgres itself understands it → `Definition`, or why that cannot be told from its words."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from proxydb.sql.tokens import WORD, tokenize
from proxydb.views.clauses import Cutter
from proxydb.views.obstacle import Obstacle
from proxydb.views.postgres.facts import PostgresCatalogue, check_functions
from proxydb.views.understand import understand

if TYPE_CHECKING:
    from proxydb.views.definition import Definition
    from proxydb.views.postgres.catalog import Record
    from proxydb.views.postgres.facts import Execute


def definition_of(execute: Execute, record: Record) -> Definition:
    """The query, taken apart; with an obstacle where that, or Postgres' own catalogue, says so."""
    catalogue = PostgresCatalogue(execute, record.tables)
    words = frozenset(token.text for token in tokenize(record.sql, "postgresql") if token.kind == WORD)
    definition = understand(record.sql, "postgresql", catalogue, pure=words)
    try:
        tree = check_functions(execute, record.query, catalogue)
        for table in catalogue.tables:
            if table.obstacle:
                raise Obstacle(table.obstacle)
        if not definition.obstacle:
            _check_agreement(definition, tree, catalogue)
    except Obstacle as obstacle:
        return replace(definition, obstacle=str(obstacle))
    return definition


def _check_agreement(definition: Definition, tree: str, catalogue: PostgresCatalogue) -> None:
    """What was made of the words must be what Postgres made of them."""
    arms = definition.arms
    read = {(each.table.schema, each.table.name) for arm in arms for each in arm.sources}
    read |= {(each.source.table.schema, each.source.table.name) for arm in arms for each in arm.subqueries}
    if read != {(table.schema, table.name) for table in catalogue.tables}:
        raise Obstacle("its tables are not those that its words seem to name")
    sub_queries = any(arm.subqueries for arm in arms)
    for mark, there in (
        (":hasAggs true", any(arm.grouped for arm in arms)),
        (":hasWindowFuncs true", any(arm.windowed for arm in arms)),
    ):
        if mark in tree and not there and not sub_queries:
            raise Obstacle("it calls an aggregate or a window function that is not taken apart")
    if len(arms) > 1 and definition.order:
        raise Obstacle("it orders a compound: order what is read from the view")
    last = Cutter(definition.sql, "postgresql").arms()[0][-1].clauses
    if "offset" in last and ("limit" not in last or last["offset"].start < last["limit"].start):
        raise Obstacle("it has OFFSET without LIMIT before it")
    if "only" in {token.text for token in tokenize(definition.sql, "postgresql") if token.kind == WORD}:
        raise Obstacle("it says ONLY")
