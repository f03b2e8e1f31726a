"""What is kept for the aggregates of a group, and how a row that comes or goes changes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from proxydb.views.definition import Aggregate
    from proxydb.views.sqlite.rows import Kept

_SMALL = 1 << 40
"""Integers below it are added: eight million of them fit into 64 bits."""

_EXACT = 1 << 53
"""Up to it every integer is a double, so that what SQLite adds in doubles is exact."""

ALL = "proxydb_all"
ADDED, EXTREMES = frozenset({"sum", "avg", "total"}), frozenset({"min", "max"})


class Accumulator(NamedTuple):
    """A column that is kept for a group.

    Parameters
    ----------
    name, declaration
        The column.
    start
        Its value for a group without rows.
    of_row
        Its value for a group of the row ``{row}`` alone; empty where only `again` tells.
    added, removed
        Its new value when a group with the value ``{new}`` is added to it, or taken away; empty where it stays.
    again
        What it is computed by from the group's rows.
    stale_added, stale_removed
        When it has to be computed again, by what the other columns, in braces, then are; empty for never.
    """

    name: str
    declaration: str
    start: str
    of_row: str
    added: str
    removed: str
    again: str
    stale_added: str = ""
    stale_removed: str = ""


def count_all() -> Accumulator:
    """How many rows a group has."""
    return Accumulator(ALL, f"{ALL} INTEGER", "0", "1", f"{ALL} + {{new}}", f"{ALL} - {{new}}", "count(*)")


def of(aggregate: Aggregate, argument: Kept) -> Iterator[Accumulator]:
    """What is kept for an aggregate."""
    if aggregate.distinct:
        yield _computed(aggregate, argument)
    elif aggregate.function in EXTREMES:
        yield _extreme(aggregate.function, argument)
    else:
        yield _added(f"{argument.name}_count", f"{{row}}.{argument.name} IS NOT NULL", f"count({argument.name})")
        if aggregate.function in ADDED:
            yield from _sums(argument, sized=aggregate.function != "sum")
            yield _exception(aggregate, argument)


def _added(name: str, of_row: str, again: str) -> Accumulator:
    return Accumulator(name, f"{name} INTEGER", "0", f"({of_row})", f"{name} + {{new}}", f"{name} - {{new}}", again)


def _sums(argument: Kept, *, sized: bool) -> Iterator[Accumulator]:
    """How many values are no small integers, and the sum of those that are; if `sized` that of their absolutes, too."""
    value = argument.name
    parts = [("odd", "0", "1"), ("small", "{0}", "0")] + [("size", "abs({0})", "0")] * sized
    for suffix, of_small, of_others in parts:

        def term(one: str, small: str = of_small, other: str = of_others) -> str:
            is_small = f"typeof({one}) = 'integer' AND {one} BETWEEN -{_SMALL} AND {_SMALL}"
            return f"CASE WHEN {is_small} THEN {small.format(one)} WHEN {one} IS NULL THEN 0 ELSE {other} END"

        yield _added(f"{value}_{suffix}", term(f"{{row}}.{value}"), f"coalesce(sum({term(value)}), 0)")


def _exception(aggregate: Aggregate, argument: Kept) -> Accumulator:
    """What the aggregate is where sums of small integers do not tell; else it means nothing."""
    value, name = argument.name, f"{argument.name}_{aggregate.function}"
    again = f"total({value})" if aggregate.function == "total" else f"avg({value})"
    if aggregate.function == "sum":
        again = _safe_sum(value)
    stale = _exceptional(aggregate.function, value)
    return Accumulator(name, name, "NULL", "", "", "", again, stale, stale)


def _safe_sum(value: str) -> str:
    """sum(), but a BLOB where only a reader may compute it.

    It might raise "integer overflow", which must not break whoever writes; and of text only sum() itself knows what
    looks like an integer. SQLite computes every aggregate of a SELECT, also one in a branch that is not taken, so sum()
    may not stand here: integers are added in halves, and among other values SQLite adds doubles, as total() does.
    """
    size = f"total(max({value}, -{value}))"
    integers = f"count(*) = count(CASE WHEN typeof({value}) IN ('integer', 'null') THEN 1 END)"
    halves = f"sum({value} >> 32) * 4294967296 + sum({value} & 4294967295)"
    odd = f"count(CASE WHEN typeof({value}) IN ('text', 'blob') THEN 1 END) > 0"
    return f"CASE WHEN {size} >= 9e18 OR {odd} THEN x'00' WHEN {integers} THEN {halves} ELSE total({value}) END"


def _exceptional(function: str, value: str) -> str:
    if function == "sum":
        return f"({{{value}_odd}} > 0 OR {{{value}_count}} > 4194304)"
    return f"({{{value}_odd}} > 0 OR {{{value}_size}} >= {_EXACT})"


def is_exception(function: str, value: str) -> str:
    """The condition on a group that its sums of small integers do not tell what the aggregate is."""
    return _exceptional(function, value).replace("{", "").replace("}", "")


def _extreme(function: str, argument: Kept) -> Accumulator:
    value, name = argument.name, f"{argument.name}_{function}"
    grown = (
        f"CASE WHEN {{new}} IS NULL THEN {name} WHEN {name} IS NULL THEN {{new}} ELSE {function}({name}, {{new}}) END"
    )
    leaves = f"{name} IS OLD.{value}"
    return Accumulator(name, name, "NULL", f"{{row}}.{value}", grown, "", f"{function}({value})", "", leaves)


def _computed(aggregate: Aggregate, argument: Kept) -> Accumulator:
    value, function = argument.name, aggregate.function
    name = f"{value}_{function}_distinct"
    again = f"{function}(DISTINCT {value})"
    return Accumulator(name, name, "0" if function == "count" else "NULL", "", "", "", again, "1", "1")


def added(held: tuple[Accumulator, ...], new: Mapping[str, str], again: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The names that change when a group is added whose values are `new`, with their new values."""
    after = {each.name: f"({each.added.format(new=new[each.name])})" for each in held if each.added}
    yield from ((each.name, after[each.name]) for each in held if each.added)
    for each in held:
        if each.stale_added:
            yield each.name, _or_again(each.name, each.stale_added.format_map(after), again)


def removed(
    held: tuple[Accumulator, ...], old: Mapping[str, str], again: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """The names that change when a group is taken away whose values are `old`, with their new values."""
    after = {each.name: f"({each.removed.format(new=old[each.name])})" for each in held if each.removed}
    yield from ((each.name, after[each.name]) for each in held if each.removed)
    for each in held:
        if each.stale_removed:
            yield each.name, _or_again(each.name, each.stale_removed.format_map(after), again)


def of_first(held: tuple[Accumulator, ...], again: Mapping[str, str]) -> Iterator[str]:
    """The values of a group of the row NEW alone."""
    values = {each.name: each.of_row.format(row="NEW") for each in held if each.of_row}
    for each in held:
        yield values.get(each.name) or _or_again("NULL", each.stale_added.format_map(values), again, each.name)


def of_row(held: tuple[Accumulator, ...], row: str) -> dict[str, str]:
    """The values of a group of one row alone, where that tells them."""
    return {each.name: each.of_row.format(row=row) for each in held if each.of_row}


def _or_again(otherwise: str, when: str, again: Mapping[str, str], name: str = "") -> str:
    return f"CASE WHEN {when} THEN ({again[name or otherwise]}) ELSE {otherwise} END"
