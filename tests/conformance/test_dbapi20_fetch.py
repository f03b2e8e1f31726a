"""What `fetchone`, `fetchmany` and `fetchall` give, on both sides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.conformance.sides import IN_ORDER, agree, outcome, refusal, trait

if TYPE_CHECKING:
    from tests.conformance.sides import Side


@agree
def test_fetchone(side: Side) -> Any:
    """`fetchone` gives the rows one after another, then None for ever."""
    cursor = side.execute()
    return [cursor.fetchone() for _ in range(10)]


@agree
def test_fetchall(side: Side) -> Any:
    """`fetchall` gives every row."""
    return side.execute().fetchall()


@agree
def test_fetchall_type(side: Side) -> Any:
    """What holds the rows, and a row itself, are of the driver's own types."""
    rows = side.execute().fetchall()
    return type(rows), {type(row) for row in rows}


@agree
def test_value_types(side: Side) -> Any:
    """Each value has the type that the driver gives it."""
    return [[type(value) for value in row] for row in side.rows()]


@agree
def test_fetchall_twice(side: Side) -> Any:
    """A second `fetchall` finds nothing left."""
    cursor = side.execute()
    return cursor.fetchall(), cursor.fetchall()


@agree
def test_fetchmany_default(side: Side) -> Any:
    """`fetchmany` without a size takes `arraysize` rows, which is one at first."""
    cursor = side.execute()
    return cursor.arraysize, cursor.fetchmany()


@agree
def test_fetchmany_size(side: Side) -> Any:
    """`fetchmany` takes as many rows as asked for, fewer at the end, then none."""
    cursor = side.execute()
    return [cursor.fetchmany(3) for _ in range(4)]


@agree
def test_fetchmany_keyword(side: Side) -> Any:
    """The size can be given by name."""
    return side.execute().fetchmany(size=2)


@agree
def test_fetchmany_more_than_there_are(side: Side) -> Any:
    """Asking for more rows than there are gives all of them."""
    return side.execute().fetchmany(1000)


@agree
def test_fetchmany_zero(side: Side) -> Any:
    """A size of zero means what it means to the driver."""
    return side.execute().fetchmany(0)


@agree
def test_arraysize_is_obeyed(side: Side) -> Any:
    """`fetchmany` follows `arraysize` as it is at that moment."""
    cursor = side.execute()
    cursor.arraysize = 2
    first = cursor.fetchmany()
    cursor.arraysize = 4
    return first, cursor.fetchmany(), cursor.arraysize


@agree
def test_arraysize_survives_execute(side: Side) -> Any:
    """`arraysize` belongs to the cursor, not to the statement."""
    cursor = side.connection.cursor()
    cursor.arraysize = 3
    cursor.execute(IN_ORDER)
    return cursor.arraysize, cursor.fetchmany()


@agree
def test_mixed_fetches(side: Side) -> Any:
    """The three ways to fetch walk along the same rows."""
    cursor = side.execute()
    return cursor.fetchone(), cursor.fetchmany(2), cursor.fetchone(), cursor.fetchall(), cursor.fetchone()


@agree
def test_iteration(side: Side) -> Any:
    """A cursor is an iterable of its rows."""
    return list(side.execute())


@agree
def test_next(side: Side) -> Any:
    """`next` and `fetchone` walk along the same rows."""
    cursor = side.execute()
    rows = iter(cursor)
    return next(rows), cursor.fetchone(), next(rows)


@agree
def test_exhausted_iterator(side: Side) -> Any:
    """Past the last row `next` raises StopIteration."""
    rows = iter(side.execute("SELECT id FROM planet WHERE id = 1"))
    return next(rows), refusal(next, rows)


@agree
def test_iteration_after_fetch(side: Side) -> Any:
    """Iterating goes on where fetching stopped."""
    cursor = side.execute()
    cursor.fetchmany(4)
    return list(cursor), cursor.fetchall()


@agree
def test_iterating_twice(side: Side) -> Any:
    """A second loop finds nothing left."""
    cursor = side.execute()
    return [row[0] for row in cursor], [row[0] for row in cursor]


@agree
def test_no_rows(side: Side) -> Any:
    """A read that finds nothing gives None and empty lists."""
    cursor = side.execute("SELECT id FROM planet WHERE id < 0")
    return cursor.fetchone(), cursor.fetchmany(5), cursor.fetchall()


@agree
def test_fetch_before_execute(side: Side) -> Any:
    """Fetching from a cursor that has executed nothing is what the driver says it is."""
    cursor = side.connection.cursor()
    return outcome(cursor.fetchone), outcome(cursor.fetchmany), outcome(cursor.fetchall)


@agree
def test_fetch_after_write(side: Side) -> Any:
    """Fetching after a statement without rows is what the driver says it is."""
    cursor = side.execute("UPDATE planet SET moons = 1 WHERE id = 1")
    return outcome(cursor.fetchone), outcome(cursor.fetchmany), outcome(cursor.fetchall)


@agree
def test_execute_discards_rows(side: Side) -> Any:
    """A new statement takes the place of the rows that were left."""
    cursor = side.execute()
    cursor.fetchone()
    cursor.execute("SELECT id FROM planet WHERE id > 5 ORDER BY id")
    return cursor.fetchall()


@agree
def test_same_statement_starts_anew(side: Side) -> Any:
    """Executing the same statement again starts at the first row."""
    cursor = side.execute()
    cursor.fetchmany(5)
    cursor.execute(IN_ORDER)
    return cursor.fetchone()


@agree
def test_cursors_are_independent(side: Side) -> Any:
    """Two cursors of one connection each have their own place in the same rows."""
    first, second = side.execute(), side.execute()
    return first.fetchone(), second.fetchmany(3), first.fetchone(), second.fetchone()


@agree
def test_dropped_half_way(side: Side) -> Any:
    """Rows that nobody fetched are no trouble to the next statement."""
    side.execute().fetchone()
    return side.rows("SELECT count(*) FROM planet")


@agree
def test_rownumber(side: Side) -> Any:
    """`rownumber`, where there is one, counts what was fetched."""
    cursor = side.execute()
    numbers = [trait(cursor, "rownumber")]
    cursor.fetchone()
    numbers.append(trait(cursor, "rownumber"))
    cursor.fetchmany(2)
    numbers.append(trait(cursor, "rownumber"))
    cursor.fetchall()
    return [*numbers, trait(cursor, "rownumber")]


@agree
def test_scroll(side: Side) -> Any:
    """`scroll`, where there is one, moves the place in the rows."""
    cursor = side.execute()
    if not hasattr(cursor, "scroll"):
        return "absent"
    cursor.scroll(3)
    row = cursor.fetchone()
    cursor.scroll(0, mode="absolute")
    return row, cursor.fetchone(), refusal(cursor.scroll, 100), refusal(cursor.scroll, -100)


@agree
def test_a_fetched_list_is_the_callers(side: Side) -> Any:
    """What a caller does to a list of rows is not seen by the next reader."""
    side.rows().clear()
    return len(side.rows())
