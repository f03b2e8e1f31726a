"""A small schema with everything that makes views hard on SQLite, and random changes of it."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from proxydb.views.records import compared

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from proxydb.views.records import ViewCheck

SCHEMA = """
CREATE TABLE sale (
  id INTEGER PRIMARY KEY, shop TEXT NOT NULL, amount INTEGER, label TEXT COLLATE NOCASE, weight REAL, anything,
  day INTEGER);
CREATE UNIQUE INDEX sale_of_day ON sale (shop, day);
CREATE TABLE shop (name TEXT, country TEXT, size INTEGER, PRIMARY KEY (name)) WITHOUT ROWID;
CREATE TABLE bag (item, number);
CREATE TRIGGER sale_update AFTER UPDATE ON sale WHEN NEW.id % 5 = 0 BEGIN
  INSERT OR REPLACE INTO tag VALUES (NEW.id, NEW.shop);
  UPDATE bag SET item = NEW.id WHERE number = NEW.day;
END;
CREATE TRIGGER sale_before BEFORE INSERT ON sale WHEN NEW.id % 5 = 1 BEGIN
  UPDATE sale SET amount = amount + 1 WHERE shop = NEW.shop AND id <> NEW.id;
  DELETE FROM sale WHERE id = NEW.id + 1;
END;
CREATE TABLE tag (sale INTEGER REFERENCES sale (id) ON DELETE CASCADE ON UPDATE CASCADE, word TEXT,
  PRIMARY KEY (sale, word)) WITHOUT ROWID;
CREATE TABLE "odd ""name" ("a key" TEXT PRIMARY KEY, "select" INTEGER);
"""

ROWS = """
REPLACE INTO sale VALUES (1, 'a', 5, 'x', 2.0, 1, 1), (2, 'a', 7, 'X', 0.5, 'z', 2), (3, 'b', 6, NULL, 8.0, 2, 1),
  (4, 'b', 4, 'y', NULL, 1.5, 4);
