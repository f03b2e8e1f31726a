"""Names that change their meaning, functions that give another result each time, and the time of day in disguise."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.freshness.postgres.twins import agree, agree_unserved

if TYPE_CHECKING:
    from tests.freshness.postgres.twins import Side, Twins

SCHEMA_CHANGES: dict[str, tuple[str, ...]] = {
    "column added": ("ALTER TABLE u ADD COLUMN y text DEFAULT 'new'",),
    "column renamed": ("ALTER TABLE u RENAME COLUMN x TO renamed",),
    "column dropped": ("ALTER TABLE u DROP COLUMN x",),
    "column of another type": ("ALTER TABLE u ALTER COLUMN x TYPE numeric(20, 2)",),
    "table recreated": ("DROP TABLE u", "CREATE TABLE u (id integer, b text)", "INSERT INTO u VALUES (1, 2)"),
    "tables swapped": ("ALTER TABLE u RENAME TO w", "ALTER TABLE t RENAME TO u", "ALTER TABLE w RENAME TO t"),
    "table becomes a view": ("ALTER TABLE u RENAME TO w", "CREATE VIEW u AS SELECT id, -x AS y FROM w"),
    "shadowed": ("CREATE SCHEMA front", "CREATE TABLE front.u AS SELECT 'shadow' AS x, 7 AS id FROM t"),
    "shadowed by a rename": (
        "CREATE SCHEMA front",
        "CREATE VIEW front.w AS SELECT id, x + 1 FROM u",
        "ALTER VIEW front.w RENAME TO u",
    ),
    "schema renamed": (
        "CREATE SCHEMA back",
        "CREATE TABLE back.u AS SELECT 1 AS id",
        "ALTER SCHEMA back RENAME TO front",
    ),
}


@pytest.mark.parametrize("change", SCHEMA_CHANGES)
@pytest.mark.parametrize("who", ["beside", "other", "db"])
def test_schema_change(twins: Twins, change: str, who: str) -> None:
    """After each step the reader sees the new columns and rows."""

    def story(side: Side) -> None:
        side.db.prepare_threshold = None  # raw, a prepared statement would fail when its columns change
        side.run("SET search_path = front, public")
        for statement in ("SELECT 1", *SCHEMA_CHANGES[change]):
            side.run(statement, on=getattr(side, who))
            side.read("SELECT * FROM u ORDER BY id LIMIT 3")
            side.read("SELECT count(*) FROM u")

    twins.tell(story)
    assert twins.hits > 0


@agree
def test_temporary_table_shadows(side: Side) -> None:
    """A temporary table is read on its connection, however it was made, and the real one when it is gone."""
    for making in (
        "CREATE TEMP TABLE u AS SELECT 1 AS id, 2 AS x",
        "DO $$ BEGIN CREATE TEMP TABLE u AS SELECT 1 AS id, 3 AS x; END $$",
        "SELECT 1 AS id, 4 AS x INTO TEMP u",
        "CREATE TEMP VIEW u AS SELECT id, -x AS x FROM public.u",
    ):
        side.read_all()
        side.run(making)
        side.read_all()
        side.run("DISCARD TEMP")
        side.read_all()


@agree
def test_temporary_table_of_a_transaction(side: Side) -> None:
    """A temporary table that goes with its transaction shadows no longer."""
    side.read_all()
    side.run("BEGIN")
    side.run("CREATE TEMP TABLE u ON COMMIT DROP AS SELECT 1 AS id, 2 AS x")
    side.read()
    side.run("COMMIT")
    side.read()


VOLATILE = (
    "SELECT random(), count(*) FROM t",
    "SELECT clock_timestamp(), count(*) FROM t",
    "SELECT now(), count(*) FROM t",
    "SELECT current_timestamp, count(*) FROM t",
    "SELECT localtimestamp(6), count(*) FROM t",
    "SELECT statement_timestamp()::text, count(*) FROM t",
    "SELECT gen_random_uuid(), count(*) FROM t",
    "SELECT 'now'::timestamptz, count(*) FROM t",
    "SELECT timestamp 'now', count(*) FROM t",
    "SELECT ('n' || 'ow')::timestamptz, count(*) FROM t",
    "SELECT CAST('NOW' AS timestamp with time zone), count(*) FROM t",
    "SELECT E'n\\157w'::timestamptz, count(*) FROM t",
    "SELECT U&'n\\006fw'::timestamptz, count(*) FROM t",
    "SELECT 'n'\n'ow'::timestamptz, count(*) FROM t",
    "SELECT $$now$$::timestamptz, count(*) FROM t",
    "SELECT '[now,)'::tstzrange::text, count(*) FROM t",
    "SELECT '{now}'::timestamptz[], count(*) FROM t",
    "SELECT max(word::timestamptz) FROM words",
    "SELECT max(word::moment) FROM words",
    "SELECT max(('[' || word || ',)')::tstzrange::text) FROM words",
    "SELECT max(at) FROM words, jsonb_to_record(jsonb_build_object('at', word)) AS r(at timestamptz)",
    "SELECT max((jsonb_populate_record(NULL::event, jsonb_build_object('at', word))).at) FROM words",
    "SELECT max(told) FROM telling",
    "SELECT at, count(*) FROM clocks GROUP BY 1",
    "SELECT max(at) FROM clocks_on_the_wall",
    "SELECT showing, count(*) FROM shelves GROUP BY 1",
    "SELECT drawn(sum(x)::int), count(*) FROM t",
    "SELECT lottery(x::int) FROM t",
    "SELECT sum(x::int <+> 1) FROM t",
    "SELECT t.lucky, count(*) FROM t GROUP BY 1 LIMIT 1",
    "SELECT nextval('ids'), count(*) FROM t",
    "SELECT pg_backend_pid(), txid_current_if_assigned(), count(*) FROM t",
    "SELECT * FROM t TABLESAMPLE bernoulli (50)",
    "SELECT id FROM t ORDER BY random() LIMIT 5",
)
OBJECTS = """
CREATE TABLE words AS SELECT 'now' AS word FROM generate_series(1, 50);
CREATE DOMAIN moment AS timestamptz;
CREATE TYPE event AS (at timestamptz);
CREATE DOMAIN clock AS timetz;
CREATE TABLE clocks AS SELECT clock '12:00+00' AS at FROM generate_series(1, 50);
CREATE TABLE clocks_on_the_wall AS SELECT ARRAY[at] AS at FROM clocks;
CREATE TYPE shelf AS (clocks clock[]);
CREATE TABLE shelves AS SELECT ROW(at)::shelf AS showing FROM clocks_on_the_wall;
CREATE SEQUENCE ids;
CREATE VIEW telling AS SELECT clock_timestamp() AS told FROM t;
CREATE FUNCTION drawn(integer) RETURNS float8 LANGUAGE plpgsql VOLATILE AS 'BEGIN RETURN random(); END';
CREATE FUNCTION lucky(t) RETURNS float8 LANGUAGE plpgsql VOLATILE AS 'BEGIN RETURN random(); END';
CREATE FUNCTION draw(float8, integer) RETURNS float8 LANGUAGE plpgsql VOLATILE AS 'BEGIN RETURN random(); END';
CREATE AGGREGATE lottery(integer) (sfunc = draw, stype = float8, initcond = '0');
CREATE FUNCTION plus(integer, integer) RETURNS float8 LANGUAGE plpgsql VOLATILE AS 'BEGIN RETURN random(); END';
CREATE OPERATOR <+> (leftarg = integer, rightarg = integer, function = plus);
"""


def test_volatile_statements(twins: Twins) -> None:
    """None of these statements is ever answered from memory."""
    twins.proxied.beside.execute(OBJECTS)
    served = [sql for sql in VOLATILE if _is_served(twins, sql)]
    assert served == []


def _is_served(twins: Twins, sql: str, parameters: Any = None) -> bool:
    before = twins.hits
    for _ in range(5):
        twins.proxied.db.execute(sql, parameters).fetchall()
    return twins.hits > before


TIMELY_PARAMETERS = (
    ("SELECT %s::timestamptz, count(*) FROM t", ("now",)),
    ("SELECT count(*) FROM t WHERE now() > %s", ("now",)),
    ("SELECT %s::date, count(*) FROM t", (" Today ",)),
    ("SELECT (%s::timestamptz[])::text, count(*) FROM t", (["now"],)),
    ("SELECT CAST(%s AS timestamptz), count(*) FROM t", ("NoW",)),
    ("SELECT (%s::text)::timestamptz, count(*) FROM t", ("now",)),
    ("SELECT (%s || 'ow')::timestamptz, count(*) FROM t", ("n",)),
    ("SELECT %s::tstzrange::text, count(*) FROM t", ("[now,)",)),
)


@pytest.mark.parametrize(("sql", "parameters"), TIMELY_PARAMETERS, ids=str)
@pytest.mark.parametrize("kind", ["Cursor", "ClientCursor"])
def test_now_as_a_parameter(twins: Twins, sql: str, parameters: Any, kind: str) -> None:
    """A parameter that Postgres reads as the time of day has another answer each time."""
    cursor = getattr(twins.proxied.module, kind)(twins.proxied.db)
    for _ in range(5):
        before = cursor.execute(sql, parameters).fetchall()
        time.sleep(0.001)
    assert twins.hits == 0, before


BODY = "RETURNS float8 LANGUAGE plpgsql {} AS 'BEGIN RETURN {}; END'"
REPLACEMENTS = {
    "function": ("CREATE OR REPLACE FUNCTION f(bigint) " + BODY, "SELECT sum(f(x)) FROM t"),
    "view": ("CREATE OR REPLACE VIEW v AS SELECT x, ({1})::float8 AS y FROM t", "SELECT sum(y) FROM v"),
    "operator": ("CREATE OR REPLACE FUNCTION plus(bigint, integer) " + BODY, "SELECT sum(x <+> 1) FROM t"),
    "cast": ("CREATE OR REPLACE FUNCTION become(mood) " + BODY, "SELECT sum('sad'::mood::float8) FROM t"),
}
BESIDE = {
    "operator": "CREATE OPERATOR <+> (leftarg = bigint, rightarg = integer, function = plus)",
    "cast": "CREATE CAST (mood AS float8) WITH FUNCTION become(mood)",
}


@pytest.mark.parametrize("what", REPLACEMENTS)
def test_replaced_by_something_volatile(twins: Twins, what: str) -> None:
    """What was immutable when its statement was kept, and is replaced, is looked at again."""
    side, (definition, question) = twins.proxied, REPLACEMENTS[what]
    side.beside.execute("CREATE TYPE mood AS ENUM ('sad')")
    side.beside.execute(definition.format("IMMUTABLE", "1"))
    side.beside.execute(BESIDE.get(what, "SELECT 1"))
    assert _is_served(twins, question)
    side.beside.execute(definition.format("VOLATILE", "random()"))
    side.db.execute(question).fetchall()
    assert not _is_served(twins, question)


def test_own_function_over_a_built_in(twins: Twins) -> None:
    """Where a function may come to stand before a built-in of the same name, it is called each time."""
    side = twins.proxied
    assert _is_served(twins, "SELECT sum(abs(x::int)) FROM t")
    side.beside.execute("CREATE SCHEMA front; SET search_path = front, public, pg_catalog")
    side.beside.execute("CREATE FUNCTION front.abs(integer) RETURNS float8 LANGUAGE sql VOLATILE AS 'SELECT random()'")
    side.db.execute("SET search_path = front, public, pg_catalog")
    side.db.execute("SELECT sum(abs(x::int)) FROM t").fetchall()
    assert not _is_served(twins, "SELECT sum(abs(x::int)) FROM t")


@agree_unserved
def test_own_functions_over_those_that_the_label_is_made_of(side: Side) -> None:
    """A schema before the system's own cannot make the label stand still."""
    functions = {
        "pg_current_snapshot()": ("pg_snapshot", "'1:1:'"),
        "current_setting(text)": ("text", "'read committed'"),
        "concat_ws(text, VARIADIC text[])": ("text", "'same'"),
        "pg_postmaster_start_time()": ("timestamptz", "'2000-01-01'"),
    }
    side.run("CREATE SCHEMA front")
    for name, (kind, value) in functions.items():
        side.run(f"CREATE FUNCTION front.{name} RETURNS {kind} LANGUAGE sql AS $$SELECT {value}::{kind}$$")
    for path in (
        "front, pg_catalog, public",
        'public, front, "pg_catalog"',
        "front, public",
        "pg_catalog, front, public",
    ):
        connection = side.open()
        side.run(f"SET search_path = {path}", on=connection)
        for _ in range(3):
            side.read_all(connection)
            side.run("UPDATE u SET x = x + 1", on=side.beside)
