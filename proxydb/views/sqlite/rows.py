"""The table that holds the rows of one SELECT, each with the keys of the rows that it comes from.

Beside the query's own expressions it holds what its rows are found by when something changes: the keys of its sources,
their unique values, the columns that sub-queries are tied to, and what windows are partitioned by.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from proxydb.sql.tokens import quoted
from proxydb.views.sqlite.coverage import comes_whole
from proxydb.views.sqlite.facts import query_columns
from proxydb.views.sqlite.selects import column_of, renames, select

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from proxydb.views.catalogue import Column, Unique
    from proxydb.views.definition import Arm, Definition, Source
    from proxydb.views.sqlite.facts import Execute


class Kept(NamedTuple):
    """A column of a table of ours: its name there, what the query's column is like, and what that is computed by."""

    name: str
    column: Column
    text: str = ""

    @property
    def declaration(self) -> str:
        """Its declaration, which keeps type, affinity and collation; an expression has no type."""
        collation = f" COLLATE {quoted(self.column.collation)}" if self.column.collation else ""
        return f"{self.name} {self.column.type}{collation}"

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
    links
        For each sub-query the columns that hold what it is tied to.
    partition
        The columns that hold what windows are partitioned by.
    shown
        The column that says whether the WHERE clause holds, where that is kept and not applied.
    values
        The columns that hold the query's own expressions.
    """

    name: str
    definition: Definition
    arm: Arm
    keys: tuple[tuple[Kept, ...], ...]
    victims: tuple[tuple[tuple[Unique, tuple[Kept, ...]], ...], ...]
    links: tuple[tuple[Kept, ...], ...]
    partition: tuple[Kept, ...]
    shown: tuple[Kept, ...]
    values: tuple[Kept, ...]

    @property
    def columns(self) -> tuple[Kept, ...]:
        """All its columns."""
        hidden = [kept for keys in self.keys for kept in keys]
        hidden += [kept for uniques in self.victims for _, columns in uniques for kept in columns]
        hidden += [kept for links in self.links for kept in links]
        return tuple(dict.fromkeys((*hidden, *self.partition, *self.shown, *self.values)))

    @property
    def is_keyed(self) -> bool:
        """Whether the source's key is a key of this table, too.

        It is none where rows are put in anew by something else: a trigger of the application's own may have its change
        of another table noticed before the change of the row itself, and then the same row is there twice for a
        moment.
        """
        found_by = {kept for links in self.links for kept in links} | set(self.partition)
        source = self.arm.sources[0]
        told = found_by <= set(self.keys[0]) and not (self.partition and source.table.uniques)
        return len(self.keys) == 1 and source.unique_key and told

    @property
    def primary(self) -> tuple[Kept, ...]:
        """What tells its rows apart, beginning with what they are put in anew by; empty where rows may be equal."""
        if not self.is_keyed and not comes_whole(self.definition, self.arm):
            return ()
        found_by = self.partition or (self.links[0] if self.links else ())
        return tuple(dict.fromkeys((*found_by, *(kept for keys in self.keys for kept in keys))))

    @property
    def units(self) -> tuple[Kept, ...]:
        """What rows are put in anew by where a source's own key is not enough."""
        return self.partition or tuple(kept for number in self.arm.anchors for kept in self.keys[number])

    @property
    def condition(self) -> str:
        """The condition of the rows that the query gives; empty where it gives all."""
        return self.shown[0].name if self.shown else ""

    def create(self) -> Iterator[str]:
        """The statements that make the table and the indexes by which its rows are found."""
        columns = [kept.declaration for kept in self.columns]
        suffix = ""
        if self.is_keyed and self._has_rowid_key():
            columns[0] = f"{self.keys[0][0].name} INTEGER PRIMARY KEY"
        elif self.primary:
            columns.append(f"PRIMARY KEY ({', '.join(kept.name for kept in self.primary)})")
            suffix = " WITHOUT ROWID"
        yield f"CREATE TABLE {quoted(self.name)} ({', '.join(columns)}){suffix}"
        for number, terms in enumerate(self._indexed()):
            yield self.index(f"by{number}", terms)

    def index(self, suffix: str, terms: Sequence[str]) -> str:
        """A statement that makes an index of the table."""
        return f"CREATE INDEX {quoted(f'{self.name}_{suffix}')} ON {quoted(self.name)} ({', '.join(terms)})"

    def fill(self, condition: str = "", *, prefix: str = "") -> str:
        """The statement that puts in the query's rows, or those for which a condition holds."""
        names = ", ".join(kept.name for kept in self.columns)
        return f"INSERT INTO {quoted(self.name)} ({names}) {self.select(condition, prefix=prefix)}"

    def select(self, condition: str = "", *, prefix: str = "") -> str:
        """The query of the rows with all that is kept."""
        texts = [kept.text for kept in self.columns]
        return select(self.definition, self.arm, texts, condition, prefix=prefix, filtered=not self.shown)

    def _indexed(self) -> list[tuple[str, ...]]:
        """What its rows are looked up by, beside a key of the table itself."""
        wanted = [tuple(kept.name for kept in keys) for keys in self.keys] if not self.primary else []
        for uniques in self.victims:
            for unique, columns in uniques:
                pairs = zip(columns, unique.collations, strict=True)
                wanted.append(tuple(f"{kept.name} COLLATE {quoted(collation)}" for kept, collation in pairs))
        wanted += [tuple(kept.name for kept in links) for links in self.links]
        if self.partition or any(source.nullable for source in self.arm.sources):
            wanted.append(tuple(kept.name for kept in self.units))
        return list(dict.fromkeys(terms for terms in wanted if terms and not self.begins_with(terms)))

    def begins_with(self, terms: Sequence[str]) -> bool:
        """Whether the table's own key finds rows by these columns, in whatever order they are named."""
        primary = [kept.name for kept in self.primary[: len(terms)]]
        return sorted(primary) == sorted(terms)

    def _has_rowid_key(self) -> bool:
        """Whether the key is a single INTEGER PRIMARY KEY: SQLite compares it without a collation."""
        source = self.arm.sources[0]
        column = source.table.column(source.key[0])
        return len(source.key) == 1 and column is not None and column.collation == ""


