"""What closed cursors and closed connections refuse, on both sides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.conformance.sides import IN_ORDER, agree, columns, outcome, refusal, trait

if TYPE_CHECKING:
    from tests.conformance.sides import Side


@agree
def test_cursor_close_twice(side: Side) -> Any:
    """A cursor may be closed twice."""
    cursor = side.execute()
    return cursor.close(), cursor.close()


@agree
def test_closed_cursor_executes_nothing(side: Side) -> Any:
    """A closed cursor refuses to execute."""
    cursor = side.execute()
    cursor.close()
    return refusal(cursor.execute, IN_ORDER), refusal(cursor.executemany, side.sql("DELETE FROM planet"), [()])


@agree
def test_closed_cursor_fetches_nothing(side: Side) -> Any:
    """A closed cursor refuses to fetch the rows that it had."""
    cursor = side.execute()
    cursor.fetchone()
    cursor.close()
    return refusal(cursor.fetchone), refusal(cursor.fetchmany, 2), refusal(cursor.fetchall)


@agree
def test_closed_cursor_iterates_nothing(side: Side) -> Any:
    """A closed cursor refuses to be iterated."""
    cursor = side.execute()
    cursor.close()
    return refusal(list, cursor)


@agree
def test_closed_cursor_attributes(side: Side) -> Any:
    """What a closed cursor still shows is what the driver shows."""
    cursor = side.execute()
    cursor.close()
    return outcome(columns, cursor), cursor.rowcount, cursor.arraysize, trait(cursor, "closed")


@agree
def test_cursor_closed_before_execute(side: Side) -> Any:
    """A cursor closed unused refuses as one that was used."""
    cursor = side.connection.cursor()
    cursor.close()
    return refusal(cursor.execute, IN_ORDER), refusal(cursor.fetchone)


@agree
def test_other_cursors_live_on(side: Side) -> Any:
    """Closing one cursor leaves another with the same rows alone."""
    first, second = side.execute(), side.execute()
    first.close()
    return second.fetchall()


@agree
def test_cursor_context_manager(side: Side) -> Any:
    """A cursor's block, where there is one, closes the cursor."""
    cursor = side.execute()
    if not hasattr(cursor, "__enter__"):
        return "absent"
    with cursor as entered:
        rows = entered.fetchall()
    return rows, entered is cursor, trait(cursor, "closed")


@agree
def test_connection_close_twice(side: Side) -> Any:
    """A connection may be closed twice."""
    return side.connection.close(), side.connection.close()


@agree
def test_closed_connection_refuses(side: Side) -> Any:
    """A closed connection refuses cursors, commits and rollbacks."""
    connection = side.connection
    connection.close()
    return [outcome(getattr(connection, name)) for name in ("cursor", "commit", "rollback")]


@agree
def test_closed_connection_executes_nothing(side: Side) -> Any:
    """A closed connection's own `execute` refuses a known read."""
    side.rows()
    side.connection.close()
    return refusal(side.connection.execute, IN_ORDER)


@agree
def test_cursor_of_closed_connection_executes_nothing(side: Side) -> Any:
    """A cursor of a closed connection refuses a known read."""
    cursor = side.connection.cursor()
    cursor.execute(IN_ORDER).fetchall()
    side.connection.close()
    return refusal(cursor.execute, IN_ORDER)


@agree
def test_rows_of_closed_connection(side: Side) -> Any:
    """Whether rows can be fetched after their connection was closed is what the driver says."""
    cursor = side.execute()
    cursor.fetchone()
    side.connection.close()
    return outcome(cursor.fetchone), outcome(cursor.fetchmany, 2), outcome(cursor.fetchall), outcome(list, cursor)


@agree
def test_closed_connection_attributes(side: Side) -> Any:
    """What a closed connection still shows is what the driver shows."""
    side.connection.close()
    names = ("closed", "autocommit", "in_transaction", "isolation_level", "total_changes", "row_factory", "broken")
    return [outcome(trait, side.connection, name) for name in names]


@agree
def test_closed_connection_block(side: Side) -> Any:
    """Entering a closed connection's block is what the driver says."""
    side.connection.close()
    return outcome(_enter, side.connection)


def _enter(connection: Any) -> Any:
    with connection:
        return "entered"
