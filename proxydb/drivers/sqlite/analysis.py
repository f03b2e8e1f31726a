"""What a SQLite statement reads, writes and calls, told by SQLite's own authorizer.

Source: https://sqlite.org/c3ref/set_authorizer.html; the authorizer is called while a statement is prepared, and sees
through views, triggers and foreign-key actions.
"""

from __future__ import annotations

import sqlite3 as driver
from itertools import count
from typing import Any, NamedTuple

from proxydb.drivers.base import EVERYTHING, NOTHING, Analysis
from proxydb.sql.tokens import PLACEHOLDER, tokenize

_WRITES = frozenset({driver.SQLITE_INSERT, driver.SQLITE_UPDATE, driver.SQLITE_DELETE})
_HARMLESS = frozenset({driver.SQLITE_SELECT, driver.SQLITE_READ, driver.SQLITE_FUNCTION, driver.SQLITE_RECURSIVE})
_OPEN = ("OpenRead", "ReopenIdx", "OpenWrite")
_CALLS = frozenset({"Function", "PureFunc", "AggStep", "AggValue", "AggFinal"})
_SCHEMA_TABLES = frozenset({"sqlite_master", "sqlite_schema", "sqlite_stat1", "sqlite_stat4"})
_UNTOLD = frozenset(
    {"sqlite_sequence"}
)  # an INSERT into an AUTOINCREMENT table changes it, and the authorizer is silent
_TABLE_FUNCTIONS = frozenset({"json_each", "json_tree"})

DETERMINISTIC = frozenset(
    """
    abs acos acosh asin asinh atan atan2 atanh avg ceil ceiling char coalesce concat concat_ws cos cosh count
    cume_dist degrees dense_rank exp first_value floor format glob group_concat hex ifnull iif instr json json_array
    json_array_length json_error_position json_extract json_group_array json_group_object json_insert json_object
    json_patch json_pretty json_quote json_remove json_replace json_set json_type json_valid jsonb jsonb_array
    jsonb_extract jsonb_group_array jsonb_group_object jsonb_insert jsonb_object jsonb_patch jsonb_remove
    jsonb_replace jsonb_set lag last_value lead length like likelihood likely ln log log10 log2 lower ltrim max
    median min mod nth_value ntile nullif octet_length percent_rank percentile percentile_cont percentile_disc pi
    pow power printf quote radians rank replace round row_number rtrim sign sin sinh soundex sqrt string_agg substr
    substring sum tan tanh total trim trunc typeof unhex unicode unlikely upper zeroblob -> ->>
    """.split()
)
"""SQLite's built-in functions whose result depends on their arguments alone."""

INLINED = frozenset("coalesce if ifnull iif likelihood likely unlikely".split())
"""Built-in functions that a program does not call: they are compiled into it (https://sqlite.org/src/file/src/func.c)."""


class _Program(NamedTuple):
    """What the program that a statement is compiled to opens and calls."""

    reads: frozenset[str]
    writes: frozenset[str]
    functions: frozenset[str]


