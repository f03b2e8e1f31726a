"""Writes that change more than the table they name: every other connection sees all of it at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.freshness.sqlite.twins import T, U, agree

if TYPE_CHECKING:
    from tests.freshness.sqlite.twins import Side

ACTIONS = ("INSERT INTO t (x) VALUES (1)", "UPDATE t SET x = x + 1", "DELETE FROM t WHERE id = 2")


def _write(side: Side, *statements: str) -> None:
    """Each statement commits by itself and is followed by reads on two connections."""
    side.read_all()
    for statement in statements:
        side.run(statement, on=side.other)
        side.read_all()


@agree
def test_trigger(side: Side) -> None:
    """A trigger's writes to another table are seen."""
    for event in ("INSERT", "UPDATE", "DELETE"):
        side.run(f"CREATE TRIGGER on_{event} AFTER {event} ON t BEGIN UPDATE u SET x = x + 7; END")
    _write(side, *ACTIONS)


@agree
def test_trigger_chain(side: Side) -> None:
    """The writes of a trigger that another trigger's write sets off are seen."""
    side.run("CREATE TABLE w (x)")
    side.run("CREATE TRIGGER first AFTER INSERT ON t BEGIN INSERT INTO w VALUES (1); END")
    side.run("CREATE TRIGGER second AFTER INSERT ON w BEGIN DELETE FROM u WHERE id = 1; END")
    _write(side, *ACTIONS)


@agree
def test_trigger_of_the_own_table_only_when(side: Side) -> None:
    """A trigger with a condition is part of the write set also when it did not fire before."""
    side.run("CREATE TRIGGER rare AFTER UPDATE OF x ON t WHEN new.x > 30 BEGIN INSERT INTO u (x) VALUES (new.x); END")
    _write(side, "UPDATE t SET x = 0 WHERE id = 1", "UPDATE t SET x = 99 WHERE id = 1", "UPDATE t SET id = id + 50")


@agree
def test_recursive_delete_trigger_of_replace(side: Side) -> None:
    """With recursive_triggers REPLACE fires delete triggers, whose writes are seen."""
    side.run("CREATE TRIGGER gone AFTER DELETE ON t BEGIN INSERT INTO u (x) VALUES (old.x); END")
    side.run("PRAGMA recursive_triggers = ON", on=side.other)
    _write(side, "REPLACE INTO t VALUES (1, 11)", "INSERT OR REPLACE INTO t VALUES (2, 22)")


@agree
def test_cascades(side: Side) -> None:
    """Foreign-key actions on delete and update are seen in the child table."""
    side.run("CREATE TABLE child (t REFERENCES t ON DELETE CASCADE ON UPDATE SET NULL, x)")
    side.run("INSERT INTO child VALUES (1, 5), (2, 6), (3, 7)")
    side.db.commit()
    side.run("PRAGMA foreign_keys = ON", on=side.other)
    for statement in ("DELETE FROM t WHERE id = 1", "UPDATE t SET id = 9 WHERE id = 2", "REPLACE INTO t VALUES (3, 0)"):
        side.read("SELECT count(*), count(t), sum(x) FROM child")
        side.run(statement, on=side.other)
        side.read("SELECT count(*), count(t), sum(x) FROM child")


@agree
def test_cascade_chain(side: Side) -> None:
    """A cascade that goes through a second child and its trigger is seen."""
    side.run("CREATE TABLE child (id INTEGER PRIMARY KEY, t REFERENCES t ON DELETE CASCADE)")
    side.run("CREATE TABLE grandchild (child REFERENCES child ON DELETE CASCADE)")
    side.run("CREATE TRIGGER gone AFTER DELETE ON grandchild BEGIN UPDATE u SET x = x + 1; END")
    side.run("INSERT INTO child VALUES (1, 1), (2, 1)")
    side.run("INSERT INTO grandchild VALUES (1), (2)")
    side.db.commit()
    side.run("PRAGMA foreign_keys = ON", on=side.other)
    _write(side, "DELETE FROM t WHERE id = 1")


@agree
def test_instead_of_trigger(side: Side) -> None:
    """What an INSTEAD OF trigger writes is seen in the tables and through the view."""
    side.run("CREATE VIEW v AS SELECT t.id, t.x FROM t")
    side.run("CREATE TRIGGER i INSTEAD OF INSERT ON v BEGIN INSERT INTO u (x) VALUES (new.x); END")
    side.run("CREATE TRIGGER d INSTEAD OF DELETE ON v BEGIN UPDATE t SET x = 0 WHERE id = old.id; END")
    side.read("SELECT sum(x) FROM v")
    _write(side, "INSERT INTO v VALUES (7, 70)", "DELETE FROM v WHERE id = 3")
    side.read("SELECT sum(x) FROM v")


