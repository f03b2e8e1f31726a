"""What SQLite itself says of tables and of a query's columns.

Sources: https://sqlite.org/pragma.html (table_xinfo, index_xinfo), https://sqlite.org/datatype3.html, and the operands
of a comparison's opcode (https://sqlite.org/opcode.html#Eq): P4 is its collation, the low bits of P5 are its affinity.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proxydb.sql.tokens import quoted
from proxydb.views.catalogue import Column, Table, Unique

if TYPE_CHECKING:
    from collections.abc import Callable

    Execute = Callable[..., Any]

AFFINITIES = {0x40: "none", 0x41: "blob", 0x42: "text", 0x43: "numeric", 0x44: "integer", 0x45: "real"}
_AFFINITY_MASK = 0x47
_PROBE = "proxydb_probe"
_ORDINARY, _GENERATED = 0, frozenset({2, 3})


class SqliteCatalogue:
    """The tables of the main database.

    Parameters
    ----------
    execute
        Runs a statement on the database.
    kept
        Gives a materialized view as a table that can be read with keys; None for a name that is not one's.
    """

    def __init__(self, execute: Execute, kept: Callable[[str], Table | None]) -> None:
        self._execute = execute
        self._kept = kept
        self._known: dict[str, Table | None] = {}

    def table(self, schema: str, name: str) -> Table | None:
        """The table of a name, as a query without temporary tables means it."""
        if schema.lower() not in ("", "main"):
            return Table(schema, name, (), obstacle=f"{schema}.{name} is not in the main database")
        place = f"{schema}.{name}".lower()
        if place not in self._known:
            self._known[place] = self._kept(name) or self._found(schema, name)
        return self._known[place]

    def _found(self, schema: str, name: str) -> Table | None:
        shadow = self._execute(
            "SELECT 1 FROM sqlite_temp_master WHERE lower(name) = lower(?) AND type IN ('table', 'view')", (name,)
        ).fetchone()
        if shadow and not schema:
            return Table("temp", name, (), obstacle=f"{name} is a temporary table, which other connections do not see")
        found = self._execute(
            "SELECT name, type, sql FROM sqlite_master WHERE lower(name) = lower(?) AND type IN ('table', 'view')",
            (name,),
        ).fetchone()
        return None if found is None else self._described(*found)

    def _described(self, name: str, kind: str, sql: str) -> Table:
        if kind == "view":
            return Table("main", name, (), obstacle=f"{name} is a plain view: name the tables that it reads")
        if sql.lstrip()[:14].lower() == "create virtual" or name.lower().startswith("sqlite_"):
            return Table("main", name, (), obstacle=f"{name} is no ordinary table, so it has no triggers")
        rows = self._execute(f"PRAGMA main.table_xinfo({quoted(name)})").fetchall()
        names = [row[1] for row in rows]
        comparisons = [
            comparison(self._execute, f"SELECT {quoted(each)} = ?1 FROM main.{quoted(name)}") for each in names
        ]
        columns = tuple(
            Column(
                name=row[1],
                type=_declared(row[2]),
                collation=collation,
                affinity=affinity,
                not_null=bool(row[3]),
                default=row[4] or "",
                generated=row[6] in _GENERATED,
            )
            for row, (collation, affinity) in zip(rows, comparisons, strict=True)
        )
        return self._keyed(name, columns, {row[5]: row[1] for row in rows if row[5]})

    def _keyed(self, name: str, columns: tuple[Column, ...], primary: dict[int, str]) -> Table:
        without_rowid = self._is_without_rowid(name)
        key = tuple(primary[place] for place in sorted(primary))
        uniques, obstacle = self._uniques(name, key)
        by_name = {column.name: column for column in columns}
        rowid_alias = bool(key) and not without_rowid and not self._has_primary_index(name)
        unique_key = without_rowid or rowid_alias or all(by_name[column].not_null for column in key)
        compared = self._primary_collations(name)
        if any(by_name[column].collation.upper() != collation.upper() for column, collation in compared.items()):
            uniques += (Unique(tuple(compared), tuple(compared.values())),)
            key, unique_key = (), False
        return Table("main", name, columns, key, unique_key, uniques, obstacle=obstacle)

    def _primary_collations(self, name: str) -> dict[str, str]:
        """The collations by which a primary key that has an index tells rows apart; they may not be its columns'."""
        for row in self._execute(f"PRAGMA main.index_list({quoted(name)})").fetchall():
            if row[3] == "pk":
                parts = self._execute(f"PRAGMA main.index_xinfo({quoted(row[1])})").fetchall()
                return {part[2]: part[4] for part in parts if part[5]}
        return {}

    def _is_without_rowid(self, name: str) -> bool:
        row = self._execute("SELECT wr FROM pragma_table_list WHERE schema = 'main' AND name = ?", (name,)).fetchone()
        return bool(row and row[0])

    def _has_primary_index(self, name: str) -> bool:
        return any(row[3] == "pk" for row in self._execute(f"PRAGMA main.index_list({quoted(name)})"))

    def _uniques(self, name: str, key: tuple[str, ...]) -> tuple[tuple[Unique, ...], str]:
        """The unique constraints that a REPLACE may resolve by removing a row of another key."""
        uniques = []
        for row in self._execute(f"PRAGMA main.index_list({quoted(name)})").fetchall():
            if not row[2] or row[3] == "pk":
                continue
            parts = [part for part in self._execute(f"PRAGMA main.index_xinfo({quoted(row[1])})").fetchall() if part[5]]
            if any(part[2] is None for part in parts):
                return (), f"{name} has a unique index on an expression, by which a REPLACE may remove rows unseen"
            uniques.append(Unique(tuple(part[2] for part in parts), tuple(part[4] for part in parts)))
        return tuple(uniques), ""


def _declared(text: str) -> str:
    """A declared type; SQLite appends ``GENERATED ALWAYS`` to some."""
    words = text.split()
    return " ".join(words[:-2]) if [word.upper() for word in words[-2:]] == ["GENERATED", "ALWAYS"] else text


def comparison(execute: Execute, sql: str) -> tuple[str, str]:
    """The collation and affinity with which SQLite compares a query's column with the parameter ``?1``."""
    program = execute(f"EXPLAIN {sql}", (None,)).fetchall()
    registers = {row[3] for row in program if row[1] == "Variable"}
    for row in program:
        if row[1] == "Eq" and not registers.isdisjoint({row[2], row[4]}):
            return str(row[5] or "").rpartition("-")[0], AFFINITIES.get(int(row[6]) & _AFFINITY_MASK, "none")
    return "BINARY", "none"


def query_columns(execute: Execute, sql: str) -> tuple[Column, ...]:
    """The columns of a query with their types, collations and affinities, as a plain view of it would have them."""
    execute(f"CREATE TEMP VIEW {_PROBE} AS {sql}")
    try:
        rows = execute(f"PRAGMA temp.table_xinfo({_PROBE})").fetchall()
        found = []
        for row in rows:
            collation, affinity = comparison(execute, f"SELECT {quoted(row[1])} = ?1 FROM temp.{_PROBE}")
            declared = "" if affinity == "none" else row[2]  # from 3.41 on SQLite tells a type of expressions, too
            found.append(Column(row[1], declared, collation, affinity))
        return tuple(found)
    finally:
        execute(f"DROP VIEW temp.{_PROBE}")
