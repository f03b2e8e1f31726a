"""What a row is made into: factories, converters and text factories, changed at any moment."""

from __future__ import annotations

import sqlite3
from collections import namedtuple
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from tests.freshness.spelling import outcome, spelled
from tests.freshness.sqlite.twins import agree, agree_unserved

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.freshness.sqlite.twins import Side, Twins

NAMED = "SELECT id AS number, x AS Value FROM u ORDER BY id"


def _as_dict(cursor: Any, row: Any) -> dict[str, Any]:
    return {column[0]: cell for column, cell in zip(cursor.description, row, strict=True)}


def _as_named_tuple(cursor: Any, row: Any) -> Any:
    return tuple(namedtuple("Answer", [column[0] for column in cursor.description])(*row))


FACTORIES: dict[str, Any] = {
    "Row": sqlite3.Row,
    "dict": _as_dict,
    "named tuple": _as_named_tuple,
    "list": lambda _, row: list(row),
    "cell": lambda _, row: row[0],
}


@pytest.mark.parametrize("name", FACTORIES)
def test_row_factory(twins: Twins, name: str) -> None:
    """Rows from memory go through the factory of the connection that asks."""

    def story(side: Side) -> None:
        side.read(NAMED)
        side.db.row_factory = FACTORIES[name]
        side.read(NAMED)
        side.read(NAMED, on=side.other)
        side.db.row_factory = None
        side.read(NAMED)

    twins.tell(story)
    assert twins.hits > 0


@agree
def test_row_factory_changed_between_execute_and_fetch(side: Side) -> None:
    """The factory that counts is the cursor's at the time of the fetch."""
    side.read(NAMED)
    for fetch in ("fetchone", "fetchmany", "fetchall"):
        for before, after in ((None, _as_dict), (_as_dict, None), (sqlite3.Row, _as_dict)):
            cursor = side.db.cursor()
            cursor.row_factory = before
            cursor.execute(NAMED)
            cursor.row_factory = after
            side.say(spelled(getattr(cursor, fetch)()))


@agree
def test_factory_of_the_cursor(side: Side) -> None:
    """A cursor's own factory goes before its connection's, which new cursors take over."""
    side.db.row_factory = _as_dict
    cursor = side.db.cursor()
    cursor.row_factory = None
    for _ in range(3):
        side.say(spelled(cursor.execute(NAMED).fetchall()), spelled(side.db.cursor().execute(NAMED).fetchall()))


@agree
def test_rows_that_were_changed(side: Side) -> None:
    """A row that its reader changed is whole again for the next one."""
    side.db.row_factory = lambda _, row: list(row)
    for _ in range(3):
        rows = side.db.execute(NAMED).fetchall()
        side.say(spelled(rows))
        rows[0][1] = "changed"
        rows.clear()


@pytest.mark.parametrize(
    "factory",
    [bytes, bytearray, str.upper, lambda raw: raw.decode("latin-1")],
    ids=["bytes", "bytearray", "upper", "latin-1"],
)
def test_text_factory(twins: Twins, factory: Callable[..., Any]) -> None:
    """Texts are made by the factory of the connection that asks, whatever another one has read."""

    def story(side: Side) -> None:
        side.run("UPDATE u SET x = 'ä' || id")
        side.db.commit()
        for chosen in (str, factory, str):
            side.db.text_factory = chosen
            side.read("SELECT x FROM u")
            side.read("SELECT x FROM u", on=side.other)

    twins.tell(story)
    assert twins.hits > 0


@agree_unserved
def test_text_that_is_no_utf8(side: Side) -> None:
    """A text that cannot be decoded is an error each time it is read."""
    side.run("UPDATE u SET x = CAST(x'ff' AS TEXT) WHERE id = 2")
    side.db.commit()
    side.read("SELECT x FROM u ORDER BY id")
    side.db.text_factory = bytes
    side.read("SELECT x FROM u ORDER BY id")


@agree_unserved
def test_error_between_two_rows(side: Side) -> None:
    """A row that cannot be made is an error again and again, and never the end of the rows."""
    side.run("UPDATE u SET x = CAST(x'ff' AS TEXT) WHERE id = 2")
    side.db.commit()
    for fetch in ("fetchone", "fetchmany", "__next__", "fetchall"):
        cursor = side.db.execute("SELECT x FROM u ORDER BY id")
        for _ in range(4):
            side.say(fetch, outcome(lambda: spelled(getattr(cursor, fetch)())))  # noqa: B023
        cursor.close()


