"""What a connection offers beside cursors, on both sides."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from tests.conformance.sides import IN_ORDER, agree, agree_in_calls, columns, outcome, trait

if TYPE_CHECKING:
    from tests.conformance.sides import Side


@agree
def test_class(side: Side) -> Any:
    """A connection is one of the driver's own."""
    return isinstance(side.connection, side.driver.Connection), isinstance(side.connection, side.module.Connection)


@agree
def test_attributes(side: Side) -> Any:
    """A connection has every attribute that the driver's has."""
    return set(dir(side.driver.Connection)) - set(dir(side.connection))


@agree
def test_exceptions_of_connection(side: Side) -> Any:
    """The exceptions are attributes of connections where the driver's are."""
    names = ("Warning", "Error", "InterfaceError", "DatabaseError", "DataError", "OperationalError", "IntegrityError")
    return [trait(side.connection, name) for name in (*names, "InternalError", "ProgrammingError", "NotSupportedError")]


@agree
def test_execute(side: Side) -> Any:
    """`Connection.execute` gives a cursor with the rows."""
    cursor = side.connection.execute(IN_ORDER)
    return columns(cursor), cursor.rowcount, cursor.fetchall(), isinstance(cursor, side.module.Cursor)


@agree
def test_execute_with_parameters(side: Side) -> Any:
    """`Connection.execute` binds parameters."""
    return side.connection.execute(side.sql("SELECT name FROM planet WHERE id = ?"), (5,)).fetchall()


@agree
def test_executemany(side: Side) -> Any:
    """`Connection.executemany`, where there is one, writes, and later reads see it."""
    if trait(side.connection, "executemany") == "absent":
        return "absent"
    before = side.rows()
    cursor = side.connection.executemany("DELETE FROM planet WHERE id = ?", [(1,), (2,)])
    return before, cursor.rowcount, side.rows()


@agree
def test_executescript(side: Side) -> Any:
    """`Connection.executescript`, where there is one, writes, and later reads see it."""
    if trait(side.connection, "executescript") == "absent":
        return "absent"
    before = side.rows()
    side.connection.executescript("BEGIN; DELETE FROM planet WHERE id > 3; INSERT INTO planet VALUES (9, 'x', 1, 1);")
    return before, side.rows()


@agree
def test_total_changes(side: Side) -> Any:
    """`total_changes`, where there is one, counts writes and not reads."""
    side.renew()
    before = trait(side.connection, "total_changes")
    side.rows()
    side.execute("UPDATE planet SET moons = 0")
    side.rows()
    return before, trait(side.connection, "total_changes")


@agree
def test_row_factory(side: Side) -> Any:
    """Rows are made by the connection's row factory, which may change between two reads."""
    plain = side.rows()
    side.connection.row_factory = _named_rows(side)
    named = side.execute().fetchall()
    types = {type(row) for row in named}
    side.renew()
    return plain, [dict(row) for row in named], types


@agree
def test_row_factory_of_cursor(side: Side) -> Any:
    """A cursor may have a row factory of its own."""
    cursor = side.connection.cursor()
    cursor.row_factory = _named_rows(side)
    cursor.execute(IN_ORDER)
    return [dict(row) for row in cursor], side.rows()


def _named_rows(side: Side) -> Any:
    if side.is_sqlite:
        return side.module.Row
    return side.module.rows.dict_row


@agree
def test_text_factory(side: Side) -> Any:
    """Texts are made by the text factory, where there is one, which may change between two reads."""
    if trait(side.connection, "text_factory") == "absent":
        return "absent"
    plain = side.rows()
    side.connection.text_factory = bytes
    raw = side.rows()
    side.renew()
    return plain, raw


@agree_in_calls
def test_cursor_factory(side: Side) -> Any:
    """A caller's own class of cursors is honoured."""
    own = type("Own", (side.driver.Cursor,), {"greet": lambda self: "hello"})
    if side.is_sqlite:
        cursor = side.connection.cursor(own)
    else:
        side.connection.cursor_factory = own
        cursor = side.connection.cursor()
    cursor.execute(IN_ORDER)
    side_result = cursor.greet(), isinstance(cursor, own), cursor.fetchall()
    side.renew()
    return side_result


@agree
def test_temporary_table(side: Side) -> Any:
    """A temporary table is read like any other, and hides one of the same name."""
    side.begin()
    before = side.rows("SELECT count(*) FROM planet")
    side.execute("CREATE TEMPORARY TABLE planet (id integer)")
    hidden = side.rows("SELECT count(*) FROM planet")
    side.execute("INSERT INTO planet VALUES (1)")
    return before, hidden, side.rows("SELECT count(*) FROM planet")


@agree
def test_view(side: Side) -> Any:
    """A view is read as the tables beneath it are."""
    side.begin()
    side.execute("CREATE VIEW small AS SELECT id FROM planet WHERE mass < 1")
    before = side.rows("SELECT count(*) FROM small")
    side.execute("DELETE FROM planet WHERE id = 1")
    return before, side.rows("SELECT count(*) FROM small")


@agree
def test_column_order_and_names(side: Side) -> Any:
    """`SELECT *` has the table's columns in their order."""
    cursor = side.execute("SELECT * FROM planet WHERE id = 3")
    return [column[0] for column in cursor.description], cursor.fetchall()


@agree
def test_cursor_is_freed_unfetched(side: Side) -> Any:
    """A hundred cursors that nobody reads to the end are no trouble."""
    cursors = [side.execute() for _ in range(100)]
    return [cursor.fetchone()[0] for cursor in cursors]


@agree
def test_threads(side: Side) -> Any:
    """A thread other than the one that connected gets what the driver gives it."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: _shown(outcome(side.rows))).result()


def _shown(result: Any) -> Any:
    """Thread numbers differ from run to run."""
    return re.sub(r"\d{6,}", "N", str(result))
