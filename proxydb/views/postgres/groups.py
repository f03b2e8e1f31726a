"""Groups with counts and sums of integers, which can be added up: their columns, and the query's own over these."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from proxydb.views.definition import Group
from proxydb.views.postgres.part import (
    MINUS,
    NEW,
    OLD,
    UNEQUAL,
    columns,
    hashed,
    named,
    own_condition,
    rows_as,
    where,
)
from proxydb.views.postgres.probes import comparable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from proxydb.views.definition import Aggregate, Arm, Definition, Template

_INTEGERS = {21: "smallint", 23: "integer", 20: "bigint"}
_SUMS = {21: "bigint", 23: "bigint", 20: "numeric"}
_PLAIN = frozenset({16, 17, 18, 19, 20, 21, 23, 25, 26, 1042, 1043, 1082, 1083, 1114, 1184, 2950})
"""Types in which equal values look the same, by their numbers in pg_type."""

SPELLED = frozenset({700, 701, 1700, 3802})
"""Types in which they may look different, as ``4.1`` and ``4.10``, and their text tells which one it is."""


def not_addable(arm: Arm, types: Callable[[Sequence[str]], list[int]], allowed: frozenset[int] = frozenset()) -> str:
    """Why the aggregates of a SELECT with groups cannot be added up; empty if they can.

    Parameters
    ----------
    arm
        The SELECT.
    types
        Gives for expressions over it the numbers of their types in pg_type.
    allowed
        Types of groups that are allowed though equal values may look different.
    """
    for aggregate in arm.aggregates:
        if aggregate.distinct or aggregate.filter or aggregate.function not in ("count", "sum", "avg"):
            return f"{aggregate.function} cannot be added to"
    summed = [each.argument for each in arm.aggregates if each.function != "count"]
    if any(code not in _INTEGERS for code in types(summed)):
        return "it sums other values than integers"
    if any(code not in _PLAIN | allowed for code in types(arm.groups)):
        return "it groups by a type in which equal values may look different"
    return ""


class Sum(NamedTuple):
    """A column that is added to: its name, its type, the function that fills it, and the argument of that."""

    name: str
    type: str
    function: str
    argument: str

    def of(self, texts: Mapping[str, str]) -> str:
        """What it is of some rows, where arguments may go by other names."""
        text = f"pg_catalog.{self.function}({texts.get(self.argument, self.argument)})"
        return f"coalesce({text}, 0)" if self.function == "sum" else text


class Groups:
    """The tables of one SELECT's groups, and the statements for them.

    Parameters
    ----------
    prefix
        What the names of its tables begin with.
    definition, arm
        The view, and the SELECT of it.
    types
        Gives for expressions over it the numbers of their types in pg_type.
    hidden
        How many keys at the end are not of the query: they tell equal keys apart that look different.
    """

    def __init__(
        self,
        prefix: str,
        definition: Definition,
        arm: Arm,
        types: Callable[[Sequence[str]], list[int]],
        hidden: int = 0,
    ) -> None:
        self.state, self.log = f"{prefix}_groups", f"{prefix}_log"
        self.arm, self.source = arm, arm.sources[0]
        self.condition = own_condition(definition, arm)
        self.keys, self.hidden = columns("g", len(arm.groups)), hidden
        self.arguments = list(dict.fromkeys(each.argument for each in arm.aggregates if each.argument != "*"))
        summed = [each.argument for each in arm.aggregates if each.function != "count"]
        codes = dict(zip(summed, types(summed), strict=True))
        self.sums = [Sum("n", "bigint", "count", "*")]
        for number, argument in enumerate(self.arguments):
            self.sums.append(Sum(f"c{number}", "bigint", "count", argument))
            if argument in codes:
                self.sums.append(Sum(f"s{number}", _SUMS[codes[argument]], "sum", argument))

    @property
    def names(self) -> list[str]:
        """The columns of what is kept."""
        return [*self.keys, *(each.name for each in self.sums)]

    @property
    def texts(self) -> tuple[str, ...]:
        """The user's words in what triggers do."""
        return (*self.arm.groups, *self.arguments, *self.condition)

    def of_rows(self, rows: str, sign: str = "") -> str:
        """What some rows of the table add to each group."""
        texts = named(self.arm.groups, "g") + [f"{sign} {each.of({})} AS {each.name}" for each in self.sums]
        there = f" HAVING pg_catalog.count(*) {UNEQUAL} 0"
        grouped = f" GROUP BY {', '.join(self.arm.groups)}" if self.arm.groups else there
        return f"SELECT {', '.join(texts)} FROM {rows_as(self.source, rows)}{where(self.condition)}{grouped}"

    def difference(self) -> str:
        """What a change from the old rows to the new ones adds to each group that it changes."""
        changed = " OR ".join(f"pg_catalog.sum({each.name}) {UNEQUAL} 0" for each in self.sums)
        both = f"{self.of_rows(NEW)} UNION ALL {self.of_rows(OLD, MINUS)}"
        return f"{self.total(both)} HAVING {changed}"

    def of_map(self, rows: str, sign: str = "") -> str:
        """What some rows of a map, which holds keys as ``g0`` … and arguments as ``x0`` …, add to each group."""
        texts = dict(zip(self.arguments, columns("x", len(self.arguments)), strict=True))
        added = [f"{sign} {each.of(texts)} AS {each.name}" for each in self.sums]
        there = f" HAVING pg_catalog.count(*) {UNEQUAL} 0"
        grouped = f" GROUP BY {', '.join(self.keys)}" if self.keys else there
        return f"SELECT {', '.join([*self.keys, *added])} FROM {rows}{grouped}"

    def index(self) -> tuple[str, ...]:
        """The statement that makes an index of the keys, if there are any."""
        return (f"CREATE INDEX ON {self.state} ({', '.join(self.keys)})",) if self.keys else ()

    def taken_in(self, taken: str) -> str:
        """The end of a statement that adds `taken` to what is kept."""
        touched = f"{self._is_in(taken)}" if self.keys else "true"
        parts = f"SELECT * FROM {self.state} AS proxydb_s WHERE {touched} UNION ALL SELECT * FROM {taken}"
        return (
            f"less AS (DELETE FROM {self.state} AS proxydb_s WHERE EXISTS (SELECT FROM {taken}) AND {touched}), "
            f"total AS ({self.total(parts)}) "
            f"INSERT INTO {self.state} SELECT * FROM total WHERE n <> 0 AND EXISTS (SELECT FROM {taken})"
        )

    def _is_in(self, taken: str) -> str:
        """Whether a group that is kept has one of the keys in `taken`: by a hash where these may be NULL."""
        if comparable(self.arm.groups, self.arm) != self.arm.groups:
            return f"{hashed(self.keys)} IN (SELECT {hashed(self.keys)} FROM {taken})"
        same = [f"proxydb_t.{key} = proxydb_s.{key}" for key in self.keys]
        return f"EXISTS (SELECT FROM {taken} AS proxydb_t WHERE {' AND '.join(same)})"

    def total(self, parts: str, *, visible: bool = False) -> str:
        """What several parts add up to; by the `visible` keys, of which there may be fewer."""
        added = [f"coalesce(pg_catalog.sum({each.name}), 0)::{each.type} AS {each.name}" for each in self.sums]
        keys = self.keys[: len(self.keys) - self.hidden] if visible else self.keys
        grouped = f" GROUP BY {', '.join(keys)}" if keys else ""
        return f"SELECT {', '.join([*keys, *added])} FROM ({parts}) AS proxydb_x{grouped}"

    def shown(self, parts: str) -> str:
        """The query's own columns, from what is kept."""
        texts = named([self.expression(each) for each in self.arm.templates], "o")
        total = self.total(parts)
        if self.hidden:
            total = self.total(f"SELECT * FROM ({total}) AS proxydb_t WHERE n <> 0", visible=True)
        conditions = ["n <> 0"] if self.keys else []
        if self.arm.having:
            conditions.append(f"({self.expression(self.arm.having)}\n)")
        return f"SELECT {', '.join(texts)} FROM ({total}) AS proxydb_g{where(conditions)}"

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
