"""Groups whose counts and sums of integers are added to: at once, or by a log that is added up when the view is read.

The log is only appended to, so no writer waits for another, and whatever a transaction sees of the table it sees of
the log. At once, a writer waits for another one of the same group, and outside READ COMMITTED fails when it is late.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from proxydb.views.definition import Group
from proxydb.views.postgres.expressions import may_raise
from proxydb.views.postgres.part import (
    MINUS,
    NEW,
    OLD,
    PLUS,
    UNEQUAL,
    Change,
    Part,
    columns,
    emptied,
    hashed,
    named,
    own_condition,
    place,
    rows_as,
    where,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from proxydb.views.definition import Aggregate, Arm, Definition, Template

_INTEGERS = {21: "smallint", 23: "integer", 20: "bigint"}
_SUMS = {21: "bigint", 23: "bigint", 20: "numeric"}
_PLAIN = frozenset({16, 17, 18, 19, 20, 21, 23, 25, 26, 1042, 1043, 1082, 1083, 1114, 1184, 2950})
"""Types in which equal values look the same, by their numbers in pg_type."""


def refusal(definition: Definition, arm: Arm, types: Callable[[Sequence[str]], list[int]], *, asked: bool) -> str:
    """Why a SELECT cannot be kept in this way; empty if it can.

    Parameters
    ----------
    definition, arm
        The view, and the SELECT of it.
    types
        Gives for expressions over it the numbers of their types in pg_type.
    asked
        Whether it is asked for: then what may raise may do so for the writer.
    """
    if not arm.grouped or arm.subqueries or len(arm.sources) > 1:
        return "it is no grouping of one table"
    for aggregate in arm.aggregates:
        if aggregate.distinct or aggregate.function not in ("count", "sum", "avg"):
            return f"{aggregate.function} cannot be added to"
    summed = [each.argument for each in arm.aggregates if each.function != "count"]
    if any(code not in _INTEGERS for code in types(summed)):
        return "it sums other values than integers"
    if any(code not in _PLAIN for code in types(arm.groups)):
        return "it groups by a type in which equal values may look different"
    arguments = [aggregate.argument for aggregate in arm.aggregates if aggregate.argument != "*"]
    if not asked and may_raise([*arm.groups, *arguments, *own_condition(definition, arm)]):
        return "it computes what may raise, and would raise for the writer"
    return ""


class _Sum(NamedTuple):
    """A column that is added to: its name, type, and what it is of some rows."""

    name: str
    type: str
    text: str


class _Groups:
    """The tables of one SELECT's groups, and the statements for them."""

    def __init__(
        self, prefix: str, definition: Definition, arm: Arm, types: Callable[[Sequence[str]], list[int]]
    ) -> None:
        self.state, self.log = f"{prefix}_groups", f"{prefix}_log"
        self.arm, self.source = arm, arm.sources[0]
        self.condition = own_condition(definition, arm)
        self.keys = columns("g", len(arm.groups))
        self.arguments = list(dict.fromkeys(each.argument for each in arm.aggregates if each.argument != "*"))
        summed = [each.argument for each in arm.aggregates if each.function != "count"]
        codes = dict(zip(summed, types(summed), strict=True))
        self.sums = [_Sum("n", "bigint", "pg_catalog.count(*)")]
        for number, argument in enumerate(self.arguments):
            self.sums.append(_Sum(f"c{number}", "bigint", f"pg_catalog.count({argument})"))
            if argument in codes:
                self.sums.append(_Sum(f"s{number}", _SUMS[codes[argument]], f"coalesce(pg_catalog.sum({argument}), 0)"))

    @property
    def texts(self) -> tuple[str, ...]:
        """The user's words in what triggers do."""
        return (*self.arm.groups, *self.arguments, *self.condition)

    def of(self, rows: str, sign: str = "") -> str:
        """What some rows of the table add to each group."""
        texts = named(self.arm.groups, "g") + [f"{sign} {each.text} AS {each.name}" for each in self.sums]
        there = f" HAVING pg_catalog.count(*) {UNEQUAL} 0"
        grouped = f" GROUP BY {', '.join(self.arm.groups)}" if self.arm.groups else there
        return f"SELECT {', '.join(texts)} FROM {rows_as(self.source, rows)}{where(self.condition)}{grouped}"

    def difference(self) -> str:
        """What a change from the old rows to the new ones adds to each group that it changes."""
        changed = " OR ".join(f"pg_catalog.sum({each.name}) {UNEQUAL} 0" for each in self.sums)
        both = f"{self.of(NEW)} UNION ALL {self.of(OLD, MINUS)}"
        return f"{self.total(both)} HAVING {changed}"

    def total(self, parts: str) -> str:
        """What several parts add up to."""
        added = [f"coalesce(pg_catalog.sum({each.name}), 0)::{each.type} AS {each.name}" for each in self.sums]
        grouped = f" GROUP BY {', '.join(self.keys)}" if self.keys else ""
        return f"SELECT {', '.join([*self.keys, *added])} FROM ({parts}) AS proxydb_x{grouped}"

    def shown(self, parts: str) -> str:
        """The query's own columns, from what is kept."""
        texts = named([self.expression(each) for each in self.arm.templates], "o")
        conditions = ["n <> 0"] if self.keys else []
        if self.arm.having:
            conditions.append(f"({self.expression(self.arm.having)}\n)")
        return f"SELECT {', '.join(texts)} FROM ({self.total(parts)}) AS proxydb_g{where(conditions)}"

    @property
    def held(self) -> tuple[str, ...]:
        """For each of the query's own columns the key that it is; empty where it is none."""
        keys = [template[0] if len(template) == 1 else "" for template in self.arm.templates]
        return tuple(f"g{key.number}" if isinstance(key, Group) else "" for key in keys)

    def expression(self, template: Template) -> str:
        """An expression of the query over what is kept."""
        return "".join(piece if isinstance(piece, str) else self._piece(piece) for piece in template)

    def _piece(self, piece: object) -> str:
        number: int = piece.number  # type: ignore[attr-defined]
        return f"g{number}" if isinstance(piece, Group) else self._result(self.arm.aggregates[number])

    def _result(self, aggregate: Aggregate) -> str:
        if aggregate.argument == "*":
            return "n"
        count, total = (f"{letter}{self.arguments.index(aggregate.argument)}" for letter in "cs")
        if aggregate.function == "count":
            return count
        value = total if aggregate.function == "sum" else f"{total}::numeric / {count}::numeric"
        return f"(CASE WHEN {count} <> 0 THEN {value} END)"


