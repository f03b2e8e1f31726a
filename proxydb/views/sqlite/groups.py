"""The table that holds one row for each group, kept by triggers on the table of the rows.

Counts and sums of integers are added to and subtracted from; a sum, average or total that is not one of small
integers, and whatever says DISTINCT, is computed again from the group's rows; an extreme that leaves is looked up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from proxydb.sql.tokens import quoted
from proxydb.views.definition import Group
from proxydb.views.obstacle import Obstacle

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxydb.views.definition import Aggregate, Template
    from proxydb.views.sqlite.rows import Kept, RowsTable

_SMALL = 1 << 40
"""Integers below it are added: eight million of them fit into 64 bits."""

_EXACT = 1 << 53
"""Up to it every integer is a double, so that what SQLite adds in doubles is exact."""

_ALL = "proxydb_all"
_ADDED, _EXTREMES = frozenset({"sum", "avg", "total"}), frozenset({"min", "max"})


class Accumulator(NamedTuple):
    """A column that is kept for a group.

    Parameters
    ----------
    name, declaration
        The column.
    start
        Its value for a group without rows.
    insert, delete
        Its new value when the row NEW is added, or OLD is removed; empty where it stays.
    again
        What it is computed by from the group's rows.
    stale_insert, stale_delete
        When it has to be computed again after a row was added or removed; empty for never.
    """

    name: str
    declaration: str
    start: str
    insert: str
    delete: str
    again: str
    stale_insert: str = ""
    stale_delete: str = ""


@dataclass(frozen=True)
class GroupsTable:
    """The groups of one SELECT.

    Parameters
    ----------
    name
        The table's name.
    rows
        The table of the rows, whose first values are the keys of the groups.
    keys
        The columns of the rows that make the groups.
    arguments
        For each aggregate the column of the rows that is its argument; None for ``count(*)``.
    single
        Whether it is the one group of a query without GROUP BY, which is there without rows too.
    """

    name: str
    rows: RowsTable
    keys: tuple[Kept, ...]
    arguments: tuple[Kept | None, ...]
    single: bool

    @property
    def accumulators(self) -> tuple[Accumulator, ...]:
        """What is kept for a group, each once."""
        found = {_ALL: _count_all()}
        for aggregate, argument in self._called():
            found |= {each.name: each for each in _accumulators(aggregate, argument)}
        return tuple(found.values())

    def create(self) -> Iterator[str]:
        """The statements that make the table and its indexes, and those by which a group's rows are found."""
        columns = [kept.declaration for kept in self.keys]
        columns += [accumulator.declaration for accumulator in self.accumulators]
        yield f"CREATE TABLE {quoted(self.name)} ({', '.join(columns)})"
        names = [kept.name for kept in self.keys]
        if names:
            yield f"CREATE INDEX {quoted(f'{self.name}_key')} ON {quoted(self.name)} ({', '.join(names)})"
        looked_up = dict.fromkeys(
            argument.name
            for aggregate, argument in self._called()
            if aggregate.distinct or aggregate.function in _EXTREMES
        )
        for argument in looked_up:
            yield self.rows.index(f"group_{argument}", [*names, argument])
        if names and not looked_up and self._computes_sums():
            yield self.rows.index("group", names)

    def _called(self) -> list[tuple[Aggregate, Kept]]:
        """The aggregates that have an argument, with it."""
        pairs = zip(self.rows.arm.aggregates, self.arguments, strict=True)
        return [(aggregate, argument) for aggregate, argument in pairs if argument is not None]

    def _computes_sums(self) -> bool:
        """Whether a sum is expected to be one of other values than integers."""
        return any(
            aggregate.function in _ADDED and argument.column.affinity != "integer"
            for aggregate, argument in self._called()
        )

    def fill(self) -> Iterator[str]:
        """The statements that compute all groups."""
        names = [kept.name for kept in self.keys] + [each.name for each in self.accumulators]
        values = [kept.name for kept in self.keys] + [each.again for each in self.accumulators]
        grouped = "" if self.single else f" GROUP BY {', '.join(kept.name for kept in self.keys)}"
        where = f" WHERE {self.rows.condition}" if self.rows.condition else ""
        yield (
            f"INSERT INTO {quoted(self.name)} ({', '.join(names)}) "
            f"SELECT {', '.join(values)} FROM {quoted(self.rows.name)}{where}{grouped}"
        )

    def added(self) -> Iterator[str]:
        """What a trigger does after the row NEW was added."""
        if not self.single:
            keys = ", ".join(kept.name for kept in self.keys)
            names = ", ".join(each.name for each in self.accumulators)
            yield (
                f"INSERT INTO {quoted(self.name)} ({keys}, {names}) "
                f"SELECT {', '.join(f'NEW.{kept.name}' for kept in self.keys)}, "
                f"{', '.join(each.start for each in self.accumulators)} "
                f"WHERE NOT EXISTS (SELECT 1 FROM {quoted(self.name)} WHERE {self._is('NEW')})"
            )
        changes = [f"{each.name} = {each.insert}" for each in self.accumulators if each.insert]
        yield f"UPDATE {quoted(self.name)} SET {', '.join(changes)} WHERE {self._is('NEW')}"
        yield from self._again("NEW", {each: each.stale_insert for each in self.accumulators if each.stale_insert})

    def removed(self) -> Iterator[str]:
        """What a trigger does after the row OLD was removed; an extreme is looked up when the group is up to date."""
        changes = [f"{each.name} = {each.delete}" for each in self.accumulators if each.delete]
        yield f"UPDATE {quoted(self.name)} SET {', '.join(changes)} WHERE {self._is('OLD')}"
        if not self.single:
            yield f"DELETE FROM {quoted(self.name)} WHERE {self._is('OLD')} AND {_ALL} = 0"
        yield from self._again("OLD", {each: each.stale_delete for each in self.accumulators if each.stale_delete})

    def expression(self, template: Template) -> str:
        """An expression of the query over a group."""
        return "".join(piece if isinstance(piece, str) else self._piece(piece) for piece in template)

    def key(self, template: Template) -> Kept | None:
        """The key column that a template consists of."""
        piece = template[0] if len(template) == 1 else ""
        return self.keys[piece.number] if isinstance(piece, Group) else None

    def _piece(self, piece: object) -> str:
        if isinstance(piece, Group):
            return self.keys[piece.number].expression
        number: int = piece.number  # type: ignore[attr-defined]
        aggregate, argument = self.rows.arm.aggregates[number], self.arguments[number]
        if aggregate.function == "sum" and not aggregate.distinct and argument is not None:
            return self._sum(argument)
        return _result(aggregate, argument)

    def _sum(self, argument: Kept) -> str:
        """The sum; one that may leave 64 bits is left to whoever reads it, and so is SQLite's error."""
        value, table, rows = argument.name, quoted(self.name), quoted(self.rows.name)
        same = [f"{rows}.{kept.name} IS {table}.{kept.name}" for kept in self.keys]
        where = " AND ".join([*same, *([self.rows.condition] if self.rows.condition else [])])
        live = f"(SELECT sum({value}) FROM {rows}{f' WHERE {where}' if where else ''})"
        kept = f"CASE typeof({value}_sum) WHEN 'blob' THEN {live} ELSE {value}_sum END"
        exception = _is_exception("sum", value)
        return f"CASE WHEN {value}_count = 0 THEN NULL WHEN {exception} THEN {kept} ELSE {value}_small END"

    def _is(self, row: str) -> str:
        return " AND ".join(f"{kept.name} IS {row}.{kept.name}" for kept in self.keys) or "1"

    def _again(self, row: str, when: dict[Accumulator, str]) -> Iterator[str]:
        """One statement for each column that is computed again, when it has to be."""
        shown = f" AND {self.rows.condition}" if self.rows.condition else ""
        for each, condition in when.items():
            computed = f"SELECT {each.again} FROM {quoted(self.rows.name)} WHERE {self._is(row)}{shown}"
            yield f"UPDATE {quoted(self.name)} SET {each.name} = ({computed}) WHERE {self._is(row)} AND {condition}"


