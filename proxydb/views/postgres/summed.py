"""Overlays of groups whose counts and sums of integers can be added up, over joins and sub-queries.

A map keeps the rows that went into the groups: their keys, groups and arguments. Writers append the keys of what they
change; readers take off what the map has of these keys, and add what their rows are now. So a change costs what its
rows cost, however large their groups are.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from proxydb.views.postgres.groups import SPELLED, Groups, not_addable
from proxydb.views.postgres.part import MINUS, Part, columns, named, own_condition, select, where
from proxydb.views.postgres.probes import Log, Probe, again, any_in, distinct, gone, held_as, logs_of, taken

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from proxydb.views.definition import Arm, Definition


def refusal(arm: Arm, types: Callable[[Sequence[str]], list[int]]) -> str:
    """Why a SELECT cannot be kept in this way; empty if it can."""
    if not arm.grouped or any(source.nullable for source in arm.sources):
        return "it is no grouping of an inner join"
    return not_addable(arm, types, SPELLED)


def summed(prefix: str, definition: Definition, arm: Arm, types: Callable[[Sequence[str]], list[int]]) -> Part:
    """How the SELECT is kept."""
    spelled = [text for text, code in zip(arm.groups, types(arm.groups), strict=True) if code in SPELLED]
    arm = replace(arm, groups=(*arm.groups, *(f"({text})::pg_catalog.text" for text in spelled)))
    kept, logs = Groups(prefix, definition, arm, types, len(spelled)), logs_of(prefix, definition, arm)
    probes = [probe for _, probe in logs]
    rows, fresh, condition = f"{prefix}_map", f"{prefix}_fresh", own_condition(definition, arm)
    texts = held_as(probes) + named(arm.groups, "g") + named(kept.arguments, "x")
    every, logged = select(definition, arm, texts, condition), again(definition, arm, texts, probes)
    difference = f"{kept.of_map(f'({logged}) AS proxydb_f')} UNION ALL {kept.of_map(_were(rows, probes, kept), MINUS)}"
    create = [statement for log, _ in distinct(logs) for statement in log.create()]
    create.append(f"CREATE TABLE {rows} AS {every} WITH NO DATA")
    create += [f"CREATE INDEX ON {rows} ({', '.join(probe.held)})" for probe in probes]
    create += [f"CREATE TABLE {kept.state} AS {kept.total(kept.of_map(rows))} WITH NO DATA", *kept.index()]
    create.append(f"CREATE VIEW {fresh} AS {logged}")
    return Part(
        create=tuple(create),
        fill=(f"INSERT INTO {rows} {every}", f"INSERT INTO {kept.state} {kept.of_map(rows)}"),
        changes=tuple(log.change() for log, _ in distinct(logs)),
        shown=kept.shown(f"SELECT * FROM {kept.state} UNION ALL {difference}"),
        table=kept.state,
        held=kept.held,
        fold=_fold(kept, rows, fresh, logs),
        logs=tuple(log.name for log, _ in distinct(logs)),
        refill=_refill(kept, rows, every, logs),
    )


def _were(rows: str, probes: Sequence[Probe], kept: Groups) -> str:
    """The rows of the map that have a logged key, each once."""
    names = [*kept.keys, *columns("x", len(kept.arguments))]
    parts = []
    for place, probe in enumerate(probes):
        found = [any_in(probe.relation), probe.finds_held("proxydb_s")]
        found += [f"NOT {before.finds_held('proxydb_s')}" for before in probes[:place]]
        parts.append(f"SELECT {', '.join(names)} FROM {rows} AS proxydb_s{where(found)}")
    return f"({' UNION ALL '.join(parts)}) AS proxydb_w"


def _refill(kept: Groups, rows: str, every: str, logs: Sequence[tuple[Log, Probe]]) -> str:
    """One statement that computes the map and the groups anew."""
    return (
        f"WITH every AS MATERIALIZED ({every}), gone AS (DELETE FROM {rows}), less AS (DELETE FROM {kept.state}), "
        f"{', '.join(taken(logs))}, put AS (INSERT INTO {rows} SELECT * FROM every) "
        f"INSERT INTO {kept.state} {kept.of_map('every')}"
    )


def _fold(kept: Groups, rows: str, fresh: str, logs: Sequence[tuple[Log, Probe]]) -> str:
    """One statement, so that all of it sees one state of the logs."""
    removed = gone(rows, [probe.finds_held("proxydb_s") for _, probe in logs])
    emptied = ", ".join(taken(logs))
    return (
        f"WITH fresh AS MATERIALIZED (SELECT * FROM {fresh}), gone AS ({removed} RETURNING *), {emptied}, "
        f"put AS (INSERT INTO {rows} SELECT * FROM fresh), "
        f"taken AS MATERIALIZED ({kept.of_map('fresh')} UNION ALL {kept.of_map('gone', MINUS)}), "
        f"{kept.taken_in('taken')}"
    )