def logged(prefix: str, definition: Definition, arm: Arm, types: Callable[[Sequence[str]], list[int]]) -> Part:
    """How the SELECT is kept with a log."""
    kept = _Groups(prefix, definition, arm, types)
    log = f"INSERT INTO {kept.log} "
    both = f"SELECT * FROM {kept.state} UNION ALL SELECT * FROM {kept.log}"
    change = Change(
        kept.source.table,
        (log + kept.of(NEW),),
        (log + kept.difference(),),
        (log + kept.of(OLD, MINUS),),
        emptied(kept.state, kept.log),
        kept.texts,
    )
    return Part(
        create=(*_table(kept, kept.state), *_index(kept, unique=False), *_table(kept, kept.log)),
        fill=(_fill(kept),),
        changes=(change,),
        shown=kept.shown(both),
        table=kept.state,
        held=kept.held,
        fold=_fold(kept),
        logs=(kept.log,),
    )


def added(prefix: str, definition: Definition, arm: Arm, types: Callable[[Sequence[str]], list[int]]) -> Part:
    """How the SELECT is kept at once."""
    kept = _Groups(prefix, definition, arm, types)
    change = Change(
        kept.source.table,
        (_add(kept, kept.of(NEW)),),
        (_add(kept, kept.difference()),),
        (_add(kept, kept.of(OLD, MINUS)),),
        emptied(kept.state),
        kept.texts,
    )
    single = () if kept.keys else (f"ALTER TABLE {kept.state} ADD COLUMN one boolean NOT NULL DEFAULT true UNIQUE",)
    return Part(
        create=(*_table(kept, kept.state), *single, *_index(kept, unique=True)),
        fill=(_fill(kept),),
        changes=(change,),
        shown=kept.shown(f"SELECT {', '.join(_names(kept))} FROM {kept.state}"),
        table=kept.state,
        held=kept.held,
        fold=f"DELETE FROM {kept.state} WHERE n = 0",
    )


def _names(kept: _Groups) -> list[str]:
    return [*kept.keys, *(each.name for each in kept.sums)]


def _table(kept: _Groups, name: str) -> tuple[str, ...]:
    table = place(kept.source.table)
    return (f"CREATE TABLE {name} AS {kept.total(kept.of(table))} WITH NO DATA",)


def _index(kept: _Groups, *, unique: bool) -> tuple[str, ...]:
    if not kept.keys:
        return ()
    listed = ", ".join(kept.keys)
    if unique:
        return (f"ALTER TABLE {kept.state} ADD UNIQUE NULLS NOT DISTINCT ({listed})",)
    return (f"CREATE INDEX ON {kept.state} ({listed})",)


def _fill(kept: _Groups) -> str:
    return f"INSERT INTO {kept.state} ({', '.join(_names(kept))}) {kept.of(place(kept.source.table))}"


def _add(kept: _Groups, change: str) -> str:
    """Add to groups; in their order, so that two writers seldom wait for each other crosswise."""
    ordered = f" ORDER BY {', '.join(kept.keys)}" if kept.keys else ""
    grown = ", ".join(f"{each.name} = proxydb_s.{each.name} {PLUS} excluded.{each.name}" for each in kept.sums)
    conflict = ", ".join(kept.keys) or "one"
    return (
        f"INSERT INTO {kept.state} AS proxydb_s ({', '.join(_names(kept))}) "
        f"SELECT * FROM ({change}) AS proxydb_c{ordered} ON CONFLICT ({conflict}) DO UPDATE SET {grown}"
    )


def _fold(kept: _Groups) -> str:
    """One statement, so that all of it sees one state of the log; groups are found by hashes, as keys may be NULL."""
    touched = f"{hashed(kept.keys)} IN (SELECT {hashed(kept.keys)} FROM taken)" if kept.keys else "true"
    parts = f"SELECT * FROM {kept.state} WHERE {touched} UNION ALL SELECT * FROM taken"
    return (
        f"WITH taken AS (DELETE FROM {kept.log} RETURNING *), "
        f"gone AS (DELETE FROM {kept.state} WHERE EXISTS (SELECT FROM taken) AND {touched}), "
        f"total AS ({kept.total(parts)}) "
        f"INSERT INTO {kept.state} SELECT * FROM total WHERE n <> 0 AND EXISTS (SELECT FROM taken)"
    )
