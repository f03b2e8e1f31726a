"""What an answer is made of: objects that can be changed, loaders, parameters, row factories, columns of every type."""

from __future__ import annotations

import json
from decimal import Decimal
from functools import partial
from itertools import count, permutations
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import rows
from psycopg.types.json import Jsonb, set_json_loads

from tests.freshness.postgres.twins import agree
from tests.freshness.spelling import spelled

if TYPE_CHECKING:
    from tests.freshness.postgres.twins import Side, Twins

NESTED = """
SELECT
    jsonb_build_object('list', jsonb_build_array(1, jsonb_build_object('k', 'v'))), ARRAY[ARRAY[1, 2], ARRAY[3, 4]],
    json_build_array(id), ROW(id, ARRAY[id]), decode('00ff', 'hex') FROM t WHERE id < 4 ORDER BY id"""


@agree
def test_changed_objects(side: Side) -> None:
    """Lists and dictionaries that a reader changed are whole again for the next one."""
    for _ in range(6):
        found = side.db.execute(NESTED).fetchall()
        side.say(spelled(found))
        found[0][0]["list"][1]["k"] = "changed"
        found[0][0]["more"] = 1
        found[0][1][0].append("changed")
        found[1][2].clear()
        found.clear()


@agree
def test_cleared_result(side: Side) -> None:
    """Whoever clears the result that a cursor shows clears it for nobody else's next read."""
    for execution in range(9):
        cursor = side.db.execute("SELECT id, x FROM t ORDER BY id")
        side.say(spelled(cursor.fetchall()))
        if execution in (1, 4):
            cursor.pgresult.clear()


FACTORIES: dict[str, Any] = {
    "tuple": rows.tuple_row,
    "dict": rows.dict_row,
    "named tuple": rows.namedtuple_row,
    "scalar": rows.scalar_row,
    "keywords": rows.kwargs_row(dict),
    "list": rows.args_row(lambda *cells: list(cells)),
}


@pytest.mark.parametrize("name", FACTORIES)
def test_row_factory(twins: Twins, name: str) -> None:
    """Rows from memory go through the factory of the cursor that asks."""

    def story(side: Side) -> None:
        side.read("SELECT id AS number, x FROM t ORDER BY id LIMIT 3")
        for _ in range(3):
            cursor = side.db.cursor(row_factory=FACTORIES[name])
            cursor.execute("SELECT id AS number, x FROM t ORDER BY id LIMIT 3")
            side.say(spelled([*cursor.fetchmany(1)]), spelled(cursor.fetchone()), spelled(list(cursor)))
            cursor.scroll(0, mode="absolute")
            cursor.row_factory = rows.dict_row
            side.say(spelled(cursor.fetchall()))

    twins.tell(story)
    assert twins.hits > 0


QUESTION = "SELECT 7 / %s, count(*) FROM t"
ALIKE = [(2, 2.0, Decimal("2"), Decimal("2.0"), "2"), (1, True, Decimal(1)), (-0.0, 0.5), (2**31, 2**63, 3)]


@pytest.mark.parametrize("values", ALIKE, ids=str)
def test_values_that_look_alike(twins: Twins, values: tuple[Any, ...]) -> None:
    """Each value gets its own answer, in whatever order they come, as text and in binary."""

    def story(side: Side) -> None:
        for order in list(permutations(values))[:12]:
            for value in order:
                side.read(QUESTION, (value,))
                side.read(QUESTION.replace("%s", "%b"), (value,))

    twins.tell(story)


@agree
def test_parameters_of_many_types(side: Side) -> None:
    """Null, texts, lists, JSON, names and sequences of parameters."""
    for value in (None, "1", [1, 2], [], Jsonb({"a": 1}), Jsonb([1.0]), b"1", True):
        side.read("SELECT %s::text, count(*) FROM t", (value,))
    for parameters in ({"a": 1, "b": 2}, {"b": 1, "a": 2}, {"a": 2, "b": 1, "c": 3}):
        side.read("SELECT %(a)s::int - %(b)s::int, count(*) FROM t", parameters)
    side.read("SELECT count(*) FROM t WHERE id %% 2 = %s", (1,))
    side.read("SELECT count(*) FROM t WHERE id % 2 = 1")


@agree
def test_cursor_classes(side: Side) -> None:
    """Cursors that bind on the client and cursors with the server's placeholders give the same as they do raw."""
    sql = "SELECT count(*), max(x) / {0} FROM t WHERE id > {0}"
    for number in (1, 2, 1):
        for name in ("Cursor", "ClientCursor", "RawCursor"):
            cursor = getattr(side.module, name)(side.db)
            raw = name == "RawCursor"
            for _ in range(4):
                cursor.execute(sql.format("$1::int" if raw else "%s"), (number,) if raw else (number, number))
                side.say(name, spelled(cursor.fetchall()), [tuple(column) for column in cursor.description])
        side.read()


@agree
def test_binary_results(side: Side) -> None:
    """A result in binary and one in text are told apart."""
    for _ in range(5):
        for binary in (True, False, None):
            cursor = side.db.cursor()
            cursor.execute("SELECT id, x, x / 7.0, ARRAY[id] FROM t ORDER BY id LIMIT 3", binary=binary)
            side.say(spelled(cursor.fetchall()), cursor.pgresult.fformat(0))


@agree
def test_loader_of_parts(side: Side) -> None:
    """What an array's elements become is the business of the loader that its own connection has for them."""
    question = "SELECT ARRAY[json_build_object('a', id + 0.5)] FROM t WHERE id < 4"
    for _ in range(4):
        side.say(spelled(side.db.execute(question).fetchall()))
    set_json_loads(partial(json.loads, parse_float=Decimal), side.db)
    for _ in range(4):
        side.say(spelled(side.db.execute(question).fetchall()), spelled(side.beside.execute(question).fetchall()))


@agree
def test_loads_that_count(side: Side) -> None:
    """A function of the application's that loads JSON is called for each value that is fetched."""
    calls = count()
    set_json_loads(lambda _: next(calls), side.db)
    for _ in range(5):
        side.say(spelled(side.db.execute("SELECT json_build_object('a', id) FROM t WHERE id < 4").fetchall()))


class _Shouting(psycopg.adapt.Loader):
    """Makes other values than psycopg would."""

    def load(self, data: Any) -> str:
        return bytes(data).decode().upper() + "!"


@agree
def test_loaders(side: Side) -> None:
    """A loader that the application registers, on a connection or a cursor, is used there, and nowhere else."""
    sql = "SELECT 'text' || id, id FROM t ORDER BY id LIMIT 2"
    side.read(sql)
    side.db.adapters.register_loader("text", _Shouting)
    side.read(sql)
    side.read(sql, on=side.other)
    for _ in range(4):
        cursor = side.other.cursor()
        cursor.execute(sql)
        cursor.adapters.register_loader("int4", _Shouting)
        side.say(spelled(cursor.fetchall()))


@agree
def test_texts_that_differ_in_form(side: Side) -> None:
    """Case, space and comments do not matter, but what is quoted does."""
    for sql in (
        "SELECT sum(x) FROM t",
        "select SUM( X ) from T -- why",
        'SELECT sum(x) AS "Sum" FROM t',
        "SELECT sum(x) AS sum FROM t /* a /* nested */ comment */",
        "SELECT 'A', sum(x) FROM t",
        "SELECT 'a', sum(x) FROM t",
        "SELECT E'\\x41', sum(x) FROM t",
        "SELECT $a$A$a$, sum(x) FROM t",
    ):
        side.read(sql)
