"""What is seen before and after commits, rollbacks and errors, on both sides."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tests.conformance.sides import agree, agree_in_calls, columns, outcome, refusal, trait

if TYPE_CHECKING:
    from tests.conformance.sides import Side


COUNT = "SELECT count(*) FROM planet"
BUMP = "UPDATE planet SET moons = coalesce(moons, 0) + 1 WHERE id = 1"
BUMPED = "SELECT moons FROM planet WHERE id = 1"


@agree
def test_own_write_is_seen(side: Side) -> Any:
    """A read after a write of its own transaction sees the write."""
    before = side.rows(BUMPED)
    side.execute(BUMP)
    return before, side.rows(BUMPED)


@agree
def test_rollback(side: Side) -> Any:
    """What was rolled back was never there."""
    before = side.rows(BUMPED)
    side.execute(BUMP)
    side.rows(BUMPED)
    side.connection.rollback()
    return before, side.rows(BUMPED)


@agree
def test_commit(side: Side) -> Any:
    """What was committed is seen by a connection beside."""
    side.execute(BUMP)
    side.connection.commit()
    return side.beside().cursor().execute(BUMPED).fetchall()


@agree
def test_uncommitted_is_not_seen_beside(side: Side) -> Any:
    """What was not committed is not seen by a connection beside."""
    side.rows(BUMPED)
    side.execute(BUMP)
    return side.rows(BUMPED), side.beside().cursor().execute(BUMPED).fetchall()


@agree
def test_write_beside_is_seen(side: Side) -> Any:
    """A read after another connection's commit sees it."""
    before = side.rows(BUMPED)
    side.connection.commit()
    _bump_beside(side)
    return before, side.rows(BUMPED)


@agree
def test_write_beside_within_a_transaction(side: Side) -> Any:
    """Whether an open transaction sees another connection's commit is what the database says."""
    side.begin()
    before = side.rows(BUMPED)
    written = outcome(_bump_beside, side)
    return before, written, side.rows(BUMPED), side.rows(BUMPED)


def _bump_beside(side: Side) -> Any:
    """A write that gives up at once where readers block writers."""
    connection = side.beside()
    if side.is_sqlite:
        connection.execute("PRAGMA busy_timeout = 0")
    connection.cursor().execute(BUMP)
    connection.commit()


@agree
def test_repeated_reads_within_a_transaction(side: Side) -> Any:
    """A read repeated in one transaction gives the same rows."""
    return [side.rows() for _ in range(5)]


@agree
def test_read_opens_a_transaction(side: Side) -> Any:
    """Reading leaves the connection in the state that the driver leaves it in, however often."""
    states = [_state(side.connection)]
    for _ in range(5):
        side.rows()
        states.append(_state(side.connection))
    side.connection.commit()
    return [*states, _state(side.connection)]


def _state(connection: Any) -> Any:
    """Whether a transaction is open, in the driver's own words."""
    info = trait(connection, "info")
    return trait(connection, "in_transaction") if info == "absent" else info.transaction_status


@agree
def test_write_opens_a_transaction(side: Side) -> Any:
    """Writing leaves the connection in the state that the driver leaves it in."""
    side.execute(BUMP)
    writing = _state(side.connection)
    side.connection.rollback()
    return writing, _state(side.connection)


@agree
def test_savepoint(side: Side) -> Any:
    """A rollback to a savepoint takes back what came after it."""
    side.begin()
    side.execute(BUMP)
    side.execute("SAVEPOINT s")
    side.execute(BUMP)
    inside = side.rows(BUMPED)
    side.execute("ROLLBACK TO SAVEPOINT s")
    return inside, side.rows(BUMPED)


@agree
def test_begin_read_rollback(side: Side) -> Any:
    """A read between BEGIN and ROLLBACK, as pools do around every read, gives the rows."""
    side.execute("BEGIN")
    rows = side.rows()
    side.execute("ROLLBACK")
    return rows, _state(side.connection)


@agree
def test_commit_without_transaction(side: Side) -> Any:
    """A commit and a rollback without a transaction do nothing, twice."""
    return [side.connection.commit(), side.connection.commit(), side.connection.rollback(), side.connection.rollback()]


@agree
def test_close_without_commit(side: Side) -> Any:
    """Closing a connection takes back what was not committed."""
    side.execute(BUMP)
    side.connection.close()
    return side.beside().cursor().execute(BUMPED).fetchall()


@agree_in_calls
def test_context_manager_commits(side: Side) -> Any:
    """Leaving a connection's block commits."""
    with side.connection:
        side.execute(BUMP)
    return side.beside().cursor().execute(BUMPED).fetchall()


@agree_in_calls
def test_context_manager_rolls_back(side: Side) -> Any:
    """Leaving a connection's block with an exception rolls back."""
    try:
        with side.connection:
            side.execute(BUMP)
            raise KeyError
    except KeyError:
        return side.beside().cursor().execute(BUMPED).fetchall()