@pytest.fixture
def registry() -> Iterator[None]:
    """The driver's converters and adapters, put back after the test."""
    saved = dict(sqlite3.converters), dict(sqlite3.adapters)
    yield
    for registered, before in zip((sqlite3.converters, sqlite3.adapters), saved, strict=True):
        registered.clear()
        registered.update(before)


DETECTED = {
    "declared": (sqlite3.PARSE_DECLTYPES, "SELECT d FROM typed"),
    "named": (sqlite3.PARSE_COLNAMES, 'SELECT d AS "d [point]" FROM typed'),
    "both": (sqlite3.PARSE_DECLTYPES | sqlite3.PARSE_COLNAMES, 'SELECT d, d AS "e [point]" FROM typed'),
    "none": (0, 'SELECT d, d AS "e [point]" FROM typed'),
}


@pytest.mark.usefixtures("registry")
@pytest.mark.parametrize("kind", DETECTED)
def test_converters_registered_again(twins: Twins, kind: str) -> None:
    """Values go through the converter that is registered when they are read."""
    detect_types, question = DETECTED[kind]

    def story(side: Side) -> None:
        sqlite3.converters.pop("POINT", None)
        side.run("CREATE TABLE typed (d point)")
        side.run("INSERT INTO typed VALUES ('1;2')", on=side.other)
        converting = side.open(detect_types=detect_types)
        for converter in (bytes.decode, bytes.upper, lambda raw: [raw], lambda raw: {"raw": raw}):
            side.read(question, on=converting)
            side.module.register_converter("point", converter)
            side.read(question, on=converting)
            side.read(question)

    twins.tell(story)
    assert twins.hits > 0


@agree
def test_converter_named_in_a_comment(side: Side) -> None:
    """A comment inside an expression is a part of its column's name, and may name a converter."""
    side.run("UPDATE u SET x = '2020-01-02'", on=side.other)
    converting = side.open(detect_types=sqlite3.PARSE_COLNAMES)
    for _ in range(2):
        for text in ("SELECT x || '' FROM u", "SELECT x /*[date]*/ || '' FROM u"):
            side.read(text, on=converting)


@pytest.mark.usefixtures("registry")
def test_converted_values_that_were_changed(twins: Twins) -> None:
    """A list that a converter made is new for each reader."""

    def story(side: Side) -> None:
        side.module.register_converter("numbers", lambda raw: [int(number) for number in raw.split(b",")])
        side.run("CREATE TABLE typed (d numbers)")
        side.run("INSERT INTO typed VALUES ('1,2')", on=side.other)
        converting = side.open(detect_types=sqlite3.PARSE_DECLTYPES)
        for _ in range(3):
            ((numbers,),) = converting.execute("SELECT d FROM typed").fetchall()
            side.say(spelled(numbers))
            numbers.append("changed")

    twins.tell(story)
    assert twins.hits > 0


@pytest.mark.usefixtures("registry")
def test_adapters_registered_again(twins: Twins) -> None:
    """Parameters go through the adapter that is registered when they are given, also those of plain types."""

    def story(side: Side) -> None:
        for adapter in (lambda value: value + 1, lambda value: value * 100):
            side.read("SELECT x + ? FROM u", (1.5,))
            side.module.register_adapter(float, adapter)
            side.read("SELECT x + ? FROM u", (1.5,))
        sqlite3.adapters.clear()

    twins.tell(story)


SPELLED = {
    "decimals": (Decimal("1.50"), Decimal("1.5"), "1.5"),
    "dates": (date(2020, 1, 2), datetime(2020, 1, 2), "2020-01-02"),
    "identifiers": (UUID(int=1), UUID(int=2), str(UUID(int=1))),
}


@pytest.mark.usefixtures("registry")
@pytest.mark.parametrize("values", SPELLED.values(), ids=SPELLED)
def test_parameters_that_are_sent_as_texts(twins: Twins, values: Any) -> None:
    """Values whose adapter is `str` have answers kept, each its own, until they have another adapter."""

    def story(side: Side) -> None:
        for adapter in (str, repr):
            for value in values[:2]:
                side.module.register_adapter(type(value), adapter)
            for value in values * 2:
                side.read("SELECT ?, x FROM u", (value,))

    twins.tell(story)
    assert twins.hits == 9 + 4  # each value but the first time; later the plain text alone


@agree
def test_column_names_follow_the_text(side: Side) -> None:
    """Texts that differ only in case or space share rows, and each has its own column names."""
    for text in (
        "SELECT sum(x) FROM u",
        "select SUM(x) from u",
        "SELECT sum( x ) FROM u -- why",
        "SELECT SUM(X) FROM U",
    ):
        side.read(text)
