"""The table that holds the rows of one SELECT, each with the keys of the rows that it comes from.

A changed row of a source takes away every row with its key, and the query, restricted to that key, puts back what is
there now. That is exact for whatever the query computes of one row or joins of several, and does not depend on what the
row was before: a REPLACE that removes rows without firing their triggers is noticed by the keys that are kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from proxydb.views.arms import quoted
from proxydb.views.sqlite.facts import query_columns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxydb.views.catalogue import Column, Unique
    from proxydb.views.definition import Arm, Definition, Source
    from proxydb.views.sqlite.facts import Execute


class Kept(NamedTuple):
    """A column of a table of ours: its name there, and what the query's column is like."""

    name: str
    column: Column

    @property
    def declaration(self) -> str:
        """Its declaration, which keeps type, affinity and collation; an expression has no type."""
        collation = self.column.collation
        return (
            f"{self.name} {self.column.type} COLLATE {quoted(collation)}"
            if collation
            else f"{self.name} {self.column.type}"
        )

    @property
    def expression(self) -> str:
        """What has the values, affinity and collation of the query's column."""
        if self.column.type or self.column.affinity == "blob":
            return self.name
        if self.column.affinity == "none":
            return f"+{self.name}"
        return f"CAST({self.name} AS {self.column.affinity.upper()})"


@dataclass(frozen=True)
class RowsTable:
    """The rows of one SELECT.

    Parameters
    ----------
    name
        The table's name.
    definition, arm
        The view, and the SELECT of it.
    keys
        For each source the columns that hold its key.
    victims
        For each source its unique constraints, with the columns that hold their values.
    values
        The columns that hold the query's own expressions.
    expressions
        What all these columns are computed by, in the order of the table.
    """

    name: str
    definition: Definition
    arm: Arm
    keys: tuple[tuple[Kept, ...], ...]
    victims: tuple[tuple[tuple[Unique, tuple[Kept, ...]], ...], ...]
    values: tuple[Kept, ...]
    expressions: tuple[str, ...]

    @property
    def columns(self) -> tuple[Kept, ...]:
        """All its columns."""
        hidden = [kept for keys in self.keys for kept in keys]
        hidden += [kept for uniques in self.victims for _, columns in uniques for kept in columns]
        return (*hidden, *self.values)

    @property
    def is_keyed(self) -> bool:
        """Whether the source's key is a key of this table, too."""
        return len(self.keys) == 1 and self.arm.sources[0].unique_key

    def create(self) -> Iterator[str]:
        """The statements that make the table and the indexes by which a source's rows are found."""
        columns = [kept.declaration for kept in self.columns]
        suffix = ""
        if self.is_keyed and self._has_rowid_key():
            columns[0] = f"{self.keys[0][0].name} INTEGER PRIMARY KEY"
        elif self.is_keyed:
            columns.append(f"PRIMARY KEY ({', '.join(kept.name for kept in self.keys[0])})")
            suffix = " WITHOUT ROWID"
        yield f"CREATE TABLE {quoted(self.name)} ({', '.join(columns)}){suffix}"
        for number, keys in enumerate(self.keys):
            if not self.is_keyed:
                yield self.index(f"key{number}", [kept.name for kept in keys])
        for number, uniques in enumerate(self.victims):
            for place, (unique, columns_) in enumerate(uniques):
                terms = [
                    f"{kept.name} COLLATE {quoted(way)}" for kept, way in zip(columns_, unique.collations, strict=True)
                ]
                yield self.index(f"unique{number}_{place}", terms)

    def index(self, suffix: str, terms: list[str]) -> str:
        """A statement that makes an index of the table."""
        return f"CREATE INDEX {quoted(f'{self.name}_{suffix}')} ON {quoted(self.name)} ({', '.join(terms)})"

    def fill(self, condition: str = "", *, prefix: str = "") -> str:
        """The statement that puts in the query's rows, or those for which a condition holds."""
        names = ", ".join(kept.name for kept in self.columns)
        return f"INSERT INTO {quoted(self.name)} ({names}) {self.select(condition, prefix=prefix)}"

    def select(self, condition: str = "", *, prefix: str = "") -> str:
        """The query of the rows with their keys."""
        return _select(self.definition, self.arm, self.expressions, condition, prefix=prefix)

    def remove(self, number: int, row: str) -> str:
        """The statement that takes away the rows with the key that the source's `row`, OLD or NEW, has."""
        source = self.arm.sources[number]
        terms = [
            f"{kept.name} {_equals(source)} {row}.{quoted(column)}"
            for kept, column in zip(self.keys[number], source.key, strict=True)
        ]
        return f"DELETE FROM {quoted(self.name)} WHERE {' AND '.join(terms)}"

    def remove_victims(self, number: int) -> Iterator[str]:
        """The statements that take away what a REPLACE by the row NEW removed: rows that had a unique value of its."""
        source = self.arm.sources[number]
        other = " OR ".join(
            f"{kept.name} IS NOT NEW.{quoted(column)}"
            for kept, column in zip(self.keys[number], source.key, strict=True)
        )
        for unique, columns in self.victims[number]:
            terms = [
                f"{kept.name} COLLATE {quoted(collation)} = NEW.{quoted(name)}"
                for kept, name, collation in zip(columns, unique.columns, unique.collations, strict=True)
            ]
            yield f"DELETE FROM {quoted(self.name)} WHERE {' AND '.join(terms)} AND ({other})"

    def key_is(self, number: int, row: str) -> str:
        """The condition that a row of the query comes from the source's `row`."""
        source = self.arm.sources[number]
        alias = quoted(source.alias)
        return " AND ".join(
            f"{alias}.{quoted(column)} {_equals(source)} {row}.{quoted(column)}" for column in source.key
        )

    def _has_rowid_key(self) -> bool:
        """Whether the key is a single INTEGER PRIMARY KEY: SQLite compares it without a collation."""
        source = self.arm.sources[0]
        column = source.table.column(source.key[0])
        return len(source.key) == 1 and column is not None and column.collation == ""


