"""Overlays: writers append the keys of what they change, and readers compute again what has such a key.

What is kept is right for every key that is not in the log, as a transaction that sees a change of the tables sees its
keys in the log, too, at every isolation level. The fold moves what the log names into what is kept, in one statement,
so from one snapshot; keys that others log meanwhile stay in the log.

Rows are found by the keys of their sources. Where a change touches more than the rows of its key (groups, DISTINCT,
windows, outer joins) they are kept in units, such as groups: a map tells which keys are in which unit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxydb.views.postgres.expressions import may_raise
from proxydb.views.postgres.part import Part, columns, named, own_condition, select, words
from proxydb.views.postgres.probes import (
    Log,
    Probe,
    again,
    any_in,
    comparable,
    distinct,
    first_finds,
    gone,
    held_as,
    key_of,
    logs_of,
    taken,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proxydb.views.definition import Arm, Definition

DIRTY = "proxydb_dirty"


def refusal(arm: Arm) -> str:
    """Why a SELECT cannot be kept in this way; empty if it can."""
    if any(not source.nullable for source in arm.sources[len(arm.anchors) :]):
        return "an inner join follows an outer one, and may drop what only the outer one keeps: put it first"
    return ""


def is_of_one_table(arm: Arm) -> bool:
    """Whether writers can log the units themselves."""
    return len(arm.sources) == 1 and not arm.subqueries and not may_raise(_unit_expressions(arm))


def _unit_expressions(arm: Arm) -> tuple[str, ...]:
    """What makes a unit, in the user's words; nothing where it is the rows of a key."""
    return arm.outputs if arm.distinct else arm.groups if arm.grouped else arm.partition


def overlay(prefix: str, definition: Definition, arm: Arm, *, partitioned: bool) -> Part:
    """How a SELECT is kept.

    Parameters
    ----------
    prefix
        What the names of its tables begin with.
    definition, arm
        The view, and the SELECT of it.
    partitioned
        Whether a TRUNCATE may empty a part of a table only.
    """
    units = _Units(prefix, definition, arm)
    if is_of_one_table(arm):
        return units.of_one_table(partitioned=partitioned)
    if arm.grouped or arm.distinct or arm.windowed or any(source.nullable for source in arm.sources):
        return units.mapped()
    return _rows(prefix, definition, arm)


def _rows(prefix: str, definition: Definition, arm: Arm) -> Part:
    """Rows of an inner join, found by the keys of all their sources."""
    logs = logs_of(prefix, definition, arm)
    probes = [probe for _, probe in logs]
    state, fresh, condition = f"{prefix}_rows", f"{prefix}_fresh", own_condition(definition, arm)
    texts = held_as(probes) + named(arm.outputs + arm.carried, "o")
    shown = columns("o", len(arm.outputs + arm.carried))
    unchanged = [f"NOT {probe.finds_held('proxydb_s')}" for probe in probes]
    changed = [probe.finds_held("proxydb_s") for probe in probes]
    logged = again(definition, arm, texts, probes)
    create = [statement for log, _ in distinct(logs) for statement in log.create()]
    create.append(f"CREATE TABLE {state} AS {select(definition, arm, texts, condition)} WITH NO DATA")
    create += [f"CREATE INDEX ON {state} ({', '.join(probe.held)})" for probe in probes]
    create.append(f"CREATE VIEW {fresh} AS {logged}")
    names = ", ".join(shown)
    return Part(
        create=tuple(create),
        fill=(f"INSERT INTO {state} {select(definition, arm, texts, condition)}",),
        changes=tuple(log.change() for log, _ in distinct(logs)),
        shown=(
            f"SELECT {names} FROM {state} AS proxydb_s WHERE {' AND '.join(unchanged)} "
            f"UNION ALL SELECT {names} FROM ({logged}) AS proxydb_f"
        ),
        table=state,
        held=tuple(shown),
        fold=_fold([f"fresh AS MATERIALIZED (SELECT * FROM {fresh})"], [(state, changed)], logs, [(state, "fresh")]),
        logs=tuple(log.name for log, _ in distinct(logs)),
        refill=_fold([], [(state, [])], logs, [(state, _as_rows(select(definition, arm, texts, condition)))]),
    )


def _as_rows(query: str) -> str:
    return f"({query}) AS proxydb_a"