def rows_table(name: str, definition: Definition, arm: Arm, expressions: Sequence[str], execute: Execute) -> RowsTable:
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
    keys = [[column_of(source, column) for column in source.key] for source in arm.sources]
    uniques = [(place, unique) for place, source in enumerate(arm.sources) for unique in source.table.uniques]
    unique_texts = [[column_of(arm.sources[place], column) for column in unique.columns] for place, unique in uniques]
    links = [[f"{quoted(link.alias)}.{quoted(link.outer)}" for link in each.links] for each in arm.subqueries]
    shown = (
        [f"CASE WHEN {definition.text(arm.where, renames(arm))} THEN 1 ELSE 0 END"] if arm.late and arm.where else []
    )
    parts: list[Sequence[str]] = [*keys, *unique_texts, *links, arm.partition, shown, expressions]
    made = iter(_kept(definition, arm, [text for part in parts for text in part], execute))
    found = iter([tuple(islice(made, len(part))) for part in parts])
    of_keys = tuple(next(found) for _ in keys)
    of_uniques = [(place, unique, next(found)) for place, unique in uniques]
    return RowsTable(
        name,
        definition,
        arm,
        of_keys,
        tuple(
            tuple((unique, columns) for place, unique, columns in of_uniques if place == number)
            for number in range(len(keys))
        ),
        tuple(next(found) for _ in links),
        next(found),
        next(found),
        next(found),
    )


def _kept(definition: Definition, arm: Arm, texts: list[str], execute: Execute) -> list[Kept]:
    """A column for each expression; the same expression is kept once."""
    places = {text: place for place, text in enumerate(dict.fromkeys(texts))}
    facts = query_columns(execute, select(definition, arm, [f"{text} AS c{place}" for text, place in places.items()]))
    declared = {
        column_of(source, column.name): (source, column) for source in arm.sources for column in source.table.columns
    }
    kept = {text: _as_declared(facts[place], *declared.get(text, (None, None))) for text, place in places.items()}
    return [Kept(f"proxydb_{places[text]}", kept[text], text) for text in texts]


def _as_declared(fact: Column, source: Source | None, column: Column | None) -> Column:
    """What SQLite says of an expression, and of a column what its declaration says."""
    if source is None or column is None:
        return replace(fact, type="")
    not_null = column.not_null or (column.name in source.key and source.unique_key)
    return replace(fact, type=column.type, not_null=not_null and not source.nullable)