def groups_table(name: str, rows: RowsTable) -> GroupsTable:
    """The table for the groups of a SELECT whose rows are in `rows`: keys first, then the arguments of aggregates.

    Raises
    ------
    proxydb.views.obstacle.Obstacle
        Which of several equal values stands for a group is not defined.
    """
    arm = rows.arm
    count = len(rows.values) if arm.distinct else len(arm.groups)
    held = dict(zip(arguments_of(arm.aggregates), rows.values[count:], strict=False))
    arguments = tuple(held.get(aggregate.argument) for aggregate in arm.aggregates)
    compared = [*rows.values[:count], *(argument for argument in arguments if argument is not None)]
    for kept in compared:
        if kept.column.collation not in ("", "BINARY"):
            raise Obstacle(
                f"it groups or compares by the collation {kept.column.collation}, to which several spellings are one"
            )
    if any(aggregate.distinct and aggregate.function == "sum" for aggregate in arm.aggregates):
        raise Obstacle("it has sum(DISTINCT), which could fail for whoever writes where it leaves 64 bits")
    single = not arm.distinct and not arm.groups
    return GroupsTable(name, rows, rows.values[:count], arguments, single)


def arguments_of(aggregates: tuple[Aggregate, ...]) -> tuple[str, ...]:
    """What the rows have to hold for aggregates."""
    return tuple(dict.fromkeys(aggregate.argument for aggregate in aggregates if aggregate.argument != "*"))


# ── what is kept for an aggregate ────────────────────────────────────────────────────────────────────────────────────


def _count_all() -> Accumulator:
    return Accumulator(_ALL, f"{_ALL} INTEGER", "0", f"{_ALL} + 1", f"{_ALL} - 1", "count(*)")


