"""What a cursor shows of its statement: `description`, `rowcount`, `lastrowid` and the like, on both sides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.conformance.sides import IN_ORDER, agree, columns, outcome, trait

if TYPE_CHECKING:
    from tests.conformance.sides import Side


@agree
def test_class(side: Side) -> Any:
    """A cursor is one of the driver's own."""
    return isinstance(side.connection.cursor(), side.driver.Cursor)


@agree
def test_module_class(side: Side) -> Any:
    """A cursor is one of the class that its module shows."""
    return isinstance(side.connection.cursor(), side.module.Cursor)


@agree
def test_connection(side: Side) -> Any:
    """A cursor knows its connection."""
    return side.connection.cursor().connection is side.connection


@agree
def test_connection_after_read(side: Side) -> Any:
    """A cursor with rows knows its connection."""
    return side.execute().connection is side.connection


@agree
def test_execute_returns(side: Side) -> Any:
    """`execute` returns the cursor itself."""
    cursor = side.connection.cursor()
    return cursor.execute(IN_ORDER) is cursor


@agree
def test_executemany_returns(side: Side) -> Any:
    """`executemany` returns what the driver returns."""
    cursor = side.connection.cursor()
    result = cursor.executemany(side.sql("UPDATE planet SET moons = ? WHERE id = ?"), [(1, 1)])
    return "cursor" if result is cursor else result


@agree
def test_description_before(side: Side) -> Any:
    """Before the first statement there is no description."""
    return side.connection.cursor().description


@agree
def test_description(side: Side) -> Any:
    """A read's description has the names and what the driver says of the types."""
    return columns(side.execute())


@agree
def test_description_column_types(side: Side) -> Any:
    """Each column's description is of the driver's own type."""
    return [(type(column), len(column), column[0]) for column in side.execute().description]


@agree
def test_description_holds(side: Side) -> Any:
    """Fetching does not change the description."""
    cursor = side.execute()
    cursor.fetchall()
    return columns(cursor)


@agree
def test_description_of_no_rows(side: Side) -> Any:
    """A read that finds nothing has a description."""
    return columns(side.execute("SELECT id, name FROM planet WHERE id < 0"))


@agree
def test_description_of_expressions(side: Side) -> Any:
    """Expressions and aliases have the names that the database gives them."""
    return columns(side.execute("SELECT count(*), max(moons) AS most, 1 + 1, 'x' AS \"A b\" FROM planet"))


@agree
def test_description_of_same_names(side: Side) -> Any:
    """Two columns may have the same name."""
    return columns(side.execute("SELECT id AS x, name AS x FROM planet"))


@agree
def test_description_of_write(side: Side) -> Any:
    """A write has no description."""
    return columns(side.execute("UPDATE planet SET moons = 1"))


@agree
def test_description_of_ddl(side: Side) -> Any:
    """A change of the schema has no description."""
    side.begin()
    return columns(side.execute("CREATE TABLE moon (id integer)"))


@agree
def test_description_of_returning(side: Side) -> Any:
    """A write that returns rows has a description."""
    cursor = side.execute("UPDATE planet SET moons = 3 WHERE id < 3 RETURNING id, moons")
    return columns(cursor), cursor.fetchall()


@agree
def test_description_after_another_statement(side: Side) -> Any:
    """The description is the last statement's."""
    cursor = side.execute()
    cursor.execute("SELECT name FROM planet")
    read = columns(cursor)
    cursor.execute("DELETE FROM planet")
    return read, columns(cursor)


@agree
def test_rowcount_before(side: Side) -> Any:
    """Before the first statement `rowcount` is -1."""
    return side.connection.cursor().rowcount


@agree
def test_rowcount_of_read(side: Side) -> Any:
    """A read has the `rowcount` that the driver gives it, before and after fetching."""
    cursor = side.execute()
    before = cursor.rowcount
    cursor.fetchall()
    return before, cursor.rowcount


@agree
def test_rowcount_of_no_rows(side: Side) -> Any:
    """A read that finds nothing has the `rowcount` that the driver gives it."""
    return side.execute("SELECT id FROM planet WHERE id < 0").rowcount


@agree
def test_rowcount_of_writes(side: Side) -> Any:
    """A write counts the rows that it changed."""
    statements = ("INSERT INTO planet VALUES (8, 'Neptune', 17.1, 14)", "UPDATE planet SET moons = 0 WHERE id < 4")
    more = ("UPDATE planet SET moons = 0 WHERE id < 0", "DELETE FROM planet")
    return [side.execute(text).rowcount for text in statements + more]


@agree
def test_rowcount_of_ddl(side: Side) -> Any:
    """A change of the schema counts nothing."""
    side.begin()
    return side.execute("CREATE TABLE moon (id integer)").rowcount


