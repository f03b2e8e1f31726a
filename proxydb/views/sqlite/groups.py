"""The table that holds one row for each group, kept by triggers on the table of the rows.

Counts and sums of integers are added to and subtracted from; a sum, average or total that is not one of small
integers, and whatever says DISTINCT, is computed again from the group's rows; an extreme that leaves is looked up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from proxydb.sql.tokens import quoted
from proxydb.views.definition import Group
from proxydb.views.obstacle import Obstacle
from proxydb.views.sqlite import accumulators
from proxydb.views.sqlite.accumulators import ADDED, ALL, EXTREMES, is_exception
from proxydb.views.sqlite.selects import column_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from proxydb.views.definition import Aggregate, Arm, Template
    from proxydb.views.sqlite.accumulators import Accumulator
    from proxydb.views.sqlite.rows import Kept, RowsTable


@dataclass(frozen=True)
class GroupsTable:
    """The groups of one SELECT.

    Parameters
    ----------
    name
        The table's name.
    rows
        The table of the rows; that of another view, where the groups are made of what it keeps.
    arm
        The SELECT.
    keys
        The columns of the rows that make the groups.
    arguments
        For each aggregate the column of the rows that is its argument; None for ``count(*)``.
    single
        Whether it is the one group of a query without GROUP BY, which is there without rows too.
    """

    name: str
    rows: RowsTable
    arm: Arm
    keys: tuple[Kept, ...]
    arguments: tuple[Kept | None, ...]
    single: bool

    @property
    def accumulators(self) -> tuple[Accumulator, ...]:
        """What is kept for a group, each once."""
        found = {accumulators.ALL: accumulators.count_all()}
        for aggregate, argument in self._called():
            found |= {each.name: each for each in accumulators.of(aggregate, argument)}
        return tuple(found.values())

    @property
    def is_keyed(self) -> bool:
        """Whether the keys of the groups are a key of the table: none can be NULL."""
        return bool(self.keys) and all(kept.column.not_null for kept in self.keys)

    def create(self) -> Iterator[str]:
        """The statements that make the table and its indexes, and those by which a group's rows are found."""
        names = [kept.name for kept in self.keys]
        columns = [kept.declaration for kept in self.keys]
        columns += [accumulator.declaration for accumulator in self.accumulators]
        if self.is_keyed:
            columns.append(f"PRIMARY KEY ({', '.join(names)})")
        yield f"CREATE TABLE {quoted(self.name)} ({', '.join(columns)}){' WITHOUT ROWID' * self.is_keyed}"
        if names and not self.is_keyed:
            yield f"CREATE INDEX {quoted(f'{self.name}_key')} ON {quoted(self.name)} ({', '.join(names)})"
        for number, terms in enumerate(self._looked_up(names)):
            if not self.rows.begins_with(terms):
                index = quoted(f"{self.name}_rows{number}")
                yield f"CREATE INDEX {index} ON {quoted(self.rows.name)} ({', '.join(terms)})"

    def _looked_up(self, names: list[str]) -> list[list[str]]:
        """What the rows of a group are looked up by."""
        arguments = dict.fromkeys(
            argument.name
            for aggregate, argument in self._called()
            if aggregate.distinct or aggregate.function in EXTREMES
        )
        if arguments:
            return [list(dict.fromkeys([*names, argument])) for argument in arguments]
        return [names] if names and self._computes_sums() else []

    def _called(self) -> list[tuple[Aggregate, Kept]]:
        """The aggregates that have an argument, with it."""
        pairs = zip(self.arm.aggregates, self.arguments, strict=True)
        return [(aggregate, argument) for aggregate, argument in pairs if argument is not None]

    def _computes_sums(self) -> bool:
        """Whether a sum is expected to be one of other values than integers."""
        return any(
            aggregate.function in ADDED and argument.column.affinity != "integer"
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
        held, again = self.accumulators, self._again("NEW")
        keys = ", ".join(kept.name for kept in self.keys)
        into = f"INSERT INTO {quoted(self.name)} ({', '.join([*([keys] if keys else []), *(a.name for a in held)])})"
        of_new = [f"NEW.{kept.name}" for kept in self.keys]
        if self.is_keyed:
            first = ", ".join([*of_new, *accumulators.of_first(held, again)])
            changes = _set(accumulators.added(held, {each.name: f"excluded.{each.name}" for each in held}, again))
            yield f"{into} VALUES ({first}) ON CONFLICT ({keys}) DO UPDATE SET {changes}"
            return
        if not self.single:
            there = f"SELECT 1 FROM {quoted(self.name)} WHERE {self._is('NEW')}"
            yield f"{into} SELECT {', '.join([*of_new, *(each.start for each in held)])} WHERE NOT EXISTS ({there})"
        changes = _set(accumulators.added(held, accumulators.of_row(held, "NEW"), again))
        yield f"UPDATE {quoted(self.name)} SET {changes} WHERE {self._is('NEW')}"

    def removed(self) -> Iterator[str]:
        """What a trigger does after the row OLD was removed."""
        held = self.accumulators
        if not self.single:
            yield f"DELETE FROM {quoted(self.name)} WHERE {self._is('OLD')} AND {ALL} = 1"
        changes = _set(accumulators.removed(held, accumulators.of_row(held, "OLD"), self._again("OLD")))
        yield f"UPDATE {quoted(self.name)} SET {changes} WHERE {self._is('OLD')}"

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
        aggregate, argument = self.arm.aggregates[number], self.arguments[number]
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
        exception = is_exception("sum", value)
        return f"CASE WHEN {value}_count = 0 THEN NULL WHEN {exception} THEN {kept} ELSE {value}_small END"

    def _is(self, row: str) -> str:
        return " AND ".join(f"{kept.name} IS {row}.{kept.name}" for kept in self.keys) or "1"

    def _again(self, row: str) -> dict[str, str]:
        """The queries by which columns are computed again, from the rows of a row's group."""
        shown = f" AND {self.rows.condition}" if self.rows.condition else ""
        return {
            each.name: f"SELECT {each.again} FROM {quoted(self.rows.name)} WHERE {self._is(row)}{shown}"
            for each in self.accumulators
        }


def _set(changes: Iterable[tuple[str, str]]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in changes)


def groups_table(name: str, arm: Arm, rows: RowsTable, values: Sequence[Kept]) -> GroupsTable:
    """The table for the groups of a SELECT.

    Parameters
    ----------
    name
        The table's name.
    arm
        The SELECT.
    rows
        The table of its rows.
    values
        The columns there of what `held` tells.

    Raises
    ------
    proxydb.views.obstacle.Obstacle
        Which of several equal values stands for a group is not defined.
    """
    keys = tuple(values[: len(held(arm)) - len(_arguments(arm))])
    of_arguments = dict(zip(_arguments(arm), values[len(keys) :], strict=True))
    arguments = tuple(of_arguments.get(aggregate.argument) for aggregate in arm.aggregates)
    for kept in (*keys, *(argument for argument in arguments if argument is not None)):
        if kept.column.collation not in ("", "BINARY"):
            raise Obstacle(
                f"it groups or compares by the collation {kept.column.collation}, to which several spellings are one"
            )
    if any(aggregate.distinct and aggregate.function == "sum" for aggregate in arm.aggregates):
        raise Obstacle("it has sum(DISTINCT), which could fail for whoever writes where it leaves 64 bits")
    return GroupsTable(name, rows, arm, keys, arguments, single=not arm.distinct and not arm.groups)


def groups_of_kept(name: str, arm: Arm, kept: Mapping[str, RowsTable]) -> GroupsTable | None:
    """The table for groups of what other views keep, made without a copy: nobody replaces anything there.

    Parameters
    ----------
    name, arm
        As for `groups_table`.
    kept
        The tables of rows of the views that the SELECT reads, by their names.

    Returns
    -------
    GroupsTable or None
        None where the groups are made of something else than columns of one such view.
    """
    source = arm.sources[0]
    rows = kept.get(source.table.name)
    if rows is None or len(arm.sources) > 1 or arm.where is not None:
        return None
    outputs = zip(source.table.columns, rows.values[: len(rows.arm.outputs)], strict=False)  # its keys come after them
    shown = {column_of(source, column.name): each for column, each in outputs}
    values = [shown[text] for text in held(arm) if text in shown]
    return groups_table(name, arm, rows, values) if len(values) == len(held(arm)) else None


def held(arm: Arm) -> tuple[str, ...]:
    """What the table of rows holds beside keys; for groups their keys first, then the arguments of aggregates."""
    return arm.groups + _arguments(arm) if arm.grouped else arm.outputs + arm.carried


def _arguments(arm: Arm) -> tuple[str, ...]:
    return tuple(dict.fromkeys(aggregate.argument for aggregate in arm.aggregates if aggregate.argument != "*"))


def _result(aggregate: Aggregate, argument: Kept | None) -> str:
    """An aggregate's value, from what is kept for it; without affinity, as the call itself has none."""
    if argument is None:
        return f"+{ALL}"
    value, function = argument.name, aggregate.function
    if aggregate.distinct:
        return f"+{value}_{function}_distinct"
    if function in ("min", "max"):
        return f"+{value}_{function}"
    if function == "count":
        return f"+{value}_count"
    exception = is_exception(function, value)
    kept = f"{value}_{function}"
    if function == "total":
        return f"CASE WHEN {exception} THEN {kept} ELSE CAST({value}_small AS REAL) END"
    mean = f"CAST({value}_small AS REAL) / {value}_count"
    return f"CASE WHEN {value}_count = 0 THEN NULL WHEN {exception} THEN {kept} ELSE {mean} END"