def rows_table(
    name: str, definition: Definition, arm: Arm, expressions: tuple[str, ...], execute: Execute
) -> RowsTable:
    """The table for the rows of a SELECT.

    Parameters
    ----------
    name
        The table's name.
    definition, arm
        The view, and the SELECT of it.
    expressions
        What it computes, in the user's words.
    execute
        Asks the database about the columns.
    """
    keys = [_key(source) for source in arm.sources]
    uniques = [[(unique, _columns(source, unique)) for unique in source.table.uniques] for source in arm.sources]
    texts = [text for texts in keys for text in texts]
    texts += [text for of_source in uniques for _, columns in of_source for text in columns]
    texts += expressions
    listed = [f"{text} AS c{place}" for place, text in enumerate(texts)]
    facts = query_columns(execute, _select(definition, arm, tuple(listed), ""))
    kept = iter([Kept(f"proxydb_{place}", column) for place, column in enumerate(facts)])
    return RowsTable(
        name,
        definition,
        arm,
        tuple(tuple(next(kept) for _ in texts_) for texts_ in keys),
        tuple(
            tuple((unique, tuple(next(kept) for _ in columns)) for unique, columns in of_source)
            for of_source in uniques
        ),
        tuple(kept),
        tuple(texts),
    )


def _select(definition: Definition, arm: Arm, texts: tuple[str, ...], condition: str, *, prefix: str = "") -> str:
    """A query of `texts` over the tables of a SELECT, where its own and another condition hold."""
    renamed = [(source.place, _renamed(source)) for source in arm.sources if source.table.rows]
    where = [] if arm.where is None else [f"({definition.text(arm.where, renamed)})"]
    if condition:
        where.append(condition)
    said = f" WHERE {' AND '.join(where)}" if where else ""
    return f"SELECT {', '.join(texts)} FROM {prefix}{definition.text(arm.from_, renamed)}{said}"


def _renamed(source: Source) -> str:
    name = quoted(source.table.rows)
    return name if source.aliased else f"{name} AS {quoted(source.alias)}"


def _key(source: Source) -> list[str]:
    return [f"{quoted(source.alias)}.{quoted(column)}" for column in source.key]


def _columns(source: Source, unique: Unique) -> list[str]:
    return [f"{quoted(source.alias)}.{quoted(column)}" for column in unique.columns]


def _equals(source: Source) -> str:
    """A key that may hold NULL is compared by IS; an outer join is only seen through by an equality."""
    return "=" if source.unique_key else "IS"