REPLACE INTO shop VALUES ('a', 'x', 5), ('b', 'y', 6);
REPLACE INTO tag VALUES (1, 'b'), (1, 'c'), (3, 'a');
INSERT INTO bag VALUES (1, 5), (1, 5), ('z', 7);
"""

VIEWS = {
    "filtered": "SELECT * FROM sale WHERE amount > 3 ORDER BY label DESC, id LIMIT 1000",
    "projected": "SELECT s.label AS l, amount * 2, anything, weight w FROM sale AS s",
    "of_a_bag": "SELECT item, number FROM bag WHERE number IS NOT 2",
    "part_of_a_bag": "SELECT item FROM bag",
    "odd": 'SELECT "a key" || \'!\' AS "x ""y", "select" FROM "odd ""name" WHERE "select" % 2 = 0',
    "by_shop": """SELECT shop AS k, count(*), sum(amount) + 1 AS s, avg(weight) aw, min(amount), max(anything)
                  FROM sale GROUP BY 1 HAVING count(*) > 1 ORDER BY s DESC""",
    "by_expression": "SELECT amount % 3 AS rest, max(amount), count(DISTINCT anything) AS d, avg(amount) "
    "FROM sale GROUP BY amount % 3",
    "by_nothing": "SELECT count(*), count(amount), total(amount), sum(weight), min(weight) FROM sale WHERE day > 2",
    "different": "SELECT DISTINCT shop, amount FROM sale",
    "joined": "SELECT s.id, b.item, b.number FROM sale s JOIN bag b ON b.number = s.amount WHERE b.item IS NOT NULL",
    "joined_three": "SELECT country, word, amount FROM sale, shop, tag "
    "WHERE shop.name = sale.shop AND tag.sale = sale.id",
    "with_itself": "SELECT a.id, b.id AS other FROM sale a JOIN sale b ON a.day = b.day AND a.id < b.id",
    "left": "SELECT s.id, s.shop, t.word FROM sale s LEFT JOIN tag t ON t.sale = s.id",
    "left_of_a_bag": "SELECT s.id, b.item FROM sale s LEFT JOIN bag b ON b.number = s.amount AND b.item > 1",
    "left_without": "SELECT s.id, s.label FROM sale s LEFT JOIN tag t ON t.sale = s.id "
    "WHERE t.word IS NULL AND s.day > 1",
    "left_then_inner": "SELECT s.id, t.word, p.country FROM sale s LEFT JOIN tag t ON t.sale = s.id AND t.word < 'c' "
    "JOIN shop p ON p.name = s.shop OR p.size = s.amount",
    "left_twice": "SELECT a.id, b.id AS next, t.word FROM sale a LEFT JOIN sale b ON b.id = a.day "
    "LEFT JOIN tag t ON t.sale = b.id",
    "left_groups": "SELECT s.shop, count(t.word) AS words, count(*) AS n FROM sale s LEFT JOIN tag t ON t.sale = s.id "
    "WHERE coalesce(t.word, 'a') <> 'b' GROUP BY s.shop",
    "tagged": "SELECT id, label FROM sale s WHERE EXISTS (SELECT 1 FROM tag t WHERE t.sale = s.id AND t.word > 'a')",
    "not_in_a_bag": "SELECT id, amount FROM sale "
    "WHERE NOT EXISTS (SELECT * FROM bag WHERE number = amount AND item <> 1)",
    "newest": "SELECT shop, day, amount FROM sale s WHERE NOT EXISTS "
    "(SELECT 1 FROM sale n WHERE n.shop = s.shop AND n.day > s.day)",
    "with_counts": "SELECT id, (SELECT count(*) FROM tag WHERE sale = s.id) AS tags FROM sale s",
    "newest_groups": "SELECT shop, count(*) AS n FROM sale s WHERE NOT EXISTS "
    "(SELECT 1 FROM sale n WHERE n.shop = s.shop AND n.amount > s.amount) GROUP BY shop",
    "with_children": "SELECT id, amount FROM sale s WHERE EXISTS (SELECT 1 FROM sale c WHERE c.day = s.amount)",
    "last_of_amount": "SELECT id, day, amount FROM (SELECT id, day, amount, row_number() OVER (PARTITION BY amount "
    "ORDER BY day DESC, id) AS place FROM sale) WHERE place = 1",
    "ranked": "SELECT id, shop, row_number() OVER (PARTITION BY shop ORDER BY amount DESC, id) AS place, "
    "sum(amount) OVER (PARTITION BY shop ORDER BY day) AS run FROM sale WHERE day IS NOT 3",
    "of_words": "SELECT sale, word, rank() OVER (PARTITION BY sale ORDER BY word) AS place FROM tag",
    "joined_windows": "SELECT s.id, t.word, count(*) OVER (PARTITION BY p.country) AS n FROM sale s "
    "JOIN shop p ON p.name = s.shop JOIN tag t ON t.sale = s.id",
    "over_left": 'SELECT word, count(*) AS n FROM "left" GROUP BY word',
    "exists_over_groups": "SELECT name FROM shop p WHERE EXISTS "
    "(SELECT 1 FROM by_shop b WHERE b.k = p.name AND b.s > 3)",
    "left_over_groups": "SELECT p.name, b.s, d.amount FROM shop p LEFT JOIN by_shop b ON b.k = p.name "
    "LEFT JOIN different d ON d.shop = p.name",
    "among_linked": "SELECT id FROM sale s WHERE amount NOT IN (SELECT day FROM sale c WHERE c.shop = s.shop)",
    "over_ranked": "SELECT id, shop FROM ranked WHERE place = 1",
    "joined_groups": "SELECT country, count(*) AS n, sum(amount) AS s FROM sale JOIN shop ON shop.name = sale.shop "
    "GROUP BY country",
    "both": "SELECT shop, amount FROM sale WHERE amount > 4 UNION ALL SELECT name, size FROM shop",
    "over_rows": "SELECT item, count(*) AS c FROM joined GROUP BY item",
    "over_groups": "SELECT k, s FROM by_shop WHERE s > 5",
    "groups_of_late": "SELECT id, count(*) AS n, max(id) AS m FROM left_without GROUP BY id",
    "groups_of_kept": "SELECT shop, max(amount) AS m, sum(amount) AS s, count(day) AS d, avg(day) AS a "
    "FROM newest GROUP BY shop",
    "one_group_of_kept": "SELECT count(*) AS n, min(id) AS m, sum(tags) AS t FROM with_counts w",
    "different_kept": "SELECT DISTINCT item FROM joined",
    "neighbours": "SELECT a.sale, a.word, b.word AS next FROM tag a, tag b WHERE b.sale = a.sale AND b.word > a.word "
    "AND NOT EXISTS (SELECT 1 FROM tag c WHERE c.sale = a.sale AND c.word > a.word AND c.word < b.word)",
    "over_over": "SELECT c, count(*) AS n FROM over_rows GROUP BY c",
}


def change(connection: sqlite3.Connection, random: Random) -> None:
    """Change something; what breaks a constraint is left."""
    sql, parameters = random.choice(_CHANGES)(random)
    with suppress(sqlite3.IntegrityError):
        connection.execute(sql, parameters)


def differences(connection: sqlite3.Connection, views: dict[str, str] = VIEWS) -> list[ViewCheck]:
    """The views that do not hold what their queries give, as this connection sees it."""
    return [checked for name, sql in views.items() if not (checked := _checked(connection, name, sql)).is_exact]


def _checked(connection: sqlite3.Connection, name: str, sql: str) -> ViewCheck:
    return compared(name, connection.execute(sql).fetchall(), connection.execute(f'SELECT * FROM "{name}"').fetchall())


def change_in_transactions(connection: sqlite3.Connection, random: Random) -> None:
    """Change some things in a transaction with a savepoint, parts of which are rolled back."""
    connection.execute("BEGIN")
    for _ in range(random.randrange(3)):
        change(connection, random)
    connection.execute("SAVEPOINT half")
    for _ in range(random.randrange(4)):
        change(connection, random)
    if connection.in_transaction and random.random() < 0.3:
        connection.execute("ROLLBACK TO half")
    if connection.in_transaction:
        connection.execute("ROLLBACK" if random.random() < 0.2 else "COMMIT")


def _conflict(random: Random) -> str:
    return random.choice(["", "", "OR REPLACE", "OR IGNORE", "OR FAIL", "OR ROLLBACK"])


def _integer(random: Random) -> int | None:
    return random.choice([None, 0, 1, 2, 3, 4, 5, 6, 7, 2**41, -3])


def _anything(random: Random) -> Any:
    return random.choice([None, 0, 1, 2, 3, 1.5, "z", "5", b"z"])


def _sale(random: Random) -> tuple[Any, ...]:
    label = random.choice([None, "x", "X", "y"])
    weight = random.choice([None, 0.5, 2.0, 8])
    return _id(random), _shop(random), _integer(random), label, weight, _anything(random), random.randrange(6)


def _id(random: Random) -> int:
    return random.randrange(20)


def _shop(random: Random) -> str:
    return random.choice("abcd")


_CHANGES: list[Callable[[Random], tuple[str, tuple[Any, ...]]]] = [
    lambda r: (f"INSERT {_conflict(r)} INTO sale VALUES (?, ?, ?, ?, ?, ?, ?)", _sale(r)),
    lambda r: (f"INSERT {_conflict(r)} INTO sale VALUES (?, ?, ?, ?, ?, ?, ?)", _sale(r)),
    lambda r: ("REPLACE INTO sale VALUES (?, ?, ?, ?, ?, ?, ?)", _sale(r)),
    lambda r: (
        "INSERT INTO sale VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET amount = excluded.amount, weight = 1",
        _sale(r),
    ),
    lambda r: (f"UPDATE {_conflict(r)} sale SET shop = ?, amount = ? WHERE id = ?", (_shop(r), _integer(r), _id(r))),
    lambda r: (f"UPDATE {_conflict(r)} sale SET amount = ? WHERE day = ?", (_integer(r), r.randrange(6))),
    lambda r: (f"UPDATE {_conflict(r)} sale SET id = ? WHERE id = ?", (_id(r), _id(r))),
    lambda r: (f"UPDATE {_conflict(r)} sale SET day = day + ? WHERE shop = ?", (r.randrange(3), _shop(r))),
    lambda r: ("DELETE FROM sale WHERE id % 7 = ?", (r.randrange(7),)),
    lambda r: (f"INSERT {_conflict(r)} INTO shop VALUES (?, ?, ?)", (_shop(r), r.choice("xyz"), _integer(r))),
    lambda r: (f"UPDATE {_conflict(r)} shop SET name = ?, country = ? WHERE name = ?", (_shop(r), "x", _shop(r))),
    lambda r: ("DELETE FROM shop WHERE name = ?", (_shop(r),)),
    lambda r: ("INSERT INTO bag VALUES (?, ?)", (_anything(r), _integer(r))),
    lambda r: ("INSERT INTO bag SELECT * FROM bag LIMIT 2", ()),
    lambda r: ("UPDATE bag SET number = ? WHERE item IS ?", (_integer(r), _anything(r))),
    lambda r: ("DELETE FROM bag WHERE rowid = (SELECT min(rowid) FROM bag WHERE item IS ?)", (_anything(r),)),
    lambda r: ("DELETE FROM bag WHERE number IS ?", (_integer(r),)),
    lambda r: (f"INSERT {_conflict(r)} INTO tag SELECT id, ? FROM sale WHERE id = ?", (_shop(r), _id(r))),
    lambda r: (f"UPDATE {_conflict(r)} tag SET word = ? WHERE sale = ?", (_shop(r), _id(r))),
    lambda r: (
        f'INSERT {_conflict(r)} INTO "odd ""name" VALUES (?, ?)',
        (r.choice([None, "a", "b", "c"]), _integer(r)),
    ),
    lambda r: ('DELETE FROM "odd ""name" WHERE "a key" IS ?', (r.choice([None, "a", "b"]),)),
    lambda r: ("DELETE FROM tag WHERE word = ?", (_shop(r),)),
    lambda r: ("DELETE FROM sale", ()),
]