@agree
def test_rowcount_of_executemany(side: Side) -> Any:
    """`executemany` counts the rows of all its runs."""
    cursor = side.connection.cursor()
    cursor.executemany(side.sql("UPDATE planet SET moons = ? WHERE id >= ?"), [(1, 6), (2, 7), (3, 99)])
    return cursor.rowcount


@agree
def test_rowcount_read_then_write(side: Side) -> Any:
    """A write after a read on the same cursor counts its own rows."""
    cursor = side.execute()
    cursor.fetchall()
    cursor.execute("DELETE FROM planet WHERE id > 5")
    return cursor.rowcount


@agree
def test_lastrowid(side: Side) -> Any:
    """`lastrowid`, where there is one, is that of the last insert, and reads leave it alone."""
    cursor = side.connection.cursor()
    before = trait(cursor, "lastrowid")
    cursor.execute("INSERT INTO planet VALUES (42, 'Vulcan', 1.0, 0)")
    inserted = trait(cursor, "lastrowid")
    cursor.execute("SELECT id FROM planet WHERE id < 3")
    return before, inserted, cursor.fetchall(), trait(cursor, "lastrowid")


@agree
def test_statusmessage(side: Side) -> Any:
    """`statusmessage`, where there is one, is the server's word on the statement."""
    cursor = side.connection.cursor()
    messages = [trait(cursor, "statusmessage")]
    for text in (IN_ORDER, "SELECT id FROM planet WHERE id < 0", "DELETE FROM planet WHERE id = 1"):
        cursor.execute(text)
        messages.append(trait(cursor, "statusmessage"))
    return messages


@agree
def test_setinputsizes(side: Side) -> Any:
    """`setinputsizes` may be called and does what the driver does, mostly nothing."""
    cursor = side.connection.cursor()
    call = trait(cursor, "setinputsizes")
    return call if call == "absent" else outcome(call, [25])


@agree
def test_setoutputsize(side: Side) -> Any:
    """`setoutputsize` may be called and does what the driver does, mostly nothing."""
    cursor = side.connection.cursor()
    call = trait(cursor, "setoutputsize")
    return call if call == "absent" else (outcome(call, 1000), outcome(call, 1000, 0))


@agree
def test_optional_methods(side: Side) -> Any:
    """`callproc` and `nextset` are there where the driver has them."""
    cursor = side.connection.cursor()
    return hasattr(cursor, "callproc"), hasattr(cursor, "nextset")


@agree
def test_nextset(side: Side) -> Any:
    """`nextset`, where there is one, goes through the results of several statements."""
    cursor = side.connection.cursor()
    if not hasattr(cursor, "nextset"):
        return "absent"
    cursor.execute("SELECT 1; SELECT id FROM planet WHERE id < 3 ORDER BY id")
    first = cursor.fetchall()
    return first, cursor.nextset(), cursor.fetchall(), cursor.nextset()


@agree
def test_nextset_of_one(side: Side) -> Any:
    """After the result of a single statement there is no other."""
    cursor = side.execute()
    return cursor.nextset() if hasattr(cursor, "nextset") else "absent"


@agree
def test_two_statements(side: Side) -> Any:
    """Two statements in one text are what the driver makes of them."""
    return outcome(lambda: side.execute("SELECT 1; SELECT 2").fetchall())


@agree
def test_empty_statement(side: Side) -> Any:
    """A text without a statement is what the driver makes of it."""
    cursor = side.connection.cursor()
    result = outcome(lambda: cursor.execute("") is cursor)
    return result, columns(cursor), cursor.rowcount


@agree
def test_comment_only(side: Side) -> Any:
    """A text of comments only is what the driver makes of it."""
    return outcome(lambda: columns(side.execute("-- nothing\n /* at all */")))


@agree
def test_attributes(side: Side) -> Any:
    """The cursor has every attribute that the driver's has."""
    return set(dir(side.driver.Cursor)) - set(dir(side.connection.cursor()))


@agree
def test_attributes_after_read(side: Side) -> Any:
    """A cursor with rows has every attribute that the driver's has."""
    return set(dir(side.driver.Cursor)) - set(dir(side.execute()))


@agree
def test_equality_and_hash(side: Side) -> Any:
    """A cursor equals itself only, before and after reading, and its hash stays."""
    cursor = side.connection.cursor()
    before = hash(cursor)
    cursor.execute(IN_ORDER)
    return cursor == cursor, cursor == side.execute(), hash(cursor) == before  # noqa: PLR0124


@agree
def test_type_stays(side: Side) -> Any:
    """A cursor is an instance of the driver's class at every moment of its life."""
    cursor = side.execute()
    moments = [isinstance(cursor, side.driver.Cursor)]
    cursor.fetchall()
    moments.append(isinstance(cursor, side.module.Cursor))
    cursor.close()
    return [*moments, isinstance(cursor, side.driver.Cursor)]
