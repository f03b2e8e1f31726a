"""Unfinished cursors: they keep an old snapshot, or a write that has not committed, although no transaction is open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.freshness.sqlite.twins import U, agree

if TYPE_CHECKING:
    from tests.freshness.sqlite.twins import Side

UNKEPT = "SELECT x, random() * 0 FROM t"


@agree
def test_unfinished_read(side: Side) -> None:
    """While a cursor is half read its connection reads the old state, and others the new one."""
    side.read_all()
    cursor = side.other.execute(UNKEPT)
    cursor.fetchone()
    side.run("UPDATE u SET x = x + 1", on=side.beside)
    side.read_all(side.other, side.db)
    cursor.fetchall()
    side.read_all()


@agree
def test_unfinished_read_on_either_side_of_a_commit(side: Side) -> None:
    """A cursor opened after a foreign commit reads the new state for as long as it is open."""
    side.read_all()
    side.run("UPDATE u SET x = x + 1", on=side.beside)
    cursor = side.other.execute(UNKEPT)
    side.run("UPDATE u SET x = x + 1", on=side.beside)
    side.read_all(side.other, side.db)
    cursor.close()
    side.read_all()


@agree
def test_dropped_cursor(side: Side) -> None:
    """A half-read cursor that is dropped lets go of its snapshot."""
    side.other.execute(UNKEPT).fetchone()
    side.run("UPDATE u SET x = x + 1", on=side.beside)
    side.read_all()


@agree
def test_half_read_kept_statement(side: Side) -> None:
    """A cursor that gives kept rows goes on with them while its connection writes."""
    side.read("SELECT x FROM t ORDER BY id")
    cursor = side.db.execute("SELECT x FROM t ORDER BY id")
    side.say(cursor.fetchone())
    side.run("UPDATE u SET x = x + 1")
    side.read(on=side.db)
    side.say(cursor.fetchall())
    side.db.commit()
    side.read_all()


@agree
def test_begin_and_commit_under_an_unfinished_read(side: Side) -> None:
    """A transaction begun while a cursor is half read has that cursor's snapshot."""
    side.read_all()
    cursor = side.other.execute(UNKEPT)
    side.run("UPDATE u SET x = x + 1", on=side.beside)
    side.run("BEGIN", on=side.other)
    side.read_all(side.other, side.db)
    side.run("COMMIT", on=side.other)
    side.read_all(side.other, side.db)
    cursor.fetchall()
    side.read_all()


@agree
def test_unfinished_returning(side: Side) -> None:
    """A writing statement whose rows were not fetched has not committed yet."""
    for _ in range(2):
        side.read_all()
        cursor = side.other.execute("UPDATE u SET x = x + 1 RETURNING x")
        side.say(cursor.fetchone())
        side.read_all()
        cursor.fetchall()
        side.read_all()


@agree
def test_own_commits_beside_an_unfinished_returning(side: Side) -> None:
    """Another write of the same connection is not taken for all that is committed with it."""
    side.read_all()
    cursor = side.other.execute("UPDATE u SET x = x + 1 RETURNING x")
    cursor.fetchone()
    side.run("UPDATE t SET x = x + 1", on=side.other)
    side.read_all()
    cursor.close()
    side.read_all()
    side.run("UPDATE t SET x = x + 1", on=side.other)
    side.read_all()


@agree
def test_dropped_returning(side: Side) -> None:
    """A writing statement whose cursor is dropped commits then."""
    side.read_all()
    side.other.execute("DELETE FROM u RETURNING id").fetchone()
    side.read_all()
    side.db.execute("DELETE FROM t RETURNING id").fetchone()
    side.read_all()
    side.db.commit()
    side.read_all()


@agree
def test_rollback_under_a_cursor(side: Side) -> None:
    """A rollback under a half-read cursor: both go on alike."""
    side.read_all()
    side.run("UPDATE u SET x = 0")
    cursor = side.db.execute(UNKEPT)
    cursor.fetchone()
    side.db.rollback()
    side.attempt(cursor.fetchall)
    side.read_all()


@agree
def test_reexecuted_cursor(side: Side) -> None:
    """One cursor that is executed again and again sees every commit between."""
    cursor = side.db.cursor()
    for _ in range(4):
        for _ in range(2):
            side.say(cursor.execute(U).fetchall())
        side.run("UPDATE u SET x = x + 1", on=side.beside)


@agree
def test_write_while_iterating(side: Side) -> None:
    """A loop over one table that writes another reads its own writes."""
    for row in side.other.execute("SELECT id FROM t ORDER BY id"):
        side.run("UPDATE u SET x = x + 1 WHERE id = ?", row, on=side.other)
        side.read(on=side.other)
        side.read()
    side.read_all()


@agree
def test_blob(side: Side) -> None:
    """What is written through an open blob is read, and it holds its snapshot open."""
    side.run("CREATE TABLE b (id INTEGER PRIMARY KEY, x BLOB)")
    side.run("INSERT INTO b VALUES (1, zeroblob(4))", on=side.other)
    side.read("SELECT x FROM b")
    with side.other.blobopen("b", "x", 1) as blob:
        blob.write(b"ab")
        side.read("SELECT x FROM b", on=side.other)
        side.read("SELECT x FROM b")
    side.read("SELECT x FROM b", on=side.other)
    side.read("SELECT x FROM b")


@agree
def test_read_only_blob(side: Side) -> None:
    """A blob that is only read keeps its connection at an old state."""
    side.run("CREATE TABLE b (id INTEGER PRIMARY KEY, x BLOB)")
    side.run("INSERT INTO b VALUES (1, zeroblob(4))", on=side.other)
    side.read_all()
    blob = side.other.blobopen("b", "x", 1, readonly=True)
    side.run("UPDATE u SET x = x + 1", on=side.beside)
    side.read_all(side.other, side.db)
    blob.close()
    side.read_all()
