"""Reads inside transactions: of the snapshot, of their own writes, and kept for nobody once something was written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.freshness.sqlite.twins import U, agree

if TYPE_CHECKING:
    from tests.freshness.sqlite.twins import Side, Twins


def test_reads_in_a_transaction_are_served(twins: Twins) -> None:
    """BEGIN, SELECT, SELECT, ROLLBACK is answered from memory from its second time on."""
    for _ in range(3):
        twins.proxied.other.execute("BEGIN")
        twins.proxied.other.execute(U).fetchall()
        twins.proxied.other.execute(U).fetchall()
        twins.proxied.other.execute("ROLLBACK")
    assert twins.hits >= 4


@pytest.mark.parametrize("begin", ["BEGIN", "BEGIN DEFERRED TRANSACTION", "SAVEPOINT a", "BEGIN IMMEDIATE"])
def test_snapshot_stands(twins: Twins, begin: str) -> None:
    """All reads of one transaction see one state, whatever is committed beside it."""

    def story(side: Side) -> None:
        side.read_all()
        side.run(begin, on=side.other)
        side.read_all(side.other)
        side.run("UPDATE u SET x = x + 1", on=side.beside)
        side.read_all(side.other, side.db)
        side.run("ROLLBACK", on=side.other)
        side.read_all()

    twins.tell(story)


@agree
def test_snapshot_begins_with_the_first_read(side: Side) -> None:
    """A commit between BEGIN and the first read is seen, one after it is not."""
    side.read_all()
    side.run("BEGIN", on=side.other)
    side.run("UPDATE u SET x = x + 1", on=side.beside)
    side.read(on=side.other)
    side.run("UPDATE u SET x = x + 1", on=side.beside)
    side.read(on=side.other)
    side.read()
    side.run("COMMIT", on=side.other)
    side.read_all()


@agree
def test_snapshot_fixed_by_an_uncached_read(side: Side) -> None:
    """A statement that is never kept fixes the snapshot for the ones that are."""
    side.read_all()
    side.run("BEGIN", on=side.other)
    side.run("SELECT x, random() * 0 FROM u", on=side.other)
    side.run("UPDATE u SET x = x + 1", on=side.beside)
    side.read(on=side.other)
    side.read()
    side.run("COMMIT", on=side.other)
    side.read_all()


@agree
def test_snapshot_fixed_by_a_pragma(side: Side) -> None:
    """A PRAGMA that reads the file fixes the snapshot too."""
    side.read_all()
    side.run("BEGIN", on=side.other)
    side.run("PRAGMA user_version", on=side.other)
    side.run("PRAGMA table_info(u)", on=side.other)
    side.run("UPDATE u SET x = x + 1", on=side.beside)
    side.read(on=side.other)
    side.read()
    side.run("COMMIT", on=side.other)
    side.read_all()


@agree
def test_own_writes_are_read(side: Side) -> None:
    """A transaction reads what it has written; others do not, until it commits."""
    side.read_all()
    side.run("INSERT INTO u VALUES (7, 7)")
    side.read_all()
    side.run("UPDATE t SET x = 0")
    side.read_all()
    side.db.commit()
    side.read_all()


@agree
def test_rolled_back_writes_are_gone(side: Side) -> None:
    """What a transaction read of its own writes is gone after ROLLBACK."""
    side.read_all()
    for _ in range(2):
        side.run("DELETE FROM u")
        side.read_all(side.db)
        side.db.rollback()
        side.read_all()


@agree
def test_savepoints(side: Side) -> None:
    """ROLLBACK TO takes back a part; what is read before, between and after is right."""
    side.read_all()
    for statement in ("BEGIN", "SAVEPOINT a", "UPDATE u SET x = 1", "SAVEPOINT b", "DELETE FROM t"):
        side.run(statement, on=side.other)
        side.read_all(side.other)
    for statement in ("ROLLBACK TO b", "ROLLBACK TO a", "RELEASE a", "COMMIT"):
        side.run(statement, on=side.other)
        side.read_all(side.other)
    side.read_all()


@agree
def test_rollback_to_the_outermost_savepoint(side: Side) -> None:
    """After ROLLBACK TO the outermost savepoint the snapshot is still the old one."""
    side.run("SAVEPOINT a", on=side.other)
    side.read_all(side.other)
    side.run("ROLLBACK TO a", on=side.other)
    side.run("UPDATE u SET x = x + 1", on=side.beside)
    side.read_all(side.other, side.db)
    side.run("RELEASE a", on=side.other)
    side.read_all()


@agree
def test_ddl_in_a_transaction(side: Side) -> None:
    """A schema changed inside a transaction is read there, and nowhere after ROLLBACK."""
    side.read("SELECT * FROM u")
    for ending in ("ROLLBACK", "COMMIT"):
        side.run("BEGIN", on=side.other)
        side.run("ALTER TABLE u ADD COLUMN y DEFAULT 5", on=side.other)
        side.read("SELECT * FROM u", on=side.other)
        side.run(ending, on=side.other)
        side.read("SELECT * FROM u", on=side.other)
        side.read("SELECT * FROM u")


@agree
def test_trigger_made_in_a_transaction(side: Side) -> None:
    """A trigger that the same transaction made writes what it says."""
    side.read_all()
    side.run("BEGIN", on=side.other)
    side.run("CREATE TRIGGER more AFTER INSERT ON t BEGIN UPDATE u SET x = x + 1; END", on=side.other)
    side.run("INSERT INTO t (x) VALUES (1)", on=side.other)
    side.run("COMMIT", on=side.other)
    side.read_all()
    side.run("INSERT INTO t (x) VALUES (1)", on=side.other)
    side.read_all()


COMMITS = {"statement": lambda db: db.execute("COMMIT"), "method": lambda db: db.commit()}


@pytest.mark.parametrize("way", COMMITS)
def test_commit_that_is_refused(twins: Twins, way: str) -> None:
    """A COMMIT that fails leaves the transaction open, with its writes, which nobody else reads."""

    def story(side: Side) -> None:
        side.run("CREATE TABLE child (t REFERENCES t DEFERRABLE INITIALLY DEFERRED)")
        side.run("PRAGMA foreign_keys = ON", on=side.other)
        side.read("SELECT count(*) FROM child", on=side.other)
        side.run("BEGIN", on=side.other)
        side.run("INSERT INTO child VALUES (99)", on=side.other)
        side.attempt(COMMITS[way], side.other)
        side.read("SELECT count(*) FROM child", on=side.other)
        side.read("SELECT count(*) FROM child")
        side.run("ROLLBACK", on=side.other)
        side.read("SELECT count(*) FROM child", on=side.other)

    twins.tell(story)


FAILURES = ("OR FAIL", "OR ROLLBACK", "OR ABORT", "OR IGNORE", "")


@pytest.mark.parametrize("conflict", FAILURES)
@pytest.mark.parametrize("begin", ["", "BEGIN"])
def test_failed_statement(twins: Twins, conflict: str, begin: str) -> None:
    """What a failed statement left standing, or took with it, is what is read."""

    def story(side: Side) -> None:
        side.read_all()
        side.run(begin, on=side.other)
        side.run("UPDATE u SET x = x + 1", on=side.other)
        side.run(f"INSERT {conflict} INTO t VALUES (8, 1), (9, 1), (1, 1)", on=side.other)
        side.read_all()
        side.run("COMMIT", on=side.other)
        side.read_all()

    twins.tell(story)


@agree
def test_trigger_that_rolls_back(side: Side) -> None:
    """RAISE(ROLLBACK) ends the transaction, and its writes are gone."""
    side.run("CREATE TRIGGER never BEFORE DELETE ON t BEGIN SELECT RAISE(ROLLBACK, 'no'); END")
    side.read_all()
    side.run("UPDATE u SET x = 0")
    side.read_all(side.db)
    side.run("DELETE FROM t")
    side.say(side.db.in_transaction)
    side.read_all()


@agree
def test_executemany_that_fails(side: Side) -> None:
    """The rows before the failing one stand until the transaction ends, or for good without one."""
    rows = [(8, 1), (9, 1), (1, 1)]
    side.read_all()
    side.attempt(side.db.executemany, "INSERT INTO t VALUES (?, ?)", rows)
    side.read_all(side.db)
    side.db.rollback()
    side.attempt(side.other.executemany, "INSERT INTO t VALUES (?, ?)", rows)
    side.read_all()


@agree
def test_writer_is_refused_while_another_writes(side: Side) -> None:
    """A statement that finds the database locked fails, and the reads around it are right."""
    side.read_all()
    side.run("BEGIN IMMEDIATE", on=side.beside)
    side.run("UPDATE u SET x = 0", on=side.beside)
    side.run("UPDATE u SET x = 1", on=side.other)
    side.read_all()
    side.run("COMMIT", on=side.beside)
    side.read_all()
