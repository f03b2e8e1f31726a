"""A random walk through session settings: at each step both sides show the same values, types and columns."""

from __future__ import annotations

import os
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.freshness.postgres.twins import Twins

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.freshness.postgres.twins import Side
    from tests.postgres_server import PostgresServer

ANNA, BERT = "proxydb_anna", "proxydb_bert"
TABLES = f"""
CREATE SCHEMA first; CREATE SCHEMA second;
CREATE TYPE mood AS ENUM ('sad', 'glad');
CREATE TABLE shown (
    id integer PRIMARY KEY, at timestamptz, day date, span interval, real4 real, real8 float8, raw bytea, price money,
    words text, doc jsonb, many integer[], feeling mood, number numeric, empty text
);
INSERT INTO shown SELECT n, timestamptz '2024-02-29 12:34:56.789+00' + n * interval '37 days', date '2024-01-01' + n,
    n * interval '1 month 2 days 03:04:05', n / 7.0, n / 7.0, decode(lpad(to_hex(n), 8, '0'), 'hex'), n * 1.5,
    'word ' || n, jsonb_build_object('n', n, 'list', jsonb_build_array(n, 'x')), ARRAY[n, NULL, -n],
    (ARRAY['sad', 'glad'])[1 + n % 2]::mood, n / 3.0, NULL
FROM generate_series(1, 40) n;
CREATE TABLE first.named AS SELECT 'first' AS who, n FROM generate_series(1, 50) n;
CREATE TABLE second.named AS SELECT 'second' AS who, n::text FROM generate_series(1, 60) n;
CREATE TABLE public.named AS SELECT 'public' AS who, n::numeric FROM generate_series(1, 70) n;
CREATE FUNCTION first.half(integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT $1 / 2';
CREATE FUNCTION public.half(integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT -$1';
CREATE VIEW dated AS SELECT id, at::date AS local_day, to_char(at, 'TMDay HH24:MI TZ') AS told FROM shown;
CREATE TABLE guarded AS
    SELECT n, CASE WHEN n % 2 = 0 THEN '{ANNA}' ELSE '{BERT}' END AS owner FROM generate_series(1, 50) n;
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON guarded USING (owner = current_user OR n = current_setting('proxydb.n', true)::int);
GRANT USAGE ON SCHEMA first, second TO {ANNA}, {BERT};
GRANT SELECT ON ALL TABLES IN SCHEMA public, first TO {ANNA}, {BERT};
GRANT SELECT ON second.named TO {ANNA};
"""
READS = (
    "SELECT id, at, day, span FROM shown ORDER BY id LIMIT 5",
    "SELECT at::text, span::text, day::text, real8::text, raw::text, price::text FROM shown ORDER BY id LIMIT 5",
    "SELECT sum(real4), sum(real8), max(raw), max(price) FROM shown",
    "SELECT real4, real8, raw, price, number, many, feeling, doc, empty FROM shown ORDER BY id LIMIT 4",
    "SELECT date_trunc('day', at), count(*) FROM shown GROUP BY 1 ORDER BY 1 LIMIT 4",
    "SELECT extract(hour FROM at), to_char(at, 'HH24 DD TZ'), at AT TIME ZONE 'UTC' FROM shown ORDER BY id LIMIT 3",
    "SELECT count(*) FROM shown WHERE at < '2024-06-01 00:00'",
    "SELECT count(*) FROM shown WHERE day < '01/02/2024'",
    "SELECT '01/02/2024'::date, '1 2:03:04'::interval, count(*) FROM shown",
    "SELECT who, count(*), max(n) FROM named GROUP BY who",
    "SELECT * FROM named ORDER BY 2 LIMIT 3",
    "SELECT sum(half(id)) FROM shown",
    "SELECT * FROM dated ORDER BY id LIMIT 3",
    "SELECT local_day, count(*) FROM dated GROUP BY 1 ORDER BY 1 LIMIT 3",
    "SELECT count(*), min(owner) FROM guarded",
    "SELECT count(*) FROM shown WHERE empty = NULL",
    "SELECT 'a\\b', length('a\\b'), count(*) FROM shown",
    "SELECT to_tsvector(words) @@ to_tsquery('words'), count(*) FROM shown GROUP BY 1",
    "SELECT '<a/>'::xml::text, count(*) FROM shown",
    "SELECT to_number('1,5', '9G9'), to_char(1234.5, 'L9G999D99'), count(*) FROM shown",
    "SELECT quote_ident('Plain'), quote_ident('plain'), count(*) FROM shown",
    "SELECT current_user, session_user, count(*) FROM shown",
    "SELECT 'shown'::regclass::text, 'named'::regclass::text, count(*) FROM shown",
)
VALUES = {
    "timezone": ("'UTC'", "'Asia/Tokyo'", "'America/New_York'", "INTERVAL '-03:30' HOUR TO MINUTE"),
    "datestyle": ("'ISO, DMY'", "'ISO, MDY'", "'SQL, DMY'", "'German'", "'Postgres, MDY'"),
    "intervalstyle": ("'postgres'", "'iso_8601'", "'sql_standard'", "'postgres_verbose'"),
    "extra_float_digits": ("-15", "0", "1", "3"),
    "bytea_output": ("'hex'", "'escape'"),
    "search_path": ("public", "first, public", "second, public", "first, second", "'$user', public"),
    "transform_null_equals": ("on", "off"),
    "standard_conforming_strings": ("on", "off"),
    "backslash_quote": ("on", "safe_encoding"),
    "escape_string_warning": ("off",),
    "default_text_search_config": ("'simple'", "'english'"),
    "quote_all_identifiers": ("on", "off"),
    "xmloption": ("document", "content"),
    "row_security": ("on", "off"),
    "client_encoding": ("'UTF8'", "'LATIN1'", "'SQL_ASCII'"),
    "array_nulls": ("on", "off"),
    "proxydb.n": ("7", "8"),
    "work_mem": ("'64kB'", "'4MB'"),
}
ASSIGNMENTS = [
    form.format(name, value)
    for name, values in VALUES.items()
    for value in values
    for form in ("SET {} TO {}", "SET LOCAL {} TO {}")
    if not (name == "timezone" and "INTERVAL" in value)
] + ["SET TIME ZONE INTERVAL '-03:30' HOUR TO MINUTE", "SET TIME ZONE LOCAL"]
BY_FUNCTION = [
    f"SELECT set_config('{name}', {value}, {local})"
    for name, values in VALUES.items()
    for value in values
    if value.startswith("'")
    for local in ("true", "false")
]
RESETS = (
    "RESET ALL",
    "RESET timezone",
    "RESET search_path",
    "RESET ROLE",
    "DISCARD ALL",
    "DISCARD TEMP",
    "DEALLOCATE ALL",
)
ROLES = tuple(f"{how} {role}" for how in ("SET ROLE", "SET LOCAL ROLE") for role in (ANNA, BERT, "NONE"))
CONTROLS = (
    "BEGIN",
    "COMMIT",
    "ROLLBACK",
    "SAVEPOINT a",
    "ROLLBACK TO a",
    "RELEASE a",
    "BEGIN ISOLATION LEVEL REPEATABLE READ",
)
HIDDEN = (
    "DO $$ BEGIN PERFORM set_config('timezone', 'Asia/Tokyo', false); END $$",
    "DO $$ BEGIN EXECUTE 'SET search_path = second, first'; END $$",
    "CREATE TEMP TABLE named AS SELECT 'temporary' AS who, 1 AS n",
    "DROP TABLE pg_temp.named",
    "UPDATE shown SET price = price + 1 WHERE id = 3",
)