def _accumulators(aggregate: Aggregate, argument: Kept) -> Iterator[Accumulator]:
    if aggregate.distinct:
        yield _computed(aggregate, argument)
    elif aggregate.function in _EXTREMES:
        yield _extreme(aggregate.function, argument)
    else:
        yield _counted(argument)
        if aggregate.function in _ADDED:
            yield from _sums(argument, sized=aggregate.function != "sum")
            yield _exception(aggregate, argument)


def _counted(argument: Kept) -> Accumulator:
    name, value = f"{argument.name}_count", argument.name
    return Accumulator(
        name,
        f"{name} INTEGER",
        "0",
        f"{name} + (NEW.{value} IS NOT NULL)",
        f"{name} - (OLD.{value} IS NOT NULL)",
        f"count({value})",
    )


def _sums(argument: Kept, *, sized: bool) -> Iterator[Accumulator]:
    """How many values are no small integers, and the sum of those that are; if `sized` that of their absolutes, too."""
    value = argument.name
    parts = [("odd", "0", "1"), ("small", "{0}", "0")] + [("size", "abs({0})", "0")] * sized
    for suffix, of_small, of_others in parts:
        name = f"{value}_{suffix}"

        def term(row: str, small: str = of_small, other: str = of_others) -> str:
            one = f"{row}{value}"
            is_small = f"typeof({one}) = 'integer' AND {one} BETWEEN -{_SMALL} AND {_SMALL}"
            return f"CASE WHEN {is_small} THEN {small.format(one)} WHEN {one} IS NULL THEN 0 ELSE {other} END"

        again = f"coalesce(sum({term('')}), 0)"
        yield Accumulator(name, f"{name} INTEGER", "0", f"{name} + {term('NEW.')}", f"{name} - {term('OLD.')}", again)


def _exception(aggregate: Aggregate, argument: Kept) -> Accumulator:
    """What the aggregate is where sums of small integers do not tell; else NULL."""
    value, name = argument.name, f"{argument.name}_{aggregate.function}"
    again = f"total({value})" if aggregate.function == "total" else f"avg({value})"
    if aggregate.function == "sum":
        again = _safe_sum(value)
    stale = _is_exception(aggregate.function, value)
    return Accumulator(name, name, "NULL", "", "", again, stale, stale)


def _safe_sum(value: str) -> str:
    """sum(), but a BLOB where it might raise "integer overflow", which must not break whoever writes.

    SQLite computes every aggregate of a SELECT, also one in a branch that is not taken, so sum() itself may not stand
    here: integers are added in halves, and among other values SQLite adds doubles, as total() does.
    """
    size = f"total(max({value}, -{value}))"
    integers = f"count(*) = count(CASE WHEN typeof({value}) IN ('integer', 'null') THEN 1 END)"
    halves = f"sum({value} >> 32) * 4294967296 + sum({value} & 4294967295)"
    return f"CASE WHEN {size} >= 9e18 THEN x'00' WHEN {integers} THEN {halves} ELSE total({value}) END"


def _is_exception(function: str, value: str) -> str:
    if function == "sum":
        return f"({value}_odd > 0 OR {value}_count > 4194304)"
    return f"({value}_odd > 0 OR {value}_size >= {_EXACT})"


def _extreme(function: str, argument: Kept) -> Accumulator:
    value, name = argument.name, f"{argument.name}_{function}"
    new = f"NEW.{value}"
    grown = f"CASE WHEN {new} IS NULL THEN {name} WHEN {name} IS NULL THEN {new} ELSE {function}({name}, {new}) END"
    return Accumulator(
        name, f"{name}", "NULL", grown, "", f"{function}({value})", stale_delete=f"{name} IS OLD.{value}"
    )


def _computed(aggregate: Aggregate, argument: Kept) -> Accumulator:
    value, function = argument.name, aggregate.function
    name = f"{value}_{function}_distinct"
    again = f"{function}(DISTINCT {value})"
    return Accumulator(name, name, "0" if function == "count" else "NULL", "", "", again, "1", "1")


def _result(aggregate: Aggregate, argument: Kept | None) -> str:
    """An aggregate's value, from what is kept for it; without affinity, as the call itself has none."""
    if argument is None:
        return f"+{_ALL}"
    value, function = argument.name, aggregate.function
    if aggregate.distinct:
        return f"+{value}_{function}_distinct"
    if function in ("min", "max"):
        return f"+{value}_{function}"
    if function == "count":
        return f"+{value}_count"
    exception = _is_exception(function, value)
    kept = f"{value}_{function}"
    if function == "total":
        return f"CASE WHEN {exception} THEN {kept} ELSE CAST({value}_small AS REAL) END"
    mean = f"CAST({value}_small AS REAL) / {value}_count"
    return f"CASE WHEN {value}_count = 0 THEN NULL WHEN {exception} THEN {kept} ELSE {mean} END"
