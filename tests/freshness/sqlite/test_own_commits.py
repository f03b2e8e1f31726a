"""Commits through the proxy: precise for each table, and never less than what they changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.freshness.sqlite.twins import T, U, agree

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.freshness.sqlite.twins import Side, Twins

WRITES_TO_T: dict[str, Callable[[Side], object]] = {
    "autocommit": lambda side: side.other.execute("INSERT INTO t (x) VALUES (1)"),
    "commit method": lambda side: (side.db.execute("INSERT INTO t (x) VALUES (1)"), side.db.commit()),
    "commit statement": lambda side: [side.other.execute(sql) for sql in ("BEGIN", "DELETE FROM t", "COMMIT")],
    "immediate": lambda side: [side.other.execute(sql) for sql in ("BEGIN IMMEDIATE", "UPDATE t SET x = 0", "END")],
    "savepoint": lambda side: [side.other.execute(sql) for sql in ("SAVEPOINT a", "DELETE FROM t", "RELEASE a")],
    "executemany": lambda side: side.other.executemany("INSERT INTO t (x) VALUES (?)", [(1,), (2,)]),
    "executemany, committed": lambda side: (
        side.db.executemany("UPDATE t SET x = ? WHERE id = ?", [(1, 1), (2, 2)]),
        side.db.commit(),
    ),
    "upsert": lambda side: side.other.execute("INSERT INTO t VALUES (1, 2) ON CONFLICT DO UPDATE SET x = x + 1"),
    "replace": lambda side: side.other.execute("REPLACE INTO t VALUES (1, 5)"),
    "returning": lambda side: (
        side.db.execute("UPDATE t SET x = 5 RETURNING x").fetchall(),
        side.db.commit(),
    ),
    "rollback": lambda side: (side.db.execute("DELETE FROM t"), side.db.rollback()),
    "nothing written": lambda side: (side.db.execute("BEGIN"), side.db.commit()),
}


@pytest.mark.parametrize("way", WRITES_TO_T)
def test_entry_on_another_table_survives(twins: Twins, way: str) -> None:
    """What was read from `u` is still served after an own commit that wrote `t` only."""
    _warm(twins.proxied, U, T)
    before = twins.hits
    WRITES_TO_T[way](twins.proxied)
    twins.proxied.other.execute(U).fetchall()
    assert before + 1 == twins.hits


@pytest.mark.parametrize("way", WRITES_TO_T)
def test_entry_on_the_written_table_is_fresh(twins: Twins, way: str) -> None:
    """What is read from `t` after the write is what the raw driver reads, in every way to write."""

    def story(side: Side) -> None:
        side.read_all()
        WRITES_TO_T[way](side)
        side.read_all()

    twins.tell(story)


def test_entries_survive_many_commits(twins: Twins) -> None:
    """A hundred own commits on one table leave the entries on the other one standing."""
    _warm(twins.proxied, U)
    before = twins.hits
    for _ in range(100):
        twins.proxied.other.execute("UPDATE t SET x = x + 1")
        twins.proxied.other.execute(U).fetchall()
    assert before + 100 == twins.hits


def test_foreign_commit_ends_every_entry(twins: Twins) -> None:
    """After somebody else's commit nothing is served, whatever table it wrote."""
    _warm(twins.proxied, U, T)
    before = twins.hits
    twins.proxied.beside.execute("UPDATE t SET x = x + 1")
    twins.proxied.other.execute(U).fetchall()
    assert before == twins.hits


def _warm(side: Side, *questions: str) -> None:
    for sql in questions:
        for _ in range(3):
            side.other.execute(sql).fetchall()


@agree
def test_two_connections_take_turns(side: Side) -> None:
    """Two connections of one program that write in turns see each other's commits."""
    for number in range(4):
        side.db.execute("UPDATE t SET x = x + ?", (number,))
        side.db.commit()
        side.read_all()
        side.other.execute("UPDATE u SET x = x + ?", (number,))
        side.read_all()


@agree
def test_foreign_commit_between_own_ones(side: Side) -> None:
    """A foreign commit on `u` between two own commits on `t` is not taken for ours."""
    for _ in range(3):
        side.read_all()
        side.other.execute("UPDATE t SET x = x + 1")
        side.beside.execute("UPDATE u SET x = x + 1")
        side.other.execute("UPDATE t SET x = x + 1")
        side.read_all()


@agree
def test_foreign_commit_during_an_own_transaction(side: Side) -> None:
    """A foreign commit after our BEGIN and before our first write is not taken for ours."""
    side.read_all()
    side.other.execute("BEGIN")
    side.beside.execute("UPDATE u SET x = x + 1")
    side.run("UPDATE t SET x = x + 1", on=side.other)
    side.other.execute("COMMIT")
    side.read_all()


@agree
def test_with_connection(side: Side) -> None:
    """``with connection`` commits, or rolls back when an exception passes."""
    side.read_all()
    with side.db:
        side.db.execute("DELETE FROM u WHERE id = 1")
        side.read_all(side.db)
    side.read_all()
    try:
        with side.db:
            side.db.execute("DELETE FROM u")
            side.read_all(side.db)
            raise LookupError
    except LookupError:
        side.read_all()


@agree
def test_executescript(side: Side) -> None:
    """A script may write anything, commit, and leave a transaction open."""
    side.read_all()
    side.db.executescript("UPDATE t SET x = 0; DELETE FROM u WHERE id = 1;")
    side.read_all()
    side.db.executescript("BEGIN; UPDATE u SET x = 1;")
    side.read_all(side.db)
    side.db.rollback()
    side.read_all()
    side.db.execute("UPDATE t SET x = 5")
    side.db.executescript("SELECT 1;")
    side.read_all()


@agree
def test_isolation_level_assignment(side: Side) -> None:
    """Assigning None to `isolation_level` commits what was open."""
    side.read_all()
    side.db.execute("UPDATE u SET x = 0")
    side.read_all(side.db)
    side.db.isolation_level = None
    side.read_all()
    side.run("DELETE FROM t")
    side.read_all()
    side.db.isolation_level = "IMMEDIATE"
    side.run("DELETE FROM u")
    side.db.rollback()
    side.read_all()