def _fold(
    first: Sequence[str],
    removed: Sequence[tuple[str, Sequence[str]]],
    logs: Sequence[tuple[Log, Probe]],
    put: Sequence[tuple[str, str]],
) -> str:
    """One statement: what is computed first, what goes from where, which logs are emptied, and what comes instead."""
    parts = list(first)
    parts += [f"gone{place} AS ({gone(table, conditions)})" for place, (table, conditions) in enumerate(removed)]
    parts += taken(logs)
    parts += [
        f"put{place} AS (INSERT INTO {table} SELECT * FROM {rows})" for place, (table, rows) in enumerate(put[1:])
    ]
    return f"WITH {', '.join(parts)} INSERT INTO {put[0][0]} SELECT * FROM {put[0][1]}"


class _Units:
    """A SELECT that is kept in units, each of which is computed again as a whole."""

    def __init__(self, prefix: str, definition: Definition, arm: Arm) -> None:
        self.prefix, self.definition, self.arm = prefix, definition, arm
        self.state, self.fresh, self.dirty = f"{prefix}_rows", f"{prefix}_fresh", f"{prefix}_dirty"
        self.map, self.anchors = f"{prefix}_map", f"{prefix}_anchors"
        self.condition = own_condition(definition, arm)
        self.anchor_texts = comparable([text for number in arm.anchors for text in key_of(arm.sources[number])], arm)
        self.texts = self._unit_texts()
        self.held = tuple(columns("o", len(arm.outputs + arm.carried)))
        self.shown = ", ".join(self.held)

    def _unit_texts(self) -> tuple[str, ...]:
        arm = self.arm
        if arm.distinct or arm.grouped or arm.windowed:
            return comparable(_unit_expressions(arm), arm)
        return self.anchor_texts

    @property
    def single(self) -> bool:
        """Whether it is the one group of a query without GROUP BY, which is there without rows, too."""
        return self.arm.grouped and not self.arm.groups

    def of_one_table(self, *, partitioned: bool) -> Part:
        """The SELECT of one table: the log holds units."""
        condition = () if may_raise(self.condition) else tuple(self.condition)
        plain = tuple(_unit_expressions(self.arm)) or tuple(key_of(self.arm.sources[0]))
        log = Log(f"{self.prefix}_log", self.arm.sources[0], self.texts, condition, plain)
        units = Probe(log.name, log.columns, self.texts, tuple(columns("u", len(self.texts))))
        again = self._query([], units, log.name)
        empties = () if partitioned else (self.state, log.name)
        return Part(
            create=(*log.create(), *self._tables(units), f"CREATE VIEW {self.fresh} AS {again}"),
            fill=(f"INSERT INTO {self.state} {self._query([])}",),
            changes=(log.change(empties=empties),),
            shown=self._shown(units, log.name, again),
            table=self.state,
            held=self.held,
            fold=_fold(
                [f"fresh AS MATERIALIZED (SELECT * FROM {self.fresh})"],
                [(self.state, [units.finds_held("proxydb_s")])],
                [(log, units)],
                [(self.state, "fresh")],
            ),
            logs=(log.name,),
            refill=_fold([], [(self.state, [])], [(log, units)], [(self.state, _as_rows(self._query([])))]),
        )

    def mapped(self) -> Part:
        """The SELECT of several tables: a map from keys to units, before and after a change, finds the units."""
        logs = logs_of(self.prefix, self.definition, self.arm)
        probes = [probe for _, probe in logs]
        dirty = Probe(
            self.dirty, tuple(columns("u", len(self.texts))), self.texts, tuple(columns("u", len(self.texts)))
        )
        touches, views = self._touches(probes)
        views.append(f"CREATE VIEW {self.dirty} AS {self._found(touches, 'u', self.texts)}")
        mapping = self._map_query(probes, [])
        new_map = " UNION ALL ".join(
            self._map_query(probes, first_finds(touches, place)) for place in range(len(touches))
        )
        views += [f"CREATE VIEW {self.fresh} AS {self._query([], dirty, self.dirty)}"]
        views += [f"CREATE VIEW {self.prefix}_fresh_map AS {new_map}"]
        create = [statement for log, _ in distinct(logs) for statement in log.create()]
        create += [f"CREATE TABLE {self.map} AS {mapping} WITH NO DATA"]
        create += [f"CREATE INDEX ON {self.map} ({', '.join(probe.held)})" for probe in probes]
        create += [*self._tables(dirty), *views]
        touched = [touch.finds_held("proxydb_s") for touch in touches]
        shared = f"{DIRTY}{self.prefix.rpartition('_')[2]}"
        return Part(
            create=tuple(create),
            fill=(f"INSERT INTO {self.map} {mapping}", f"INSERT INTO {self.state} {self._query([])}"),
            changes=tuple(log.change() for log, _ in distinct(logs)),
            shown=self._shown(dirty, shared, self._query([], dirty, shared)),
            table=self.state,
            held=self.held,
            shared=((shared, f"SELECT * FROM {self.dirty}"),),
            fold=_fold(
                [
                    f"dirty AS MATERIALIZED (SELECT * FROM {self.dirty})",
                    f"fresh AS MATERIALIZED (SELECT * FROM {self.fresh})",
                    f"fresh_map AS MATERIALIZED (SELECT * FROM {self.prefix}_fresh_map)",
                ],
                [(self.state, [dirty.finds_held("proxydb_s", "dirty")]), (self.map, touched)],
                logs,
                [(self.state, "fresh"), (self.map, "fresh_map")],
            ),
            logs=tuple(log.name for log, _ in distinct(logs)),
            refill=_fold(
                [],
                [(self.state, []), (self.map, [])],
                logs,
                [(self.state, _as_rows(self._query([]))), (self.map, _as_rows(mapping))],
            ),
        )

    def _tables(self, units: Probe) -> list[str]:
        held = ", ".join(units.held)
        return [
            f"CREATE TABLE {self.state} AS {self._query([])} WITH NO DATA",
            f"CREATE INDEX ON {self.state} ({held})",
        ]

    def _shown(self, units: Probe, relation: str, again: str) -> str:
        return (
            f"SELECT {self.shown} FROM {self.state} AS proxydb_s WHERE NOT {units.finds_held('proxydb_s', relation)} "
            f"UNION ALL SELECT {self.shown} FROM ({again}) AS proxydb_f"
        )

    def _touches(self, probes: list[Probe]) -> tuple[list[Probe], list[str]]:
        """What finds changed rows, and the views that it needs.

        In an outer join the rows of a preserved row belong together: when one goes, that with NULLs may come.
        """
        if not any(source.nullable for source in self.arm.sources):
            return probes, []
        names = tuple(columns("a", len(self.anchor_texts)))
        view = f"CREATE VIEW {self.anchors} AS {self._found(probes, 'a', self.anchor_texts)}"
        return [Probe(self.anchors, names, self.anchor_texts, names, is_log=False)], [view]

    def _found(self, probes: Sequence[Probe], letter: str, texts: Sequence[str]) -> str:
        """The units, or anchors, of the rows that probes find, as they were and as they are."""
        names = ", ".join(columns(letter, len(texts)))
        were = [
            f"SELECT {names} FROM {self.map} AS proxydb_s WHERE {probe.finds_held('proxydb_s')}" for probe in probes
        ]
        are = [
            select(self.definition, self.arm, named(texts, letter), [*self._mapped(), *first_finds([probe], 0)])
            for probe in probes
        ]
        return " UNION ".join([*were, *are])

    def _mapped(self) -> list[str]:
        """The condition of rows in the map; none with an outer join, where WHERE may drop what NULLs replace."""
        return [] if any(source.nullable for source in self.arm.sources) else self.condition

    def _map_query(self, probes: Sequence[Probe], conditions: Sequence[str]) -> str:
        texts = held_as(probes) + named(self.texts, "u") + named(self.anchor_texts, "a")
        return select(self.definition, self.arm, texts, [*self._mapped(), *conditions])

    def _query(self, conditions: Sequence[str], units: Probe | None = None, relation: str = "") -> str:
        """The SELECT itself, with its units; only some of them where `units` are given."""
        arm, chosen, tail = self.arm, [*self.condition, *conditions], ""
        unit_texts = ["true"] if self.single else self.texts
        if units is not None:
            missing = f" OR NOT EXISTS (SELECT FROM {self.state})" if self.single else ""
            chosen.append(f"({units.finds(unit_texts, relation)}{missing})")
            chosen += [] if self.single or relation == self.dirty else [any_in(relation)]
        if arm.groups:
            tail = f" GROUP BY {', '.join(arm.groups)}"
        having = [f"({words(arm, arm.having)}\n)"] if arm.having else []
        if self.single and units is not None:
            having.append(chosen[-1])
        if having:
            tail += f" HAVING {' AND '.join(having)}"
        first = "DISTINCT " if arm.distinct else ""
        texts = named(unit_texts, "u") + named(arm.outputs + arm.carried, "o")
        return select(self.definition, arm, [first + texts[0], *texts[1:]], chosen) + tail