@agree
def test_autocommit(side: Side) -> Any:
    """In autocommit mode a write is there at once."""
    if trait(side.connection, "autocommit") == "absent":
        return "absent"
    side.connection.autocommit = True
    side.rows(BUMPED)
    side.execute(BUMP)
    seen = side.beside().cursor().execute(BUMPED).fetchall()
    side.renew()
    return seen


@agree
def test_syntax_error(side: Side) -> Any:
    """A syntax error is the driver's own, word for word."""
    return refusal(side.execute, "SELEC 1")


@agree
def test_missing_table(side: Side) -> Any:
    """A missing table is the driver's own error, each time."""
    errors = []
    for _ in range(3):
        errors.append(refusal(side.execute, "SELECT * FROM nowhere"))
        side.connection.rollback()
    return errors


@agree
def test_error_details(side: Side) -> Any:
    """The error carries the driver's own details."""
    try:
        side.execute("INSERT INTO planet VALUES (1, 'Again', 0, 0)")
    except side.driver.IntegrityError as error:
        return [trait(error, name) for name in ("sqlstate", "sqlite_errorcode", "sqlite_errorname", "args")]


@agree
def test_module_errors_catch(side: Side) -> Any:
    """The module's exceptions catch what its connections raise."""
    try:
        side.execute("INSERT INTO planet VALUES (1, 'Again', 0, 0)")
    except side.module.IntegrityError as error:
        return type(error)


@agree
def test_read_after_error(side: Side) -> Any:
    """What a known read gives after an error in the same transaction is what the driver says."""
    side.rows()
    side.execute(BUMP)
    refusal(side.execute, "SELECT * FROM nowhere")
    return outcome(side.rows), outcome(side.rows)


@agree
def test_recovery_after_error(side: Side) -> Any:
    """After an error and a rollback everything works again."""
    refusal(side.execute, "SELECT * FROM nowhere")
    side.connection.rollback()
    return side.rows()


@agree
def test_error_leaves_cursor_usable(side: Side) -> Any:
    """A cursor whose statement failed executes the next one."""
    cursor = side.execute()
    refusal(cursor.execute, "SELECT * FROM nowhere")
    side.connection.rollback()
    cursor.execute(COUNT)
    return cursor.fetchall()


@agree
def test_cursor_after_error(side: Side) -> Any:
    """What a cursor shows after its statement failed is what the driver shows."""
    cursor = side.execute()
    refusal(cursor.execute, "SELECT * FROM nowhere")
    return columns(cursor), cursor.rowcount, outcome(cursor.fetchone)


@agree
def test_division_by_zero(side: Side) -> Any:
    """A read that fails as it runs fails each time, or gives what the database gives."""
    return [(outcome(side.rows, "SELECT 1 / 0"), side.connection.rollback()) for _ in range(3)]


@agree
def test_schema_change_is_seen(side: Side) -> Any:
    """A read of every column sees a new one."""
    side.begin()
    before = side.execute("SELECT * FROM planet WHERE id = 1")
    old = columns(before), before.fetchall()
    side.execute("ALTER TABLE planet ADD COLUMN rings integer")
    after = side.execute("SELECT * FROM planet WHERE id = 1")
    return old, columns(after), after.fetchall()


@agree
def test_schema_change_is_committed(side: Side) -> Any:
    """A table that is dropped and made anew is read as it is each time."""
    if not side.is_sqlite:
        side.connection.prepare_threshold = None  # a prepared statement would refuse to change its columns
    seen = []
    for columns_of_table in ("a integer", "a text, b integer"):
        side.execute("DROP TABLE IF EXISTS moon")
        side.execute(f"CREATE TABLE moon ({columns_of_table})")
        seen.append((columns(side.execute("SELECT * FROM moon")), side.connection.commit()))
    return seen


@agree
def test_dropped_table(side: Side) -> Any:
    """A read of a table that was dropped is refused although its rows were known."""
    side.begin()
    side.rows(COUNT)
    side.execute("DROP TABLE planet")
    return refusal(side.rows, COUNT)


@agree
def test_delete_all_and_insert(side: Side) -> Any:
    """A table emptied and filled again is read as it is."""
    before = side.rows(COUNT)
    side.execute("DELETE FROM planet")
    empty = side.rows(COUNT), side.rows()
    side.execute("INSERT INTO planet VALUES (1, 'Only', NULL, NULL)")
    return before, empty, side.rows()


@agree
def test_volatile_functions(side: Side) -> Any:
    """A random number is a new one each time."""
    return len({str(side.rows("SELECT random()")) for _ in range(5)})


@agree
def test_clock(side: Side) -> Any:
    """The clock goes on."""
    clock = "clock_timestamp()" if not side.is_sqlite else "strftime('%f')"
    return len({str(side.rows(f"SELECT {clock}")) for _ in range(3) if not time.sleep(0.003)})
