"""Reads inside transactions, at each level of isolation, and transactions that fail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import IsolationLevel

from tests.freshness.postgres.twins import U, agree, agree_unserved

if TYPE_CHECKING:
    from tests.freshness.postgres.twins import Side, Twins

LEVELS = ("READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE", "SERIALIZABLE READ ONLY", "READ UNCOMMITTED")


@pytest.mark.parametrize("level", LEVELS)
def test_foreign_commits(twins: Twins, level: str) -> None:
    """A transaction sees others' commits as its level says, whichever reads come from memory."""

    def story(side: Side) -> None:
        side.read_all()
        side.run(f"BEGIN ISOLATION LEVEL {level}")
        side.run("UPDATE u SET x = x + 1", on=side.beside)
        for _ in range(2):
            side.read_all()
            side.run("UPDATE u SET x = x + 1", on=side.beside)
        side.read_all()
        side.run("COMMIT")
        side.read_all()

    twins.tell(story)


@pytest.mark.parametrize("level", list(IsolationLevel), ids=lambda level: level.name)
def test_implicit_transactions(twins: Twins, level: IsolationLevel) -> None:
    """The same where the driver begins the transactions."""

    def story(side: Side) -> None:
        side.tx.isolation_level = level
        for end in (side.tx.commit, side.tx.rollback):
            side.read_all(side.tx)
            side.run("UPDATE u SET x = x + 1", on=side.beside)
            side.read_all(side.tx, side.db)
            end()
            side.read_all(side.tx, side.db)
            end()

    twins.tell(story)


@pytest.mark.parametrize("level", ["READ COMMITTED", "REPEATABLE READ"])
def test_reads_in_a_transaction_are_served(twins: Twins, level: str) -> None:
    """BEGIN, SELECT, SELECT, ROLLBACK is answered from memory."""
    db = twins.proxied.db
    for _ in range(6):
        db.execute(f"BEGIN ISOLATION LEVEL {level}")
        db.execute(U).fetchall()
        db.execute(U).fetchall()
        db.execute("ROLLBACK")
    assert twins.hits >= 8


@pytest.mark.parametrize("level", ["READ COMMITTED", "REPEATABLE READ"])
def test_own_writes(twins: Twins, level: str) -> None:
    """A transaction reads what it has written; others do not until it commits, and never when it is rolled back."""

    def story(side: Side) -> None:
        for end in ("ROLLBACK", "COMMIT", "COMMIT AND CHAIN", "ROLLBACK"):
            side.read_all()
            side.run(f"BEGIN ISOLATION LEVEL {level}")
            side.run("UPDATE u SET x = x + 1")
            side.read_all()
            side.run(end)
            side.read_all()

    twins.tell(story)


DOORS: dict[str, Any] = {
    "execute": lambda db, _: db.execute("UPDATE u SET x = x + 1"),
    "execute of bytes": lambda db, _: db.execute(b"UPDATE u SET x = x + 1"),
    "executemany": lambda db, _: db.cursor().executemany("UPDATE u SET x = x + %s", [(1,), (1,)]),
    "execute that returns rows": lambda db, _: db.execute("UPDATE u SET x = x + 1 RETURNING x").fetchone(),
    "client cursor": lambda db, module: module.ClientCursor(db).execute("UPDATE u SET x = x + %s", (1,)),
    "savepoint": lambda db, _: [
        db.execute(word) for word in ("SAVEPOINT s", "UPDATE u SET x = x + 1", "RELEASE s", "SELECT 1")
    ],
}


@pytest.mark.parametrize("door", DOORS)
def test_own_writes_by_any_door(twins: Twins, door: str) -> None:
    """However a transaction with one snapshot writes, its next read shows it."""

    def story(side: Side) -> None:
        side.run("BEGIN ISOLATION LEVEL REPEATABLE READ")
        side.read_all()
        side.attempt(DOORS[door], side.db, side.module)
        side.read_all()
        side.run("ROLLBACK")
        side.read_all()

    twins.tell(story)


def test_own_writes_by_a_cursor_of_the_driver(twins: Twins) -> None:
    """A cursor that is not proxydb's ends what is remembered of the transaction, too."""
    if twins.proxied.loop is not None:
        pytest.skip("the driver's own cursors are tried in threads")
    db = twins.proxied.db
    db.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
    before = [db.execute("SELECT id FROM u").fetchall() for _ in range(4)][-1]
    psycopg.Cursor(db).execute("INSERT INTO u SELECT -id, x FROM u")
    after = db.execute("SELECT id FROM u").fetchall()
    db.execute("ROLLBACK")
    assert len(after) == 2 * len(before) > 0


@agree
def test_savepoints(side: Side) -> None:
    """ROLLBACK TO takes back a part; what is read before, between and after is right."""
    for statement in ("BEGIN", "SAVEPOINT a", "UPDATE u SET x = 1", "SAVEPOINT b", "DELETE FROM t"):
        side.read_all()
        side.run(statement)
    for statement in ("ROLLBACK TO b", "ROLLBACK TO a", "RELEASE a", "COMMIT"):
        side.read_all()
        side.run(statement)
    side.read_all()


