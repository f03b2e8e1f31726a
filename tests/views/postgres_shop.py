"""A small schema with everything that makes views hard on Postgres, and random changes of it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import psycopg

from proxydb.views.records import compared

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from proxydb.views.records import ViewCheck

SCHEMA = """
CREATE TYPE size AS ENUM ('s', 'm', 'l');
CREATE TABLE sale (
  id integer PRIMARY KEY, shop text NOT NULL, amount integer, label varchar(9), weight double precision,
  price numeric, day integer, double integer GENERATED ALWAYS AS (amount * 2) STORED, UNIQUE (shop, day));
CREATE TABLE shop (name text PRIMARY KEY, country text COLLATE "C", size size);
CREATE TABLE bag (item text, number integer);
CREATE TABLE tag (sale integer REFERENCES sale (id) ON DELETE CASCADE ON UPDATE CASCADE, word text,
  PRIMARY KEY (sale, word));
CREATE TABLE event (day integer NOT NULL, kind text, bytes bigint) PARTITION BY RANGE (day);
CREATE TABLE event_low PARTITION OF event FOR VALUES FROM (0) TO (6);
CREATE TABLE event_high (bytes bigint, kind text, day integer NOT NULL);
ALTER TABLE event ATTACH PARTITION event_high FOR VALUES FROM (6) TO (100);
CREATE TABLE "odd ""Name" ("a Key" text PRIMARY KEY, "select" integer);
"""

ROWS = """
DELETE FROM sale;
INSERT INTO sale (id, shop, amount, label, weight, price, day) VALUES (1, 'a', 5, 'x', 2, 4.1, 1),
  (2, 'a', 7, 'X', 0.5, 4.10, 2), (3, 'b', 6, NULL, 8, 7, 1), (4, 'b', 4, 'y', NULL, NULL, 4),
  (5, 'a', 0, 'x', 2, 1, 5);
