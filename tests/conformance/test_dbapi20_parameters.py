"""Parameters and values of every type, on both sides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.conformance.sides import IN_ORDER, agree, outcome, refusal

if TYPE_CHECKING:
    from tests.conformance.sides import Side


ONE = "SELECT name FROM planet WHERE id = ?"


def _sent_back(side: Side, value: Any) -> Any:
    """What comes back of `value` when it is written and read, with its type."""
    side.begin()
    cursor = side.connection.cursor()
    cursor.execute("CREATE TABLE kept (value " + _column_for(side, value) + ")")
    cursor.execute(side.sql("INSERT INTO kept VALUES (?)"), (value,))
    cursor.execute("SELECT value FROM kept")
    rows = [(type(row[0]), row[0]) for row in cursor.fetchall()]
    side.connection.rollback()
    return rows


def _column_for(side: Side, value: Any) -> Any:
    if side.is_sqlite:
        return ""
    kinds = {bool: "boolean", bytes: "bytea", side.module.Binary: "bytea"}
    return kinds.get(type(value), "text")


@agree
def test_positional(side: Side) -> Any:
    """Parameters are bound in their order."""
    return side.rows("SELECT id FROM planet WHERE id > ? AND id < ? ORDER BY id", (2, 6))


@agree
def test_list_of_parameters(side: Side) -> Any:
    """Parameters may be a list."""
    return side.rows(ONE, [3])


@agree
def test_named(side: Side) -> Any:
    """Parameters may be bound by name."""
    text = "SELECT name FROM planet WHERE id = " + ("%(id)s" if not side.is_sqlite else ":id")
    return side.connection.cursor().execute(text, {"id": 4}).fetchall()


@agree
def test_other_parameters(side: Side) -> Any:
    """The same text with other parameters is another read."""
    return [side.rows(ONE, (number,)) for number in (1, 2, 1, 3, 99, 2)]


@agree
def test_parameter_types_differ(side: Side) -> Any:
    """Parameters that are equal in Python and not of one type are told apart."""
    return [outcome(_typed, side, value) for value in (1, 1.0, True, "1", 1)]


def _typed(side: Side, value: Any) -> Any:
    """What the database makes of the parameter's type."""
    kind = "pg_typeof" if not side.is_sqlite else "typeof"
    row = side.rows(f"SELECT {kind}(?), ?", (value, value))[0]
    return row, [type(item) for item in row]


@agree
def test_zero_and_minus_zero(side: Side) -> Any:
    """Zero and minus zero are equal in Python and come back as they were sent."""
    text = "SELECT CAST(? AS double precision) FROM planet WHERE id = 1"
    return [str(side.rows(text, (value,))) for value in (0.0, -0.0, 0.0)]


@agree
def test_null(side: Side) -> Any:
    """None is NULL, there and back."""
    return _sent_back(side, None), side.rows("SELECT id FROM planet WHERE mass IS NULL")


@agree
def test_null_equals_nothing(side: Side) -> Any:
    """A comparison with None finds nothing."""
    return side.rows("SELECT id FROM planet WHERE moons = ?", (None,))


@agree
def test_integers(side: Side) -> Any:
    """Integers come back whole up to 64 bits."""
    return [side.rows("SELECT CAST(? AS bigint)", (value,)) for value in (0, -1, 2**31, 2**63 - 1, -(2**63))]


@agree
def test_integer_too_large(side: Side) -> Any:
    """An integer of more than 64 bits is refused as the driver refuses it."""
    return outcome(side.rows, "SELECT CAST(? AS bigint)", (2**63,))


@agree
def test_floats(side: Side) -> Any:
    """Floats come back to the last bit."""
    return [side.rows("SELECT CAST(? AS double precision)", (value,)) for value in (0.1, 1e308, 5e-324, 1 / 3)]


@agree
def test_infinity(side: Side) -> Any:
    """Infinity comes back."""
    return side.rows("SELECT CAST(? AS double precision)", (float("inf"),))


@agree
def test_not_a_number(side: Side) -> Any:
    """What is not a number comes back as the driver gives it."""
    return str(side.rows("SELECT CAST(? AS double precision)", (float("nan"),)))


@agree
def test_text(side: Side) -> Any:
    """Text comes back as it was sent, whatever is in it."""
    texts = ("", " ", "'", '"', "%", "%s", "?", "\\", "a\nb", "žluťoučký", "木星", "🪐", "e\u0301", ";--")
    return [side.rows("SELECT CAST(? AS text)", (text,)) for text in texts]


@agree
def test_text_with_nul(side: Side) -> Any:
    """A NUL character in a text is what the driver makes of it."""
    return outcome(side.rows, "SELECT CAST(? AS text)", ("a\0b",))


