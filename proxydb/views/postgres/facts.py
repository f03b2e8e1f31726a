"""What Postgres' own catalogue says of the tables that a view reads, and of the functions that it calls.

The view's query is made a plain view first, so it is Postgres that resolves its names: only tables that this view
depends on are ever looked at, and only functions that its parse tree names.
"""

from __future__ import annotations

import re
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from proxydb.views.aggregates import BY_SYSTEM
from proxydb.views.catalogue import Column, Table
from proxydb.views.obstacle import Obstacle
from proxydb.views.postgres.part import place

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Execute = Callable[..., Any]


def statement(name: str) -> str:
    """A statement that is kept in a file of its own."""
    return files("proxydb.views.postgres").joinpath(f"{name}.sql").read_text(encoding="utf-8")


class PostgresCatalogue:
    """The tables that one query reads.

    Parameters
    ----------
    execute
        Runs a statement on the database.
    oids
        The numbers of these tables.
    """

    def __init__(self, execute: Execute, oids: Sequence[int]) -> None:
        cursor = execute(statement("facts"), (list(oids),))
        names = [column.name for column in cursor.description]
        self._rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        self._tables = [_table(row) for row in self._rows]

    @property
    def tables(self) -> list[Table]:
        """All of them."""
        return self._tables

    @property
    def partitioned(self) -> bool:
        """Whether one of them is partitioned."""
        return any(row["relkind"] == "p" for row in self._rows)

    @property
    def depends_on_settings(self) -> bool:
        """Whether values of a column look different under different settings."""
        return any(row["has_settings"] for row in self._rows)

    def table(self, schema: str, name: str) -> Table | None:
        """The table that the query means; as written, or folded as a bare name is."""
        for folded in (str, str.lower):
            found = [
                table
                for table in self._tables
                if table.name == folded(name) and (not schema or table.schema in (schema, schema.lower()))
            ]
            if found:
                return found[0] if len(found) == 1 else None
        return None


_OBSTACLES: list[tuple[Callable[[dict[str, Any]], bool], str]] = [
    (lambda row: row["nspname"] == "proxydb", "belongs to a materialized view: name the tables that it reads"),
    (lambda row: row["relkind"] == "v", "is a plain view: name the tables that it reads"),
    (lambda row: row["relkind"] == "m", "is a materialized view, which has no triggers"),
    (lambda row: row["relkind"] == "f", "is a foreign table, whose changes nobody sees"),
    (lambda row: row["relpersistence"] == "t", "is a temporary table, which other connections do not see"),
    (lambda row: row["relpersistence"] == "u", "is unlogged, so a crash would empty it unseen"),
    (lambda row: row["relrowsecurity"], "has row-level security, so each role sees other rows"),
    (lambda row: row["relispartition"], "is a partition: name the partitioned table"),
    (
        lambda row: row["has_children"] and row["relkind"] != "p",
        "has child tables, whose changes fire no trigger of it",
    ),
    (lambda row: row["is_subscribed"], "is written by logical replication, which fires no statement triggers"),
    (lambda row: row["has_virtual"], "has a virtual generated column, which triggers do not see"),
    (lambda row: row["has_loose_collation"], "has a collation to which several spellings are one"),
]
"""Why a view of a table cannot be kept incrementally."""


def _table(row: dict[str, Any]) -> Table:
    facts = zip(row["names"], row["types"], row["not_null"], row["generated"], strict=True)
    columns = tuple(
        Column(name, type_, not_null=not_null, generated=generated) for name, type_, not_null, generated in facts
    )
    reason = next((reason for applies, reason in _OBSTACLES if applies(row)), "")
    keys = row["keys"] or [[]]
    obstacle = f"{row['relname']} {reason}" if reason else ""
    return Table(row["nspname"], row["relname"], columns, tuple(keys[0]), obstacle=obstacle)


def dependencies(execute: Execute, view: str) -> list[int]:
    """The numbers of the relations that a plain view reads."""
    rows = execute(
        "SELECT DISTINCT d.refobjid::bigint "
        "FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_rewrite r ON r.oid = d.objid "
        "WHERE d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass "
        "AND r.ev_class = %s::regclass AND d.refobjid <> r.ev_class ORDER BY 1",
        (view,),
    ).fetchall()
    return [oid for (oid,) in rows]


def members(execute: Execute, table: Table) -> list[str]:
    """The names of a table and of all its partitions: a statement on one fires no trigger of another."""
    rows = execute("SELECT relid::regclass::text FROM pg_partition_tree(%s::regclass)", (place(table),)).fetchall()
    return [name for (name,) in rows] or [place(table)]


_CALLED = re.compile(r":(?:funcid|opfuncid|winfnoid|aggfnoid) (\d+)")
_CONVERTED = re.compile(r"\{COERCEVIAIO :arg \{(\w+)")
_INTO = re.compile(r"\{COERCEVIAIO .*? :resulttype (\d+)")
_MOMENTARY = {
    "{SQLVALUEFUNCTION": "it reads the time or the user",
    ":hasTargetSRFs true": "a function of its SELECT list gives several rows",
    "{SUBLINK :subLinkType 7": "it has a sub-query as a list of values",
    ":hasForUpdate true": "it locks rows",
}
_READ = {"VAR", "CONST"}


def check_functions(execute: Execute, view: str, catalogue: PostgresCatalogue) -> str:
    """Look at every function, operator and cast that a plain view calls; give its parse tree.

    Raises
    ------
    Obstacle
        One of them may give another result each time, or under other settings.
    """
    row = execute("SELECT ev_action::text FROM pg_catalog.pg_rewrite WHERE ev_class = %s::regclass", (view,)).fetchone()
    tree = str(row[0])
    for words, reason in _MOMENTARY.items():
        if words in tree:
            raise Obstacle(reason)
    called = sorted({int(oid) for oid in _CALLED.findall(tree)})
    changing = execute(
        "SELECT DISTINCT proname FROM pg_catalog.pg_proc "
        "WHERE oid = ANY (%s::oid[]) AND (provolatile <> 'i' OR prokind IN ('a', 'w') AND pronamespace <> "
        "'pg_catalog'::regnamespace) ORDER BY 1",
        (called,),
    ).fetchall()
    if changing:
        names = ", ".join(name for (name,) in changing)
        raise Obstacle(f"it calls a function that may give another result each time, or under other settings: {names}")
    _check_aggregates(execute, called)
    _check_conversions(execute, tree, catalogue)
    return tree


def _check_aggregates(execute: Execute, called: Sequence[int]) -> None:
    rows = execute("SELECT proname FROM pg_catalog.pg_proc WHERE oid = ANY (%s::oid[]) AND prokind = 'a'", (called,))
    if unknown := sorted({name for (name,) in rows.fetchall()} - BY_SYSTEM["postgresql"]):
        raise Obstacle(f"it calls the aggregate {unknown[0]}, which is not taken apart")


def _check_conversions(execute: Execute, tree: str, catalogue: PostgresCatalogue) -> None:
    """Casts by way of text: what is written or read as text may depend on settings such as DateStyle."""
    if not _CONVERTED.search(tree):
        return
    into = [int(oid) for oid in _INTO.findall(tree)]
    unsure = execute(
        "SELECT 1 FROM pg_catalog.pg_type t JOIN pg_catalog.pg_proc p ON p.oid = t.typinput "
        "WHERE t.oid = ANY (%s::oid[]) AND p.provolatile <> 'i'",
        (into,),
    ).fetchone()
    if unsure or catalogue.depends_on_settings or set(_CONVERTED.findall(tree)) - _READ:
        raise Obstacle("it casts by way of text, which may depend on settings")
