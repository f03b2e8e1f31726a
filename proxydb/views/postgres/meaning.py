"""A view's query as Postgres itself understands it → `Definition`, or why that cannot be told from its words."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from proxydb.sql.tokens import WORD, tokenize
from proxydb.views.clauses import Cutter
from proxydb.views.obstacle import Obstacle
from proxydb.views.postgres import catalog
from proxydb.views.postgres.facts import PostgresCatalogue, check_functions, dependencies
from proxydb.views.postgres.transactions import attempt, lock
from proxydb.views.spellings.views import put_in_views
from proxydb.views.understand import plain, understand

if TYPE_CHECKING:
    from proxydb.views.definition import Definition
    from proxydb.views.postgres.catalog import Record
    from proxydb.views.postgres.facts import Execute

_WRITTEN = frozenset({"cast", "exists"})
"""What another spelling may call."""


def definition_of(execute: Execute, record: Record) -> Definition:
    """The query, taken apart; with an obstacle where that, or Postgres' own catalogue, says so.

    Views of ours that it reads are put in, so it comes to read their tables, which are locked and written down.
    """
    text = plain(record.sql, "postgresql")
    sql = _with_views_put_in(execute, record, text)
    catalogue = PostgresCatalogue(execute, record.tables)
    words = frozenset(token.text for token in tokenize(sql, "postgresql") if token.kind == WORD)
    definition = understand(sql, "postgresql", catalogue, pure=words | _WRITTEN)
    try:
        tree = check_functions(execute, _spelled(execute, record, text, definition), catalogue)
        for table in catalogue.tables:
            if table.obstacle:
                raise Obstacle(table.obstacle)
        if not definition.obstacle:
            _check_agreement(definition, tree, catalogue)
    except Obstacle as obstacle:
        return replace(definition, obstacle=str(obstacle))
    return definition


def _spelled(execute: Execute, record: Record, text: str, definition: Definition) -> str:
    """The plain view of what is taken apart, made here if that is not the query's own spelling."""
    if definition.sql == text:
        return record.query
    made = attempt(execute, f"CREATE VIEW {record.meant} AS {definition.sql}")
    if not made or sorted(dependencies(execute, record.meant)) != sorted(record.tables):
        raise Obstacle("it is spelled in a way that is not taken apart")
    return record.meant


def _with_views_put_in(execute: Execute, record: Record, sql: str) -> str:
    """The query with those of our views in the place of their names; their tables instead of them are written down."""
    others = {each.id: each for each in catalog.records(execute) if each.maintenance not in ("", "full")}
    while read := [each for each in others.values() if _oid(execute, each) in record.tables]:
        for each in read:
            sql = put_in_views(sql, each.schema, each.name, plain(each.sql, "postgresql"))
            rest = {int(oid) for oid in record.tables} - {_oid(execute, each)}
            record.tables = sorted(rest | {int(oid) for oid in each.tables})
    lock(execute, record.tables, "SHARE ROW EXCLUSIVE")
    return sql


def _oid(execute: Execute, record: Record) -> int:
    return int(execute("SELECT coalesce(to_regclass(%s)::oid::bigint, 0)", (record.shown,)).fetchone()[0])


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
    if ":hasDistinctOn true" in tree:
        raise Obstacle("it says DISTINCT ON within a sub-query")
    if len(arms) > 1 and definition.order:
        raise Obstacle("it orders a compound: order what is read from the view")
    last = Cutter(definition.sql, "postgresql").arms()[0][-1].clauses
    if "offset" in last and ("limit" not in last or last["offset"].start < last["limit"].start):
        raise Obstacle("it has OFFSET without LIMIT before it")
    if "only" in {token.text for token in tokenize(definition.sql, "postgresql") if token.kind == WORD}:
        raise Obstacle("it says ONLY")
