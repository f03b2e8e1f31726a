"""What is not kept on Postgres, how the mode is chosen, and what a writer may be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest

import proxydb
from proxydb.errors import NotSupportedError, ProgrammingError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxydb.views.api import Views

OBSTACLES = {
    "SELECT random() AS r FROM sale": "random",
    "SELECT now() AS n FROM sale": "now",
    "SELECT current_date AS d FROM sale": "the time or the user",
    "SELECT moment::date AS d FROM dated": "date",
    "SELECT moment::text AS t FROM dated": "casts by way of text",
    "SELECT date_trunc('day', moment) AS d FROM dated": "date_trunc",
    "SELECT DISTINCT ON (shop) shop, day FROM sale ORDER BY shop, day": "append the primary key",
    "SELECT DISTINCT ON (shop) shop, day FROM sale ORDER BY shop": "DISTINCT ON has no partition or no order",
    "SELECT DISTINCT ON (number) * FROM bag ORDER BY number, item": "append the primary key",
    "SELECT DISTINCT ON (shop) id AS shop, day FROM sale ORDER BY shop, id": "as an output is named",
    "SELECT DISTINCT ON (s.shop) s.id FROM sale s, shop ORDER BY s.shop, s.id": "more than the rows of one table",
    "SELECT unnest(ARRAY[1, 2]) AS u FROM sale": "several rows",
    "SELECT string_agg(label, ',') AS s FROM sale": "an order that is not defined",
    "SELECT string_agg(label, ',' ORDER BY day) AS s FROM sale": "append the primary key of sale",
    "SELECT array_agg(price ORDER BY price) AS s FROM sale": "append the primary key of sale",
    "SELECT array_agg(number ORDER BY item) AS s FROM bag": "append the primary key of bag",
    "SELECT range_agg(int4range(day, day + 1)) AS s FROM sale": "the aggregate range_agg",
    "SELECT mode() WITHIN GROUP (ORDER BY day) AS s FROM sale": "the aggregate mode",
    "SELECT json_agg(day ORDER BY id) AS s FROM sale": "other settings: json_agg",
    "SELECT id FROM sale WHERE amount NOT IN (SELECT number FROM bag)": "not tied",
    "SELECT id, amount IN (SELECT number FROM bag) AS i FROM sale": "not tied",
    "SELECT id FROM sale WHERE amount IN (SELECT number FROM bag) IS NOT TRUE": "not tied",
    "SELECT id FROM sale WHERE amount IN (SELECT number FROM bag) OR day = 1": "not tied",
    "SELECT id FROM sale WHERE price IN (SELECT number FROM bag)": "not tied",
    "SELECT * FROM plain_view": "is a plain view",
    "SELECT * FROM native": "is a materialized view",
    "SELECT * FROM event_low": "is a partition",
    "SELECT * FROM parent": "has child tables",
    "SELECT * FROM guarded": "row-level security",
    "SELECT * FROM brief": "is unlogged",
    "SELECT relname FROM pg_class": "is not an ordinary table",
    "SELECT s.id FROM sale s LEFT JOIN tag t ON t.sale = s.id JOIN shop p ON p.name = t.word": "put it first",
    "SELECT shop FROM sale OFFSET 1": "OFFSET without LIMIT",
    "SELECT id FROM ONLY sale": "",
    "SELECT shop FROM sale EXCEPT SELECT name FROM shop": "a compound by EXCEPT",
    "SELECT shop FROM sale UNION SELECT name FROM shop UNION ALL SELECT item FROM bag": "put the UNION last",
    "SELECT shop AS a FROM sale UNION ALL SELECT name FROM shop ORDER BY a": "orders a compound",
    "SELECT id FROM sale FOR UPDATE": "locks rows",
}

MODES = {
    "SELECT id, shop FROM sale WHERE amount > 2": ("immediate", "a row of the view is one of the table"),
    "SELECT id, 100 / amount AS q FROM sale": ("overlay", "no writer waits"),
    "SELECT item FROM bag": ("overlay", "no writer waits"),
    "SELECT shop, sum(amount) AS s FROM sale GROUP BY shop": ("deferred", "can be added up"),
    "SELECT shop, sum(price) AS s FROM sale GROUP BY shop": ("overlay", "no writer waits"),
    "SELECT price, count(*) AS n FROM sale GROUP BY price": ("overlay", "no writer waits"),
    "SELECT kind, count(*) AS n FROM event GROUP BY kind": ("overlay", "no writer waits"),
}

TABLES = """
CREATE TABLE dated (moment timestamptz);
CREATE VIEW plain_view AS SELECT * FROM sale;
CREATE MATERIALIZED VIEW native AS SELECT * FROM sale;
CREATE TABLE parent (a integer);
CREATE TABLE child () INHERITS (parent);
CREATE TABLE guarded (a integer);
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
CREATE UNLOGGED TABLE brief (a integer);
"""


@pytest.fixture
def views(postgres_empty: psycopg.Connection[Any], postgres_dsn: str) -> Iterator[Views]:
    """The views of a shop, none yet."""
    with proxydb.database(postgres_dsn) as database:
        yield database.views


def test_obstacles(views: Views, postgres_empty: psycopg.Connection[Any]) -> None:
    """A view that cannot be kept incrementally says why, leaves nothing behind, and can be kept by refresh."""
    postgres_empty.execute(TABLES)
    for sql, told in OBSTACLES.items():
        with pytest.raises(NotSupportedError, match=r"maintenance='full'") as raised:
            views.create("v", sql)
        assert told in str(raised.value)
        assert views.list() == []
        if "FOR UPDATE" not in sql:
            assert views.create("v", sql, maintenance="full").state == "dirty"
            views.drop("v")
    left = "SELECT relname FROM pg_class WHERE relnamespace = 'proxydb'::regnamespace AND relkind IN ('r', 'v', 'm')"
    assert postgres_empty.execute(left).fetchall() == [("views",)]


def test_modes(views: Views) -> None:
    """The mode that fits is chosen, and explained."""
    for number, (sql, (maintenance, why)) in enumerate(MODES.items()):
        assert views.create(f"v{number}", sql).maintenance == maintenance
        assert why in views.explain(f"v{number}").method


@pytest.mark.parametrize("maintenance", ["immediate", "deferred"])
def test_a_mode_that_does_not_fit(maintenance: Any, views: Views) -> None:
    """A mode that is asked for and does not fit is refused with the reason and a way out."""
    with pytest.raises(NotSupportedError, match=rf"{maintenance}: .*maintenance='overlay'"):
        views.create("v", "SELECT DISTINCT shop FROM sale", maintenance=maintenance)


def test_names(views: Views, postgres_empty: psycopg.Connection[Any]) -> None:
    """A name that is taken, several statements, parameters and what Postgres does not know are errors."""
    for sql, name, error in (
        ("SELECT * FROM sale", "sale", ProgrammingError),
        ("SELECT * FROM sale", "", ProgrammingError),
        ("SELECT 1; DROP TABLE sale", "v", ProgrammingError),
        ("SELECT * FROM sale WHERE id = %s", "v", (ProgrammingError, psycopg.errors.SyntaxError)),
        ("DELETE FROM sale", "v", (ProgrammingError, psycopg.errors.SyntaxError)),
        ("SELECT * FROM missing", "v", psycopg.errors.UndefinedTable),
        ("SELECT day FROM sale a, sale b", "v", psycopg.errors.AmbiguousColumn),
        ("SELECT id, id FROM sale", "v", psycopg.errors.DuplicateColumn),
    ):
        with pytest.raises(error):
            views.create(name, sql)
    assert views.list() == []
    postgres_empty.execute("SELECT * FROM sale")


def test_indexes(views: Views, postgres_empty: psycopg.Connection[Any]) -> None:
    """Indexes are made on what holds a view, and stay when it is made again."""
    views.create("v", "SELECT id, amount FROM sale", indexes=[["amount", "id"]])
    views.create("g", "SELECT shop, count(*) AS n FROM sale GROUP BY shop", indexes=[["shop"]])
    with pytest.raises(NotSupportedError, match="computed when it is read"):
        views.create("h", "SELECT shop, count(*) AS n FROM sale GROUP BY shop", indexes=[["n"]])
    postgres_empty.execute("ALTER TABLE sale DISABLE TRIGGER USER")
    views.repair("v")
    found = "SELECT count(*) FROM pg_indexes WHERE indexdef LIKE '%v%_a0_rows%(o1, o0)'"
    assert postgres_empty.execute(found).fetchone() == (1,)


def test_a_writer_without_rights(views: Views, postgres_empty: psycopg.Connection[Any]) -> None:
    """Who may write to a table needs no rights on ours, and cannot slip in functions, operators or settings."""
    views.create("g", "SELECT shop, sum(amount) AS s, count(*) AS n FROM sale GROUP BY shop")
    views.create("r", "SELECT id, shop FROM sale WHERE label = 'x' AND amount > 2")
    views.create("m", "SELECT shop, max(day) AS d FROM sale WHERE amount > 2 GROUP BY shop")
    postgres_empty.execute(
        """
        CREATE ROLE stranger; CREATE SCHEMA trap AUTHORIZATION stranger; GRANT ALL ON sale TO stranger;
        GRANT SELECT ON g, r, m TO stranger; SET ROLE stranger;
        CREATE FUNCTION trap.raises(anyelement, anyelement) RETURNS boolean LANGUAGE plpgsql AS
          $$BEGIN RAISE 'trapped'; END$$;
        CREATE FUNCTION trap.sum(integer) RETURNS bigint LANGUAGE plpgsql AS $$BEGIN RAISE 'trapped'; END$$;
        CREATE FUNCTION trap.raises(text, text) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN RAISE 'trapped'; END$$;
        CREATE FUNCTION trap.raises(integer, integer) RETURNS boolean LANGUAGE plpgsql AS
          $$BEGIN RAISE 'trapped'; END$$;
        CREATE OPERATOR trap.= (LEFTARG = text, RIGHTARG = text, FUNCTION = trap.raises);
        CREATE OPERATOR trap.> (LEFTARG = integer, RIGHTARG = integer, FUNCTION = trap.raises);
        SET search_path = trap, pg_catalog, public; SET standard_conforming_strings = off;
        INSERT INTO public.sale (id, shop, amount, label, day) VALUES (1, 'a', 3, 'x', 1), (2, 'a', 4, 'x', 2);
        UPDATE public.sale SET amount = 5; DELETE FROM public.sale WHERE day OPERATOR(pg_catalog.=) 2;
        """
    )
    assert postgres_empty.execute("SELECT shop, s, n FROM public.g").fetchall() == [("a", 5, 1)]
    postgres_empty.execute("RESET ROLE; RESET search_path; RESET standard_conforming_strings")
    try:
        assert all(views.check(name).is_exact for name in "grm")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            postgres_empty.execute("SET ROLE stranger; SELECT * FROM proxydb.views")
    finally:
        postgres_empty.execute("ROLLBACK; RESET ROLE; DROP OWNED BY stranger; DROP ROLE stranger")


def test_an_expression_that_raises(views: Views, postgres_empty: psycopg.Connection[Any]) -> None:
    """What a view computes raises for its readers, as its query does, and not for the writers of its tables."""
    views.create("v", "SELECT id, 100 / amount AS q FROM sale")
    views.create("g", "SELECT 100 / amount AS q, count(*) AS n FROM sale WHERE 10 / amount < 9 GROUP BY 1")
    postgres_empty.execute("INSERT INTO sale (id, shop, amount) VALUES (1, 'a', 0)")
    for name in "vg":
        with pytest.raises(psycopg.errors.DivisionByZero):
            postgres_empty.execute(f"SELECT * FROM {name}")
    postgres_empty.execute("UPDATE sale SET amount = 5")
    assert all(views.check(name).is_exact for name in "vg")