@agree
def test_view_of_views(side: Side) -> None:
    """A read through two views sees writes to the table behind them."""
    side.run("CREATE VIEW v AS SELECT x FROM u WHERE x > 0")
    side.run("CREATE VIEW w AS SELECT sum(x) AS total FROM v")
    for statement in ("UPDATE u SET x = x + 1", "DELETE FROM u WHERE id = 1"):
        side.read("SELECT total FROM w")
        side.run(statement, on=side.other)
        side.read("SELECT total FROM w")


@agree
def test_upsert(side: Side) -> None:
    """Both arms of an upsert are seen, with the triggers of each."""
    side.run("CREATE TRIGGER changed AFTER UPDATE ON t BEGIN DELETE FROM u WHERE id = new.id; END")
    upsert = "INSERT INTO t VALUES ({}, 5) ON CONFLICT (id) DO UPDATE SET x = excluded.x"
    _write(side, upsert.format(8), upsert.format(1), "INSERT INTO t VALUES (1, 2) ON CONFLICT DO NOTHING")


@agree
def test_replace_of_a_unique_row(side: Side) -> None:
    """A row that REPLACE removed because of another unique column is gone."""
    side.run("CREATE UNIQUE INDEX one ON u (x)")
    _write(side, "REPLACE INTO u VALUES (9, 100)", "UPDATE OR REPLACE u SET x = 200 WHERE id = 3")


@agree
def test_autoincrement_sequence(side: Side) -> None:
    """The table of sequences is seen to move with the tables that it counts."""
    side.run("CREATE TABLE n (id INTEGER PRIMARY KEY AUTOINCREMENT, x)")
    for _ in range(2):
        side.run("INSERT INTO n (x) VALUES (1)", on=side.other)
        side.read("SELECT name, seq FROM sqlite_sequence")
        side.read("SELECT max(id) FROM n")


@agree
def test_truncate_delete(side: Side) -> None:
    """A DELETE without a condition, which SQLite does without looking at rows, is seen."""
    _write(side, "DELETE FROM t", "DELETE FROM u")


@agree
def test_without_rowid(side: Side) -> None:
    """A table WITHOUT ROWID is seen to change like any other."""
    side.run("CREATE TABLE w (k TEXT PRIMARY KEY, x) WITHOUT ROWID")
    for statement in ("INSERT INTO w VALUES ('a', 1)", "REPLACE INTO w VALUES ('a', 2)", "DELETE FROM w"):
        side.read("SELECT count(*), sum(x) FROM w")
        side.run(statement, on=side.other)
        side.read("SELECT count(*), sum(x) FROM w")


@agree
def test_reads_that_name_no_column(side: Side) -> None:
    """A table that is only counted, or asked whether it has rows, is part of the read set."""
    questions = (
        "SELECT count(*) FROM u",
        "SELECT EXISTS (SELECT 1 FROM u)",
        "SELECT t.x FROM t, u",
        "SELECT rowid FROM u",
    )
    for statement in ("INSERT INTO u VALUES (4, 1)", "DELETE FROM u"):
        for question in questions:
            side.read(question)
        side.run(statement, on=side.other)
        for question in questions:
            side.read(question)


@agree
def test_generated_column(side: Side) -> None:
    """Generated columns, stored and virtual, follow the columns that they are made of."""
    side.run("CREATE TABLE g (x, y AS (x * 2), z AS (x || '!') STORED)")
    for number in range(3):
        side.run("INSERT INTO g (x) VALUES (?)", (number,), on=side.other)
        side.read("SELECT x, y, z FROM g ORDER BY x")


@agree
def test_update_from_and_subqueries(side: Side) -> None:
    """A write that reads one table changes the other one only."""
    _write(side, "UPDATE t SET x = u.x FROM u WHERE u.id = t.id", "INSERT INTO u SELECT id + 10, x FROM t")
    side.read(T)
    side.read(U)


@agree
def test_write_behind_a_with(side: Side) -> None:
    """A data change that begins with WITH is seen; the driver opens no transaction for it."""
    _write(
        side, "WITH n(x) AS (VALUES (1)) INSERT INTO u (x) SELECT x FROM n", "WITH n(x) AS (VALUES (1)) DELETE FROM t"
    )
    side.run("WITH n(x) AS (VALUES (2)) UPDATE t SET x = (SELECT x FROM n)")
    side.read_all()