INSERT INTO shop VALUES ('a', 'x', 's'), ('b', 'y', 'm') ON CONFLICT DO NOTHING;
INSERT INTO tag VALUES (1, 'b'), (1, 'c'), (3, 'a');
INSERT INTO bag VALUES ('a', 5), ('a', 5), ('b', 7);
INSERT INTO event VALUES (1, 'a', 5), (7, 'a', 6), (8, 'b', 6);
INSERT INTO "odd ""Name" VALUES ('a', 2);
"""

VIEWS: dict[str, tuple[str, str]] = {
    "filtered": ("immediate", "SELECT * FROM sale WHERE amount > 3 ORDER BY label DESC NULLS LAST, id LIMIT 1000"),
    "projected": ("immediate", "SELECT s.label AS l, amount * 2, weight w, 'x' AS x FROM sale AS s ORDER BY day % 3"),
    "odd": ("immediate", 'SELECT "a Key" || \'!\' AS "x ""y", "select" FROM "odd ""Name" WHERE "select" % 2 = 0'),
    "united": ("immediate", "SELECT shop, amount FROM sale WHERE amount > 4 UNION ALL SELECT name, 1 FROM shop"),
    "by_shop": (
        "deferred",
        "SELECT shop AS k, count(*), sum(amount) + 1 AS s, avg(amount) AS a, count(amount) AS c FROM sale GROUP BY 1 "
        "HAVING count(*) > 1 ORDER BY s DESC",
    ),
    "by_nullable": ("deferred", "SELECT item, sum(number) AS s, count(*) + 0 AS n FROM bag GROUP BY item"),
    "summed": ("deferred", "SELECT count(*), sum(amount), avg(day) FROM sale WHERE day > 2"),
    "by_shop_at_once": ("immediate", "SELECT shop, count(*) AS n, sum(amount) AS s FROM sale GROUP BY shop"),
    "by_nullable_at_once": ("immediate", "SELECT item, avg(number) AS a, count(*) AS n FROM bag GROUP BY item"),
    "summed_at_once": ("immediate", "SELECT count(*), sum(amount), avg(day) FROM sale WHERE day > 2"),
    "rows_overlaid": ("overlay", "SELECT id, price, label FROM sale"),
    "of_a_bag": ("overlay", "SELECT item, number FROM bag WHERE number IS DISTINCT FROM 2"),
    "part_of_a_bag": ("overlay", "SELECT item FROM bag"),
    "by_expression": (
        "overlay",
        "SELECT amount % 3 AS rest, max(label), count(DISTINCT label) AS d, avg(weight), sum(price) FROM sale "
        "GROUP BY amount % 3",
    ),
    "by_two": ("overlay", "SELECT label, shop, min(amount) AS m FROM sale GROUP BY label, shop HAVING min(day) > 0"),
    "by_nothing": ("overlay", "SELECT count(*), sum(price), sum(weight) AS w, min(label) FROM sale WHERE day > 2"),
    "different": ("overlay", "SELECT DISTINCT shop, amount FROM sale"),
    "joined": ("overlay", "SELECT s.id, b.item, b.number FROM sale s JOIN bag b ON b.number = s.amount"),
    "joined_three": (
        "overlay",
        "SELECT country, word, amount FROM sale, shop, tag WHERE shop.name = sale.shop AND tag.sale = sale.id",
    ),
    "with_itself": ("overlay", "SELECT a.id, b.id AS other FROM sale a JOIN sale b ON a.day = b.day AND a.id < b.id"),
    "left_joined": ("overlay", "SELECT s.id, s.shop, t.word FROM sale s LEFT JOIN tag t ON t.sale = s.id"),
    "left_of_a_bag": (
        "overlay",
        "SELECT s.id, b.item FROM sale s LEFT JOIN bag b ON b.number = s.amount AND b.item > 'a'",
    ),
    "left_without": (
        "overlay",
        "SELECT s.id, s.label FROM sale s LEFT JOIN tag t ON t.sale = s.id WHERE t.word IS NULL AND s.day > 1",
    ),
    "left_twice": (
        "overlay",
        "SELECT a.id, b.id AS next, t.word FROM sale a LEFT JOIN sale b ON b.id = a.day "
        "LEFT JOIN tag t ON t.sale = b.id",
    ),
    "left_groups": (
        "overlay",
        "SELECT p.size, count(t.word) AS words, count(*) AS n FROM sale s LEFT JOIN tag t ON t.sale = s.id "
        "LEFT JOIN shop p ON p.name = t.word WHERE coalesce(t.word, 'a') <> 'b' GROUP BY p.size",
    ),
    "tagged": (
        "overlay",
        "SELECT id, label FROM sale s WHERE EXISTS (SELECT 1 FROM tag t WHERE t.sale = s.id AND t.word > 'a')",
    ),
    "not_in_a_bag": (
        "overlay",
        "SELECT id, amount FROM sale WHERE NOT EXISTS (SELECT * FROM bag WHERE number = amount AND item <> 'a')",
    ),
    "newest": (
        "overlay",
        "SELECT shop, day, amount FROM sale s WHERE NOT EXISTS "
        "(SELECT 1 FROM sale n WHERE n.shop = s.shop AND n.day > s.day)",
    ),
    "repeated": (
        "overlay",
        "SELECT number FROM bag b WHERE 1 < (SELECT count(*) FROM bag c WHERE c.number = b.number)",
    ),
    "with_counts": ("overlay", "SELECT id, (SELECT count(*) FROM tag WHERE sale = s.id) AS tags FROM sale s"),
    "newest_groups": (
        "overlay",
        "SELECT shop, count(*) AS n FROM sale s WHERE NOT EXISTS "
        "(SELECT 1 FROM sale n WHERE n.shop = s.shop AND n.amount > s.amount) GROUP BY shop",
    ),
    "ranked": (
        "overlay",
        "SELECT id, shop, row_number() OVER (PARTITION BY shop ORDER BY amount DESC, id) AS place, "
        "sum(amount) OVER (PARTITION BY shop ORDER BY day) AS run FROM sale WHERE day IS DISTINCT FROM 3",
    ),
    "joined_windows": (
        "overlay",
        "SELECT s.id, t.word, count(*) OVER (PARTITION BY p.country) AS n FROM sale s "
        "JOIN shop p ON p.name = s.shop JOIN tag t ON t.sale = s.id",
    ),
    "joined_groups": (
        "overlay",
        "SELECT country, count(*) AS n, sum(amount) AS s FROM sale JOIN shop ON shop.name = sale.shop GROUP BY country",
    ),
    "all_aggregates": (
        "overlay",
        "SELECT shop, bool_and(amount > 3) AS a, every(label = 'x') AS e, bit_or(amount) AS o, stddev(day) AS d, "
        "string_agg(label, ',' ORDER BY label DESC) AS l, array_agg(amount - 1 ORDER BY day, id) AS r, "
        "count(*) FILTER (WHERE amount > 4 OR (day = 1)) AS f, "
        "sum(amount) FILTER (WHERE label = 'x') AS t, string_agg(DISTINCT label, '-' ORDER BY label) AS u "
        "FROM sale GROUP BY shop HAVING bool_or(day > 2)",
    ),
    "joined_aggregates": (
        "overlay",
        "SELECT p.country, array_agg(t.word ORDER BY t.word, s.id DESC) AS w, bool_or(amount > 3) AS b "
        "FROM sale s JOIN tag t ON t.sale = s.id JOIN shop p ON p.name = s.shop GROUP BY p.country",
    ),
    "in_a_bag": ("overlay", "SELECT id, amount FROM sale WHERE amount IN (SELECT number FROM bag WHERE item > 'a')"),
    "of_big_events": ("overlay", "SELECT id FROM sale s WHERE day > 1 AND s.amount IN (SELECT bytes FROM event)"),
    "united_once": (
        "overlay",
        "SELECT shop, amount FROM sale WHERE amount > 2 UNION ALL SELECT name, 5 FROM shop "
        "UNION SELECT item, number FROM bag WHERE item IS NOT NULL",
    ),
    "labelled": ("overlay", "SELECT id, upper(label) AS label, shop FROM sale WHERE id > 2"),
    "filtered_plain": ("immediate", "SELECT id, shop, amount FROM sale WHERE amount > 1 ORDER BY id DESC"),
    "first_of_partition": (
        "overlay",
        "SELECT id, k, rn FROM (SELECT id, day AS d, shop AS k, row_number() OVER (PARTITION BY shop ORDER BY id DESC) "
        "rn FROM sale s WHERE amount IS DISTINCT FROM 4) AS ranked WHERE rn = 1 AND d > 0 ORDER BY k",
    ),
    "first_with_star": (
        "overlay",
        "WITH r AS (SELECT *, row_number() OVER (PARTITION BY word ORDER BY sale) AS n FROM tag WHERE sale > 0) "
        "SELECT * FROM r AS q WHERE q.n = 1",
    ),
    "first_joined": (
        "overlay",
        "SELECT s.id, f.word AS w FROM sale s JOIN (SELECT t.*, row_number() OVER (PARTITION BY sale ORDER BY word "
        "DESC) AS n FROM tag t) f ON f.sale = s.id WHERE n = 1 AND s.amount > 1",
    ),
    "distinct_on": ("overlay", "SELECT DISTINCT ON (sale) sale, word AS w FROM tag ORDER BY sale, word DESC"),
    "distinct_on_some": (
        "overlay",
        "SELECT DISTINCT ON (shop) id, label, shop FROM sale WHERE day > 1 ORDER BY shop DESC, id",
    ),
    "first_of_nullable": (
        "overlay",
        "SELECT DISTINCT ON (amount) id, amount AS a, day FROM sale ORDER BY amount, day DESC, id",
    ),
    "first_nulls_first": (
        "overlay",
        "SELECT id, label FROM (SELECT id, label, row_number() OVER (PARTITION BY label ORDER BY price NULLS FIRST, "
        "id) AS n FROM sale) r WHERE n = 1",
    ),
    "parents_or_none": (
        "overlay",
        "SELECT id FROM sale s WHERE NOT EXISTS (SELECT FROM sale WHERE sale.amount IS NOT DISTINCT FROM s.amount "
        "AND sale.id > s.id)",
    ),
    "common_tables": (
        "overlay",
        "WITH big AS (SELECT id, shop, amount * 2 AS twice FROM sale WHERE amount > 2), tagged AS (SELECT sale, word w "
        "FROM tag WHERE word <> 'd') SELECT shop, twice, w FROM big JOIN tagged ON sale = big.id WHERE twice < 13",
    ),
    "derived": (
        "overlay",
        "SELECT country AS c, count(*) AS n, sum(twice) AS t FROM (SELECT p.country, s.amount + s.amount AS twice, "
        "s.id FROM sale s JOIN shop p ON p.name = s.shop WHERE s.day > 0) AS d WHERE EXISTS "
        "(SELECT 1 FROM tag WHERE sale = id) GROUP BY country HAVING sum(twice) > 1",
    ),
    "commented": (
        "overlay",
        'SELECT /* SELECT ( */ k AS "İ", count(*) FILTER (WHERE n > 1 /* ) */) AS f -- )\n FROM ( /* ( */ SELECT '
        "shop AS k, amount AS n FROM sale -- )\n WHERE day > 0 /* ) */) AS d -- (\n WHERE k > 'a' GROUP BY k",
    ),
    "twice_the_same": (
        "overlay",
        "SELECT s.id, d.i AS other FROM (SELECT id AS i, day FROM sale WHERE amount > 1) d JOIN sale s "
        "ON s.day = d.day WHERE s.id <> d.i",
    ),
    "over_a_view": (
        "overlay",
        "SELECT id, l FROM (SELECT id, label AS l FROM labelled WHERE shop > 'a') AS d WHERE l > 'A'",
    ),
    "groups_over_a_view": (
        "deferred",
        "SELECT shop, count(*) AS n, sum(amount) AS s FROM filtered_plain f GROUP BY shop",
    ),
    "joined_spellings": (
        "overlay",
        "SELECT trim_scale(price), country, count(*) AS n, sum(day) AS s, avg(amount) AS a FROM sale "
        "JOIN shop ON shop.name = sale.shop GROUP BY price, country HAVING count(amount) > 0 ORDER BY n DESC",
    ),
    "covered_twice": (
        "overlay",
        "SELECT a.id, b.id AS next FROM sale a JOIN sale b ON b.shop = a.shop AND b.day > a.day WHERE NOT EXISTS "
        "(SELECT 1 FROM sale n WHERE n.shop = a.shop AND n.day > a.day AND n.day < b.day)",
    ),
    "newest_tags": (
        "overlay",
        "SELECT sale, word FROM tag t WHERE NOT EXISTS (SELECT 1 FROM tag n WHERE n.sale = t.sale AND n.word > t.word)",
    ),
    "joined_total": ("overlay", "SELECT count(*) AS n, max(word) AS m FROM sale JOIN tag ON tag.sale = sale.id"),
    "joined_different": ("overlay", "SELECT DISTINCT country, word FROM shop JOIN tag ON tag.word = shop.name"),
    "events": ("overlay", "SELECT kind, sum(bytes) AS bytes, count(*) AS n FROM event GROUP BY kind"),
    "events_of_shops": ("overlay", "SELECT e.kind, e.bytes, s.country FROM event e JOIN shop s ON s.name = e.kind"),
    "doubled": ("overlay", "SELECT double, count(DISTINCT shop) AS n FROM sale GROUP BY double"),
}
"""Views with the way in which each is kept."""


def create_all(views: Any) -> None:
    """Make all views."""
    for name, (maintenance, sql) in VIEWS.items():
        views.create(name, sql, maintenance=maintenance)


def differences(connection: psycopg.Connection[Any], names: Any = tuple(VIEWS)) -> list[ViewCheck]:
    """The views that do not hold what their queries give, as this connection sees it."""
    return [checked for name in names if not (checked := _checked(connection, name)).is_exact]


def _checked(connection: psycopg.Connection[Any], name: str) -> ViewCheck:
    """One statement, so one snapshot; the rows as text too, as 4.10 and 4.100 are equal but not the same."""
    sql = VIEWS[name][1]
    rows = connection.execute(
        f"SELECT true, q::text, q.* FROM ({sql}) AS q UNION ALL SELECT false, v::text, v.* FROM {name} AS v"
    ).fetchall()
    return compared(name, *([row[1:] for row in rows if row[0] is side] for side in (True, False)))


def change(connection: psycopg.Connection[Any], random: Random, *, truncate: bool = True) -> None:
    """Change something in a savepoint; what breaks a constraint is left."""
    made = random.choice(_CHANGES)(random)
    if made in TRUNCATES and not truncate:
        return
    with suppress(psycopg.errors.IntegrityError, psycopg.errors.CardinalityViolation), connection.transaction():
        if callable(made):
            made(connection)
        else:
            connection.execute(made)


def change_in_transaction(connection: psycopg.Connection[Any], random: Random) -> None:
    """Change some things in a transaction with a savepoint, parts of which are rolled back."""
    with connection.transaction(force_rollback=random.random() < 0.2):
        for _ in range(random.randrange(3)):
            change(connection, random)
        with connection.transaction(force_rollback=random.random() < 0.3):
            for _ in range(random.randrange(4)):
                change(connection, random)


def _text(value: Any) -> str:
    return "NULL" if value is None else repr(value)


def _integer(random: Random) -> str:
    return _text(random.choice([None, 0, 1, 2, 3, 4, 5, 6, 7, 1000000000, -3]))


def _word(random: Random) -> str:
    return _text(random.choice([None, "a", "b", "c", "d"]))


def _sale(random: Random) -> str:
    label, weight = _text(random.choice([None, "x", "X", "y"])), _text(random.choice([None, 0.5, 2.0, 8]))
    price = random.choice(["NULL", "4.1", "4.10", "4.100", "7"])
    day = _text(random.choice([None, *range(12)]))
    return f"({_id(random)}, {_shop(random)}, {_integer(random)}, {label}, {weight}, {price}, {day})"


_COLUMNS = "(id, shop, amount, label, weight, price, day)"


def _id(random: Random) -> int:
    return random.randrange(20)


def _shop(random: Random) -> str:
    return _text(random.choice("abcd"))


def _event(random: Random) -> str:
    return f"({random.randrange(12)}, {_word(random)}, {_integer(random)})"


def _copied(random: Random) -> Callable[[psycopg.Connection[Any]], None]:
    rows = [(random.choice([None, "a", "b"]), random.choice([None, 1, 2])) for _ in range(random.randrange(4))]

    def copy(connection: psycopg.Connection[Any]) -> None:
        with connection.cursor().copy("COPY bag FROM STDIN") as copying:
            for row in rows:
                copying.write_row(row)

    return copy


def _merged(random: Random) -> Callable[[psycopg.Connection[Any]], None]:
    merge = (
        f"MERGE INTO sale USING (VALUES {_sale(random)}, ({_id(random)}, 'a', 1, 'x', 1, 1, 0)) AS v {_COLUMNS} "
        "ON sale.id = v.id WHEN MATCHED AND v.amount > 4 THEN DELETE "
        "WHEN MATCHED THEN UPDATE SET amount = v.amount, shop = v.shop "
        f"WHEN NOT MATCHED THEN INSERT {_COLUMNS} VALUES (v.id, v.shop, v.amount, v.label, v.weight, v.price, v.day)"
    )

    def run(connection: psycopg.Connection[Any]) -> None:
        if connection.info.server_version >= 150000:
            connection.execute(merge)

    return run


TRUNCATES = ("TRUNCATE bag", "TRUNCATE sale CASCADE", "TRUNCATE event_low", "TRUNCATE shop")
"""To snapshots older than it, an emptied table is empty, too; to them Postgres promises nothing."""

_CHANGES: list[Callable[[Random], Any]] = [
    lambda r: f"INSERT INTO sale {_COLUMNS} VALUES {_sale(r)}",
    lambda r: f"INSERT INTO sale {_COLUMNS} VALUES {_sale(r)}, {_sale(r)} ON CONFLICT DO NOTHING",
    lambda r: (
        f"INSERT INTO sale {_COLUMNS} VALUES {_sale(r)} ON CONFLICT (id) DO UPDATE SET "
        "amount = excluded.amount, label = excluded.label, weight = 1"
    ),
    _merged,
    lambda r: f"UPDATE sale SET shop = {_shop(r)}, amount = {_integer(r)} WHERE id = {_id(r)}",
    lambda r: f"UPDATE sale SET amount = {_integer(r)} WHERE day = {r.randrange(12)}",
    lambda r: f"UPDATE sale SET id = {_id(r)} WHERE id = {_id(r)}",
    lambda r: f"UPDATE sale SET day = {r.randrange(12)}, price = price * 1.0 WHERE id = {_id(r)}",
    lambda r: f"DELETE FROM sale WHERE id % 7 = {r.randrange(7)}",
    lambda r: (
        f"INSERT INTO shop VALUES ({_shop(r)}, {_word(r)}, {_text(r.choice(['s', 'm', None]))}) ON CONFLICT DO NOTHING"
    ),
    lambda r: f"UPDATE shop SET name = {_shop(r)}, country = {_word(r)} WHERE name = {_shop(r)}",
    lambda r: f"DELETE FROM shop WHERE name = {_shop(r)}",
    lambda r: f"INSERT INTO bag VALUES ({_word(r)}, {_integer(r)}), ({_word(r)}, {_integer(r)})",
    lambda r: "INSERT INTO bag SELECT * FROM bag LIMIT 2",
    lambda r: f"UPDATE bag SET number = {_integer(r)} WHERE item IS NOT DISTINCT FROM {_word(r)}",
    lambda r: f"DELETE FROM bag WHERE ctid = (SELECT min(ctid) FROM bag WHERE item = {_word(r)})",
    lambda r: f"DELETE FROM bag WHERE number IS NOT DISTINCT FROM {_integer(r)}",
    _copied,
    lambda r: f"INSERT INTO tag SELECT id, {_shop(r)} FROM sale WHERE id % 3 = {r.randrange(3)} ON CONFLICT DO NOTHING",
    lambda r: f"UPDATE tag SET word = {_shop(r)} WHERE sale = {_id(r)}",
    lambda r: (
        f"WITH gone AS (DELETE FROM tag WHERE word = {_shop(r)} RETURNING sale), "
        f"more AS (INSERT INTO bag SELECT 'b', sale FROM gone RETURNING number) "
        f"UPDATE sale SET amount = {_integer(r)} WHERE id IN (SELECT sale FROM gone)"
    ),
    lambda r: f"INSERT INTO event VALUES {_event(r)}, {_event(r)}",
    lambda r: f"INSERT INTO event_high VALUES (3, {_word(r)}, 7)",
    lambda r: f"UPDATE event SET day = {r.randrange(12)} WHERE day = {r.randrange(12)}",
    lambda r: f"DELETE FROM event_low WHERE kind = {_word(r)}",
    lambda r: (
        f'INSERT INTO "odd ""Name" VALUES ({_shop(r)}, {_integer(r)}) '
        'ON CONFLICT ("a Key") DO UPDATE SET "select" = excluded."select"'
    ),
    lambda r: f'DELETE FROM "odd ""Name" WHERE "a Key" = {_shop(r)}',
    lambda r: r.choice(["DELETE FROM sale", *TRUNCATES]),
    lambda r: (
        "SET LOCAL session_replication_role = replica; INSERT INTO bag VALUES ('r', 4); "
        "SET LOCAL session_replication_role = origin"
    ),
]
