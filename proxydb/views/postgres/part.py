"""How one SELECT of a view is kept: the values that each way of keeping fills, and that the engine makes SQL of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from proxydb.sql.tokens import quoted
from proxydb.views.definition import Group

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proxydb.views.catalogue import Table
    from proxydb.views.definition import Arm, Definition, Source, Template

NEW, OLD, TRUNCATED = "proxydb_new", "proxydb_old", "proxydb_truncated"
"""What a trigger's statements read: the rows after and before a change, and the table that is about to be emptied."""


EQUAL, UNEQUAL, PLUS, MINUS = (f"OPERATOR(pg_catalog.{operator})" for operator in ("=", "<>", "+", "-"))
"""Operators that no search path changes."""


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be done when a table is changed.

    Parameters
    ----------
    table
        The table.
    insert, update, delete
        The statements after each kind of change; they read `NEW` and `OLD`.
    truncate
        The statements for TRUNCATE.
    texts
        The user's words in all of them; what else they name is qualified, so that no search path changes it.
    before
        Whether these read `TRUNCATED`, and so come before it.
    """

    table: Table
    insert: tuple[str, ...]
    update: tuple[str, ...]
    delete: tuple[str, ...]
    truncate: tuple[str, ...]
    texts: tuple[str, ...]
    before: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """How one SELECT is kept.

    Parameters
    ----------
    create
        The statements that make its tables, and views of ours, in order.
    fill
        Those that fill them; each begins with INSERT INTO and the table.
    changes
        What its triggers do.
    shown
        The SELECT that gives its rows as columns ``o0``, ``o1``, …
    table, held
        The table that keeps them, and for each of these columns the one that holds it there; empty where none does.
    shared
        What `shown` names as a common table expression: name and query.
    fold
        The statement that takes in what was logged; empty where nothing is.
    logs
        The tables that are written to until then.
    refill
        The statement that computes all anew instead, for when much was logged; empty where `fold` costs no more.
    """

    create: tuple[str, ...]
    fill: tuple[str, ...]
    changes: tuple[Change, ...]
    shown: str
    table: str
    held: tuple[str, ...]
    shared: tuple[tuple[str, str], ...] = ()
    fold: str = ""
    logs: tuple[str, ...] = ()
    refill: str = ""

    @property
    def filled(self) -> tuple[str, ...]:
        """The tables that hold its rows."""
        return tuple(statement.split()[2] for statement in self.fill)


def named(texts: Sequence[str], letter: str) -> list[str]:
    """Expressions as columns ``letter0``, ``letter1``, …"""
    return [f"{text} AS {letter}{place}" for place, text in enumerate(texts)]


def columns(letter: str, number: int) -> list[str]:
    """The names of such columns."""
    return [f"{letter}{place}" for place in range(number)]


def hashed(texts: Sequence[str]) -> str:
    """One number for several values, NULL or not; equal values have the same, and others seldom."""
    return f"pg_catalog.hash_record_extended(ROW({', '.join(texts)})::pg_catalog.record, 0)"


def place(table: Table) -> str:
    """A table's name with its schema."""
    return f"{quoted(table.schema)}.{quoted(table.name)}"


def literal(text: str) -> str:
    """A string of SQL, whatever ``standard_conforming_strings`` says."""
    escaped = text.replace("\\", "\\\\").replace("'", "''")
    return f"E'{escaped}'"


def emptied(*tables: str) -> tuple[str, ...]:
    """The statements of a trigger that empty tables of ours after TRUNCATE.

    They are deleted from, so that readers never wait; outside READ COMMITTED that would leave the rows of
    transactions that the snapshot does not see.
    """
    safe = f"pg_catalog.current_setting('transaction_isolation') {EQUAL} 'read committed'"
    return tuple(
        f"EXECUTE CASE WHEN {safe} THEN {literal(f'DELETE FROM {table}')} ELSE {literal(f'TRUNCATE {table}')} END"
        for table in tables
    )


def rows_as(source: Source, rows: str) -> str:
    """Some rows of a table, under the name by which the query knows the table."""
    return f"{rows} AS {quoted(source.alias)}"


def select(definition: Definition, arm: Arm, texts: Sequence[str], conditions: Sequence[str] = ()) -> str:
    """A query of expressions over all rows of a SELECT's FROM clause for which conditions hold."""
    return f"SELECT {', '.join(texts)} FROM {definition.text(arm.from_)}{where(conditions)}"


def where(conditions: Sequence[str]) -> str:
    """A WHERE clause; none without conditions."""
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""


def own_condition(definition: Definition, arm: Arm) -> list[str]:
    """The condition of a SELECT's own WHERE clause; none without one."""
    return [] if arm.where is None else [f"({definition.text(arm.where)}\n)"]


def words(arm: Arm, template: Template) -> str:
    """An expression over groups in the user's own words again."""
    return "".join(piece if isinstance(piece, str) else _piece(arm, piece) for piece in template)


def _piece(arm: Arm, piece: object) -> str:
    number: int = piece.number  # type: ignore[attr-defined]
    if isinstance(piece, Group):
        return f"({arm.groups[number]})"
    aggregate = arm.aggregates[number]
    distinct = "DISTINCT " if aggregate.distinct else ""
    filtered = f" FILTER ({aggregate.filter})" if aggregate.filter else ""
    return f"{aggregate.function}({distinct}{aggregate.argument}){filtered}"
