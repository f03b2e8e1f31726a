"""The workload finds what goes wrong when a part of the maintenance is left out or done in another way."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from tests.views.postgres_shop import VIEWS, change, differences

if TYPE_CHECKING:
    import psycopg

CHANGES = 500

MUTANTS: dict[str, tuple[str, str, str]] = {
    "inserts are not logged": ("of_a_bag", "IF TG_OP OPERATOR(pg_catalog.=) 'INSERT'", "IF false"),
    "truncates are not logged": ("joined", "TG_OP OPERATOR(pg_catalog.=) 'TRUNCATE'", "false"),
    "truncates empty nothing": ("by_nullable", "TG_OP OPERATOR(pg_catalog.=) 'TRUNCATE'", "false"),
    "updates log only the keys that stay": ("different", "UNION SELECT", "INTERSECT SELECT"),
    "what goes is not subtracted": ("by_shop", "OPERATOR(pg_catalog.-)", "0 *"),
    "deleted rows are added": ("by_nullable", "OPERATOR(pg_catalog.-)", ""),
    "a removed row stays": ("filtered", "WHERE proxydb_s.k0", "WHERE false AND proxydb_s.k0"),
    "rows are put in without the condition": ("filtered", "(amount > 3\n)", "true"),
    "groups at once lose what comes": ("by_shop_at_once", "OPERATOR(pg_catalog.+)", "OPERATOR(pg_catalog.-)"),
    "updates log only the groups that stay": ("by_two", "UNION SELECT", "INTERSECT SELECT"),
}
"""For each the view, and what is replaced in the functions that keep it."""


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_mutant_of_triggers(mutant: str, postgres_plain: psycopg.Connection[Any]) -> None:
    """The workload finds it."""
    name, old, new = MUTANTS[mutant]
    assert _replaced(postgres_plain, name, old, new)
    assert _found(postgres_plain, name)


@pytest.mark.parametrize(
    ("name", "event"),
    [
        ("joined", "bag"),
        ("left_joined", "tag"),
        ("tagged", "tag"),
        ("newest", "sale"),
        ("joined_groups", "shop"),
        ("events", "event_low"),
    ],
)
def test_a_side_left_out(name: str, event: str, postgres_plain: psycopg.Connection[Any]) -> None:
    """A table, or a partition, whose triggers are missing, is noticed."""
    (number,) = postgres_plain.execute("SELECT id FROM proxydb.views WHERE name = %s", (name,)).fetchone() or (0,)
    for kind in ("insert", "update", "delete", "truncate"):
        for (trigger,) in postgres_plain.execute(
            "SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass AND tgname LIKE %s",
            (event, f"proxydb_v{number}_changed%{kind}"),
        ).fetchall():
            postgres_plain.execute(f"DROP TRIGGER {trigger} ON {event}")
    assert _found(postgres_plain, name)


FOLDS = {
    "what is kept stays beside what is new": ("by_two", "DELETE FROM {table}_rows", "SELECT FROM {table}_rows"),
    "the map stays as it was": ("left_joined", "INSERT INTO {table}_map SELECT * FROM fresh_map", "SELECT 1"),
    "sums are taken in and stay in the log": (
        "by_shop",
        "DELETE FROM {table}_log RETURNING *",
        "SELECT * FROM {table}_log",
    ),
    "groups keep what goes": ("joined_groups", "OPERATOR(pg_catalog.-)", "0 *"),
    "rows of groups are not kept": (
        "joined_groups",
        "put AS (INSERT INTO {table}_map SELECT * FROM fresh)",
        "put AS (SELECT 1)",
    ),
    "groups stay beside what they become": (
        "joined_spellings",
        "less AS (DELETE FROM {table}_groups",
        "less AS (SELECT FROM {table}_groups",
    ),
    "the log is lost": ("different", "INSERT INTO {table}_rows SELECT * FROM fresh", "SELECT 1"),
}


@pytest.mark.parametrize("mutant", FOLDS)
def test_a_mutant_of_folds(mutant: str, postgres_plain: psycopg.Connection[Any]) -> None:
    """A refresh that does not do all is noticed."""
    name, old, new = FOLDS[mutant]
    row = postgres_plain.execute("SELECT id, folds[1] FROM proxydb.views WHERE name = %s", (name,)).fetchone()
    assert row is not None
    table = f"proxydb.v{row[0]}_a0"
    fold = row[1].replace(old.format(table=table), new.format(table=table))
    assert fold != row[1]
    postgres_plain.execute("UPDATE proxydb.views SET folds[1] = %s WHERE id = %s", (fold, row[0]))
    assert _found(postgres_plain, name)


REFILLS = {
    "what is kept stays": ("joined", "DELETE FROM {table}_rows", "SELECT FROM {table}_rows"),
    "the map is lost": ("joined_groups", "SELECT * FROM every)", "SELECT * FROM every LIMIT 0)"),
    "groups stay beside what they are": ("joined_groups", "DELETE FROM {table}_groups", "SELECT FROM {table}_groups"),
}


@pytest.mark.parametrize("mutant", REFILLS)
def test_a_mutant_of_refills(mutant: str, postgres_plain: psycopg.Connection[Any]) -> None:
    """Computing a view anew without doing all is noticed."""
    name, old, new = REFILLS[mutant]
    row = postgres_plain.execute("SELECT id, refills[1] FROM proxydb.views WHERE name = %s", (name,)).fetchone()
    assert row is not None
    table = f"proxydb.v{row[0]}_a0"
    refill = row[1].replace(old.format(table=table), new.format(table=table))
    assert refill != row[1]
    postgres_plain.execute("UPDATE proxydb.views SET folds[1] = %s WHERE id = %s", (refill, row[0]))
    assert _found(postgres_plain, name)


def _replaced(connection: psycopg.Connection[Any], name: str, old: str, new: str) -> bool:
    functions = connection.execute(
        "SELECT pg_get_functiondef(p.oid) FROM pg_proc p JOIN proxydb.views v "
        "ON p.proname LIKE 'v' || v.id || '\\_changed%%' WHERE v.name = %s",
        (name,),
    ).fetchall()
    changed = [text.replace(old, new) for (text,) in functions if old in text]
    for text in changed:
        connection.execute(text)
    return bool(changed)


def _found(connection: psycopg.Connection[Any], name: str) -> bool:
    """Whether the view differs from its query at some time."""
    random = Random(1)
    for step in range(CHANGES):
        change(connection, random)
        if step % 7 == 0:
            fold(connection, name)
        if differences(connection, [name]):
            return True
    return False


def fold(connection: psycopg.Connection[Any], name: str) -> None:
    """Take in what was logged for a view, as a refresh does."""
    for (fold,) in connection.execute("SELECT unnest(folds) FROM proxydb.views WHERE name = %s", (name,)).fetchall():
        connection.execute(fold)


def test_no_mutant(postgres_plain: psycopg.Connection[Any]) -> None:
    """Without a mutant the same workload finds nothing."""
    names = {name for name, _, _ in (*MUTANTS.values(), *FOLDS.values())}
    random = Random(1)
    for step in range(100):
        change(postgres_plain, random)
        if step % 7 == 0:
            for name in names:
                fold(postgres_plain, name)
            assert differences(postgres_plain, names) == []
    assert names <= set(VIEWS)