step = st.one_of(
    st.tuples(st.just("read"), st.sampled_from(READS)),
    st.tuples(st.just("read"), st.sampled_from(READS)),
    st.tuples(st.just("run"), st.sampled_from(ASSIGNMENTS)),
    st.tuples(st.just("run"), st.sampled_from(BY_FUNCTION)),
    st.tuples(st.just("run"), st.sampled_from(RESETS + ROLES + CONTROLS)),
    st.tuples(st.just("run"), st.sampled_from(HIDDEN)),
)


@pytest.fixture(scope="module")
def places(postgres_server: PostgresServer, roles: tuple[str, str]) -> Iterator[tuple[str, str]]:
    """A database for each side, with the same tables."""
    assert roles == (ANNA, BERT)
    with (
        postgres_server.fresh_database() as raw,
        postgres_server.fresh_database() as proxied,
        closing(Twins(raw, proxied, TABLES)),
    ):
        yield raw, proxied


@settings(
    max_examples=int(os.environ.get("PROXYDB_RANDOM_SETTINGS", "40")),
    deadline=None,
    derandomize="PROXYDB_RANDOM_SETTINGS" not in os.environ,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(steps=st.lists(step, min_size=10, max_size=40))
def test_random_settings(places: tuple[str, str], steps: list[tuple[str, str]]) -> None:
    """Settings, roles, transactions and reads in any order, by new connections that share what is kept."""
    with closing(Twins(*places, schema="")) as twins:
        twins.tell(lambda side: _walk(side, steps))


UNPREPARED = 1000
"""A prepared statement goes on with the settings that it was parsed under, so none is prepared here."""


def _walk(side: Side, steps: list[tuple[str, str]]) -> None:
    side.db.prepare_threshold = UNPREPARED
    for kind, sql in steps:
        (side.read if kind == "read" else side.run)(sql)


def test_each_setting_with_each_read(places: tuple[str, str]) -> None:
    """Every value of every setting, with every statement."""
    with closing(Twins(*places, schema="")) as twins:
        twins.tell(_go_through_settings)
        assert twins.hits > 0


def _go_through_settings(side: Side) -> None:
    side.db.prepare_threshold = UNPREPARED
    for read in READS:
        side.read(read)
    for name, values in VALUES.items():
        for value in values:
            side.run(f"SET {name} TO {value}" if "INTERVAL" not in value else f"SET TIME ZONE {value}")
            for read in READS:
                side.run(read)
            side.run(f"RESET {name}")
