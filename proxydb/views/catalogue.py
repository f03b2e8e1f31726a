"""What a view's compiler has to know of the database's tables; each database fills it from its own catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table or of a query.

    Parameters
    ----------
    name
        Its name.
    type
        The declared type; empty for an expression, or where none is declared.
    collation
        The collation that its comparisons use.
    affinity
        SQLite's affinity of comparisons with it: ``"none"`` (an expression), ``"blob"``, ``"text"``, ``"numeric"``,
        ``"integer"`` or ``"real"``. Empty on Postgres.
    not_null
        Whether the database keeps NULL out.
    default
        The default's SQL; empty where there is none.
    generated
        Whether it is computed from other columns.
    """

    name: str
    type: str = ""
    collation: str = ""
    affinity: str = ""
    not_null: bool = False
    default: str = ""
    generated: bool = False


@dataclass(frozen=True, slots=True)
class Unique:
    """Columns whose values no two rows share, with the collations of that comparison."""

    columns: tuple[str, ...]
    collations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """A table that a view reads.

    Parameters
    ----------
    schema, name
        Its name; the schema is ``"main"`` on SQLite.
    columns
        Its columns, in order.
    key
        The columns that tell its rows apart; empty where equal rows may stand side by side.
    unique_key
        Whether no two rows have the same key: a PRIMARY KEY of SQLite may hold NULLs, and then not.
    uniques
        Its other unique constraints.
    rows
        What the rows are read from, with their keys, where that is not the table itself: a view over a view.
    obstacle
        Why a view of it cannot be kept incrementally; empty if it can.
    """

    schema: str
    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    unique_key: bool = True
    uniques: tuple[Unique, ...] = ()
    rows: str = ""
    obstacle: str = ""

    def column(self, name: str) -> Column | None:
        """The column of a name, in whatever case SQLite would find it."""
        return next((column for column in self.columns if column.name == name), None) or next(
            (column for column in self.columns if column.name.lower() == name.lower()), None
        )


class Catalogue(Protocol):
    """Where tables are looked up."""

    def table(self, schema: str, name: str) -> Table | None:
        """The table of a name, as the query means it; an empty schema is whatever the search path finds first."""
        ...