@agree
def test_commit_and_chain(side: Side) -> None:
    """A chained transaction has a new snapshot."""
    side.run("BEGIN ISOLATION LEVEL REPEATABLE READ")
    for _ in range(3):
        side.read_all()
        side.run("UPDATE u SET x = x + 1", on=side.beside)
        side.read_all()
        side.run("COMMIT AND CHAIN")
    side.run("ROLLBACK")


@agree
def test_failed_transaction(side: Side) -> None:
    """After an error every statement of the transaction raises, kept or not."""
    side.read_all()
    side.run("BEGIN")
    side.run("SAVEPOINT a")
    side.run("SELECT 1 / 0")
    side.read_all(side.db)
    side.run("ROLLBACK TO a")
    side.read_all(side.db)
    side.run("SELECT no_such_column FROM t")
    side.read_all(side.db)
    side.run("ROLLBACK")
    side.read_all()


@agree
def test_error_of_the_statement_itself(side: Side) -> None:
    """A statement that fails for one parameter and not for another does so each time, and leaves no trace."""
    for value in (1, 0, 1, 0):
        side.read("SELECT sum(x / %s) FROM u", (value,))
        side.read("SELECT sum(x / %s) FROM u", (value,), on=side.tx)
        side.tx.rollback()


@agree
def test_set_transaction_after_begin(side: Side) -> None:
    """SET TRANSACTION is accepted before the first read and refused after it."""
    side.read_all()
    for level in ("REPEATABLE READ", "SERIALIZABLE", "READ COMMITTED"):
        side.run("BEGIN")
        side.run(f"SET TRANSACTION ISOLATION LEVEL {level}")
        side.read_all(side.db)
        side.run("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
        side.run("ROLLBACK")


@agree
def test_imported_snapshot(side: Side) -> None:
    """A transaction that takes over an old snapshot reads that one, and gives nothing of it to others."""
    side.read_all()
    exporter = side.open()
    exporter.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
    (snapshot,) = exporter.execute("SELECT pg_export_snapshot()").fetchone()
    side.run("UPDATE u SET x = x + 1", on=side.beside)
    side.read_all()
    side.db.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
    side.db.execute(f"SET TRANSACTION SNAPSHOT '{snapshot}'")
    side.read_all()
    side.run("ROLLBACK")
    exporter.execute("ROLLBACK")
    side.read_all()


def _skewed(side: Side) -> Any:
    """Two transactions that each read what the other writes; SQLSTATE of the one that must fail."""
    one, two = side.open(), side.open()
    for connection in (one, two):
        for _ in range(4):
            connection.execute(U).fetchall()
            connection.execute("SELECT count(*), sum(x) FROM t").fetchall()
    for connection in (one, two):
        connection.execute("BEGIN ISOLATION LEVEL SERIALIZABLE")
        connection.execute(U).fetchall()
        connection.execute("SELECT count(*), sum(x) FROM t").fetchall()
    try:
        one.execute("UPDATE u SET x = x + 1")
        two.execute("UPDATE t SET x = x + 1")
        one.execute("COMMIT")
        two.execute("COMMIT")
    except psycopg.Error as error:
        return error.sqlstate
    return None


def test_write_skew(twins: Twins) -> None:
    """Serializable transactions that could not have come one after the other do not both commit."""
    assert (_skewed(twins.raw), _skewed(twins.proxied)) == ("40001", "40001")


@agree
def test_session_default_serializable(side: Side) -> None:
    """The level may come from a setting."""
    side.read_all()
    for level in ("serializable", "repeatable read", "read committed"):
        side.run(f"SET default_transaction_isolation = '{level}'")
        side.read_all()
        side.run("BEGIN")
        side.read_all()
        side.run("UPDATE u SET x = x + 1", on=side.beside)
        side.read_all()
        side.run("COMMIT")


@agree_unserved
def test_closed(side: Side) -> None:
    """A closed connection and a closed cursor raise."""
    cursor = side.db.cursor()
    for _ in range(4):
        cursor.execute(U)
    cursor.close()
    side.attempt(cursor.execute, U)
    side.attempt(cursor.fetchall)
    cursor = side.db.execute(U)
    side.db.close()
    side.read()
    side.attempt(cursor.fetchall)


@agree_unserved
def test_terminated(side: Side) -> None:
    """A connection whose backend was killed raises at its next read."""
    side.read_all()
    side.beside.execute("SELECT pg_terminate_backend(%s, 5000)", (side.db.info.backend_pid,))
    side.say(_kind_of_error(side.db), side.db.closed, side.db.broken)
    side.read_all(side.other)


def _kind_of_error(connection: Any) -> str:
    """Only the kind: the message comes with the backend's last words or without them."""
    try:
        connection.execute(U)
    except psycopg.OperationalError:
        return "OperationalError"
    return "none"


@agree
def test_pipeline(side: Side) -> None:
    """In pipeline mode reads see what was sent before them."""
    side.read_all()
    with side.db.pipeline():
        side.db.execute("UPDATE u SET x = x + 1")
        cursor = side.db.execute(U)
        side.db.execute("UPDATE u SET x = x + 1")
    side.say(cursor.fetchall())
    side.read_all()
