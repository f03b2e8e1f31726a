"""The workload finds what goes wrong when a part of the maintenance is left out."""

from __future__ import annotations

import re
from random import Random
from typing import TYPE_CHECKING

import pytest

from tests.views.shop import VIEWS, change, differences

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

CHANGES = 1500


def without(pattern: str) -> Callable[[str], str]:
    """Leaves out the statements of a trigger that match."""

    def mutate(sql: str) -> str:
        head, body = sql.split("BEGIN\n")
        lines = [line for line in body.split(";\n") if not re.search(pattern, line) and line != "END"]
        return f"{head}BEGIN\n{''.join(f'{line};' + chr(10) for line in lines or ['  SELECT 1'])}END"

    return mutate


def reversed_(sql: str) -> str:
    """The statements of a trigger in the reverse order."""
    head, body = sql.split("BEGIN\n")
    lines = [line for line in body.split(";\n") if line != "END"]
    return f"{head}BEGIN\n{''.join(f'{line};' + chr(10) for line in reversed(lines))}END"


def extremes_at_once(sql: str) -> str:
    """The extreme is looked up before the row is gone: in the statement of a BEFORE trigger."""
    return sql.replace(" AFTER DELETE ", " BEFORE DELETE ")


def replaced(pattern: str, by: str) -> Callable[[str], str]:
    """Says something else in a trigger."""
    return lambda sql: re.sub(pattern, by, sql)


MUTANTS: dict[str, tuple[str, str, Callable[[str], str]]] = {
    "no guard against REPLACE by the key": ("filtered", "%_insert", without(r"DELETE .*= NEW\.\"id\"")),
    "no guard against REPLACE by a unique value": ("projected", "%", without(r"COLLATE \"BINARY\" = NEW")),
    "no guard of what an update replaces": ("projected", "%_update", without(r"DELETE .*NEW\.")),
    "triggers in the reverse order": ("by_shop", "%_groups_%", reversed_),
    "rows put in before they are removed": ("projected", "%", reversed_),
    "minimum looked up in the same statement": ("by_shop", "%_groups_delete", extremes_at_once),
    "minimum not looked up": ("by_shop", "%_groups_delete", replaced(r"(\w+_min) IS OLD", r"0 AND \1 IS OLD")),
    "a group's second row not added": ("by_shop", "%_groups_insert", replaced(r"DO UPDATE SET .*", "DO NOTHING;")),
    "an odd value of a new group not computed": (
        "groups_of_kept",
        "%_groups_insert",
        replaced(r"> 0 OR(?=.*ON CONFLICT)", "> 99 OR"),
    ),
    "an odd value that comes not computed": (
        "by_shop",
        "%_groups_insert",
        replaced(r"(?<=excluded\.proxydb_\d_odd\)) > 0 OR", "> 99 OR"),
    ),
    "an odd value that goes not computed": ("by_shop", "%_groups_delete", replaced(r"> 0 OR", "> 99 OR")),
    "groups of a kept view not added to": ("groups_of_kept", "%_groups_insert", without(r".")),
    "groups of what an outer join may leave out": ("groups_of_late", "%", replaced(r"WHEN (NEW|OLD)\.\w+ ", "")),
    "rows that come together not put in anew": ("neighbours", "%_insert", without(r"INSERT")),
    "rows that come together not removed": ("neighbours", "%_delete", without(r"DELETE")),
    "second side of a join left out": ("joined", "proxydb_joined_1_%", without(r".")),
    "second side of an outer join left out": ("left", "proxydb_left_1_%", without(r".")),
    "rows that an outer join loses not put in anew": ("left", "proxydb_left_1_delete", without(r"CROSS JOIN \"?sale")),
    "sub-query's table left out": ("tagged", "proxydb_tagged_0_%", without(r".")),
    "NULL not tied to NULL": ("last_of_amount", "%", replaced(r" IS (NEW|OLD)\.", r" = \1.")),
    "partition of old left out": ("ranked", "%_update", without(r"INSERT INTO \"proxydb_ranked_rows_touched")),
    "equal rows of a bag not put in anew": ("part_of_a_bag", "%_delete", without(r"INSERT")),
    "empty groups stay": ("by_expression", "%_groups_delete", without(r"DELETE")),
}


@pytest.mark.parametrize(("view", "triggers", "mutate"), MUTANTS.values(), ids=MUTANTS)
def test_a_mutant_is_caught(view: str, triggers: str, mutate: Callable[[str], str], plain: sqlite3.Connection) -> None:
    """A view whose triggers are not what they should be is found to differ from its query."""
    assert mutated(plain, view, triggers, mutate)
    random = Random(3)
    for _ in range(CHANGES):
        change(plain, random)
        if differences(plain, {view: VIEWS[view]}):
            return
    pytest.fail("the mutant was not caught")


def mutated(plain: sqlite3.Connection, view: str, triggers: str, mutate: Callable[[str], str]) -> int:
    """Change the view's triggers whose names are like `triggers`, and tell how many there were."""
    found = plain.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE ? AND name LIKE ?",
        (f"proxydb_{view}_%", triggers),
    ).fetchall()
    changed = [(name, mutate(sql)) for name, sql in found if mutate(sql) != sql]
    for name, sql in changed:
        plain.execute(f'DROP TRIGGER "{name}"')
        plain.execute(sql)
    return len(changed)