class Authorizer:
    """Listens on a connection of proxydb's own to what the statements that it prepares would do."""

    def __init__(self, connection: driver.Connection) -> None:
        self._connection = connection
        self._heard: list[tuple[int, str | None, str | None, str | None]] = []
        self._number = count()
        connection.execute("PRAGMA foreign_keys = ON")  # on: cascades are part of a write set even where off they stay
        connection.execute("PRAGMA recursive_triggers = ON")  # on: so are the delete triggers that REPLACE may fire
        connection.execute("SELECT 1 FROM json_each('[]'), json_tree('[]')").fetchall()  # first use declares them
        connection.set_authorizer(self._hear)

    def analyse(self, sql: str) -> Analysis:
        """Prepare `sql` without running it, and tell what it would do.

        A statement that cannot be prepared here (a function, collation or table of the application's own connection)
        may do anything. All is asked of one snapshot: EXPLAIN alone would not notice that another program has changed
        the schema.
        """
        self._connection.execute("BEGIN")
        try:
            self._connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall()
            return self._judge(self._compiled(sql))
        except driver.Error as error:
            return Analysis(refusal=f"not understood outside its connection: {error}", unknown=True)
        finally:
            self._connection.execute("COMMIT")

    def _compiled(self, sql: str) -> _Program:
        """Prepare `sql`, and tell which tables its program opens, by themselves or an index, and what it calls.

        The authorizer is silent about a table of which only the columns of NATURAL JOIN or USING are needed, and about
        the functions of generated columns.
        """
        tables = dict(
            self._connection.execute("SELECT rootpage, lower(tbl_name) FROM sqlite_master WHERE rootpage > 0")
        )
        program = self._explain(sql)
        opened = {code: {tables[page] for op, page, _ in program if op == code and page in tables} for code in _OPEN}
        called = {str(function).partition("(")[0].lower() for code, _, function in program if code in _CALLS}
        return _Program(
            frozenset(opened["OpenRead"] | opened["ReopenIdx"]), frozenset(opened["OpenWrite"]), frozenset(called)
        )

    def _explain(self, sql: str) -> list[tuple[str, int, Any]]:
        """The operations of the program that `sql` is compiled to, each with its second and its fourth operand."""
        self._heard.clear()
        # The comment makes the text new, or a statement from the driver's cache would not be prepared again.
        rows = self._connection.execute(f"EXPLAIN /*{next(self._number)}*/ {sql}", _nulls(sql)).fetchall()
        return [(row[1], row[3], row[5]) for row in rows]

    def _hear(self, action: int, first: str | None, second: str | None, schema: str | None, _source: str | None) -> int:
        self._heard.append((action, first, second, schema))
        return driver.SQLITE_OK

    def _judge(self, program: _Program) -> Analysis:
        heard = [event for event in self._heard if event[0] != driver.SQLITE_TRANSACTION]
        reads = frozenset(str(table).lower() for action, table, _, _ in heard if action == driver.SQLITE_READ)
        reads |= program.reads
        functions = frozenset(str(name).lower() for action, _, name, _ in heard if action == driver.SQLITE_FUNCTION)
        functions |= program.functions
        writes = frozenset(str(table).lower() for action, table, _, _ in heard if action in _WRITES)
        writes |= program.writes
        virtual = self._not_ordinary(reads | writes)
        if any(action not in _HARMLESS | _WRITES for action, *_ in heard) or writes & (virtual | _SCHEMA_TABLES):
            return Analysis(reads, EVERYTHING, "changes more than rows", functions)
        return Analysis(reads, writes or NOTHING, _refusal(reads, virtual, functions), functions)

    def _not_ordinary(self, tables: frozenset[str]) -> set[str]:
        """Those of `tables` whose contents are not rows of this file alone: virtual tables and table functions."""
        kept = (
            "SELECT lower(name) FROM sqlite_master WHERE type IN ('table', 'view') AND sql NOT LIKE 'create virtual%'"
        )
        ordinary = {name for (name,) in self._connection.execute(kept)}
        others = tables - (ordinary - _UNTOLD) - _SCHEMA_TABLES - _TABLE_FUNCTIONS
        return {name for name in others if name in _UNTOLD or self._exists(name)}

    def _exists(self, table: str) -> bool:
        """Whether there is a table or a table function of this name; else it is one that the statement declares."""
        known = (
            "SELECT 1 FROM sqlite_master WHERE lower(name) = ? UNION ALL "
            "SELECT 1 FROM pragma_module_list WHERE lower(name) = ?"
        )
        return table.startswith("pragma_") or self._connection.execute(known, (table, table)).fetchall() != []


def _nulls(sql: str) -> Any:
    """NULL for every parameter of `sql`; placeholders with names and without in one text are not told apart."""
    marks = [token.text for token in tokenize(sql, "sqlite") if token.kind == PLACEHOLDER]
    return (None,) * len(marks) if all(mark == "?" for mark in marks) else _Nulls()


class _Nulls(dict[str, None]):
    """NULL for every named parameter."""

    def __missing__(self, _name: str) -> None:
        return None


def _refusal(reads: frozenset[str], virtual: set[str], functions: frozenset[str]) -> str:
    """Why rows must not be kept, in the words that `explain` shows."""
    if virtual:
        return f"reads a table whose changes are not told: {', '.join(sorted(virtual))}"
    if volatile := functions - DETERMINISTIC:
        return f"calls a function that may give another result each time: {', '.join(sorted(volatile))}"
    if not reads:
        return "reads no table"
    return ""


def schema_version(connection: Any) -> int:
    """The number that SQLite changes with every change of the schema."""
    return int(driver.Cursor(connection).execute("PRAGMA schema_version").fetchone()[0])


def query_plan(connection: Any, sql: str, parameters: Any) -> list[str]:
    """The lines of EXPLAIN QUERY PLAN (https://sqlite.org/eqp.html).

    Each parameter is NULL: to bind the application's own a second time could run its adapters a second time.
    """
    nulls = dict.fromkeys(parameters) if isinstance(parameters, dict) else (None,) * len(parameters or ())
    return [str(row[-1]) for row in driver.Cursor(connection).execute(f"EXPLAIN QUERY PLAN {sql}", nulls)]