@agree
def test_lone_surrogate(side: Side) -> Any:
    """Text that has no UTF-8 form is refused as the driver refuses it."""
    return outcome(side.rows, "SELECT CAST(? AS text)", ("\ud800",))


@agree
def test_bytes(side: Side) -> Any:
    """Bytes come back as bytes, NULs and all."""
    return _sent_back(side, b"\x00\x01\xff'\"\\")


@agree
def test_bytearray_and_memoryview(side: Side) -> Any:
    """Other buffers are bound as bytes."""
    kind = "bytea" if not side.is_sqlite else "blob"
    return [side.rows(f"SELECT CAST(? AS {kind})", (value,)) for value in (bytearray(b"ab"), memoryview(b"cd"))]


@agree
def test_booleans(side: Side) -> Any:
    """Booleans come back as the driver gives them."""
    return _sent_back(side, True), side.rows("SELECT id = 1 FROM planet WHERE id < 3 ORDER BY id")


@agree
def test_module_binary(side: Side) -> Any:
    """What `Binary` makes can be bound."""
    return _sent_back(side, side.module.Binary(b"raw"))


@agree
def test_large_text(side: Side) -> Any:
    """A megabyte of text comes back whole."""
    return side.rows("SELECT CAST(? AS text)", ("é" * 500_000,))


@agree
def test_many_rows(side: Side) -> Any:
    """Five thousand rows come back in their order."""
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) SELECT i, i * i FROM n"
    return side.rows(numbers)


@agree
def test_many_columns(side: Side) -> Any:
    """Three hundred columns come back in their order."""
    return side.rows("SELECT " + ", ".join(f"id + {number}" for number in range(300)) + " FROM planet WHERE id = 1")


@agree
def test_many_parameters(side: Side) -> Any:
    """Five hundred parameters are bound in their order."""
    return side.rows("SELECT id FROM planet WHERE id IN (" + ", ".join("?" * 500) + ") ORDER BY id", list(range(500)))


@agree
def test_too_few_parameters(side: Side) -> Any:
    """A parameter too few is refused as the driver refuses it."""
    return refusal(side.rows, "SELECT id FROM planet WHERE id = ? AND moons = ?", (1,))


@agree
def test_too_many_parameters(side: Side) -> Any:
    """A parameter too many is refused as the driver refuses it."""
    return refusal(side.rows, ONE, (1, 2))


@agree
def test_wrong_parameters_after_a_good_read(side: Side) -> Any:
    """Wrong parameters are refused although the text is known by now."""
    return side.rows(ONE, (1,)), refusal(side.rows, ONE, (1, 2)), refusal(side.rows, ONE, ())


@agree
def test_parameters_of_no_type(side: Side) -> Any:
    """A value that the driver cannot bind is refused as the driver refuses it."""
    return refusal(side.rows, ONE, (object,))[0]


@agree
def test_unhashable_parameter(side: Side) -> Any:
    """A value that cannot be hashed is what the driver makes of it."""
    return outcome(lambda: side.rows("SELECT id FROM planet WHERE id = ?", ([1],)))


@agree
def test_executemany_list(side: Side) -> Any:
    """`executemany` runs once for each element of a list."""
    side.connection.cursor().executemany(side.sql("DELETE FROM planet WHERE id = ?"), [(1,), (2,), (3,)])
    return side.rows()


@agree
def test_executemany_generator(side: Side) -> Any:
    """`executemany` takes any iterable."""
    side.connection.cursor().executemany(side.sql("DELETE FROM planet WHERE id = ?"), ((i,) for i in range(5)))
    return side.rows()


@agree
def test_executemany_nothing(side: Side) -> Any:
    """`executemany` over nothing changes nothing."""
    cursor = side.connection.cursor()
    cursor.executemany(side.sql("DELETE FROM planet WHERE id = ?"), [])
    return cursor.rowcount, len(side.rows())


@agree
def test_executemany_read(side: Side) -> Any:
    """`executemany` of a read is what the driver makes of it."""
    return outcome(lambda: side.connection.cursor().executemany(side.sql(ONE), [(1,)]) and None)


@agree
def test_keyword_case_and_space(side: Side) -> Any:
    """Texts that differ in case and white space only read the same rows."""
    texts = (IN_ORDER, IN_ORDER.replace("SELECT", "select"), IN_ORDER.replace(" ", "\n  "), IN_ORDER + " ")
    return [side.rows(text) for text in texts]


@agree
def test_literals_are_not_folded(side: Side) -> Any:
    """White space and case inside literals and quoted names make another read."""
    return [side.rows(f"SELECT {text}") for text in ("'a b'", "'a  b'", "'A b'", '1 AS "x y"', '1 AS "x  y"')]
