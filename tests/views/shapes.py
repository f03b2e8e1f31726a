"""Views of many shapes over four tables that refer to each other, and random changes of these."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from random import Random

SCHEMA = """
CREATE TABLE a (k, x INTEGER, id INTEGER PRIMARY KEY, p INTEGER REFERENCES a (id) ON DELETE SET NULL ON UPDATE CASCADE);
CREATE TABLE b (k TEXT, y, PRIMARY KEY (k, y));
CREATE TABLE c (k INTEGER, z TEXT COLLATE NOCASE, w REAL NOT NULL DEFAULT 2.5 UNIQUE);
CREATE TABLE d (m INTEGER, n INTEGER, q TEXT, PRIMARY KEY (m, n)) WITHOUT ROWID;
CREATE UNIQUE INDEX d_q ON d (q) WHERE q IS NOT NULL;
"""

VIEWS = {
    "using_inner": "SELECT k, x, y FROM a JOIN b USING (k)",
    "using_left": "SELECT k, x, y FROM a LEFT JOIN b USING (k)",
    "natural_inner": "SELECT a.k, z FROM a NATURAL JOIN c",
    "natural_outer": "SELECT a.id, c.w FROM a NATURAL LEFT JOIN c WHERE c.w IS NULL OR c.w > 1",
    "parentheses": "SELECT a.id, d.q FROM (a JOIN d ON a.x = d.m)",
    "crossed": "SELECT a.id, b.y FROM a CROSS JOIN b WHERE a.k = b.k",
    "ordered": "SELECT id, CASE WHEN x > 3 THEN 'hi' WHEN x IS NULL THEN k ELSE x END AS v FROM a "
    "ORDER BY x + id DESC, id LIMIT 50 OFFSET 0",
    "parents": "SELECT id, x FROM a z WHERE EXISTS (SELECT 1 FROM a WHERE a.p = z.id)",
    "largest_child": "SELECT id, (SELECT max(x) FROM a c WHERE c.p = z.id) AS m FROM a z",
    "left_chain": "SELECT z.id, y.id AS other FROM a z LEFT JOIN a y ON y.id = z.p LEFT JOIN d ON d.m = y.x AND "
    "d.n = z.x",
    "outer_groups": "SELECT z.x, count(*) AS n, count(y.id) AS c, max(y.x) AS m FROM a z LEFT JOIN a y ON y.id = z.p "
    "GROUP BY z.x",
    "all_aggregates": "SELECT p, min(x) AS a, max(x) AS b, sum(x) AS s, avg(x) AS v, count(DISTINCT k) AS d FROM a "
    "GROUP BY p HAVING sum(x) > 2 OR sum(x) IS NULL",
    "float_groups": "SELECT d.m, sum(c.w) AS s FROM d JOIN c ON c.k = d.n GROUP BY d.m ORDER BY 2",
    "windows_by_key": "SELECT m, n, lag(q) OVER (PARTITION BY m ORDER BY n) AS l, count(*) OVER (PARTITION BY "
    "m) AS c FROM d",
    "framed": "SELECT id, sum(x) OVER (PARTITION BY p ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS "
    "s FROM a",
    "not_exists_more": "SELECT w FROM c WHERE NOT EXISTS (SELECT 1 FROM d WHERE d.m = c.k AND d.q IS NOT NULL) "
    "AND w > 0",
    "in_or_exists": "SELECT id FROM a WHERE x IN (SELECT n FROM d WHERE d.m = a.x) OR EXISTS (SELECT 1 FROM d "
    "WHERE d.n = a.p)",
    "united_once": "SELECT x, id + 0 AS y FROM a WHERE id < 5 UNION ALL SELECT n, m FROM d UNION SELECT k, 1 FROM c",
    "derived": "SELECT p, count(*) AS n FROM (SELECT p, x AS y FROM a WHERE id > 1) v WHERE y IS NOT 2 GROUP BY p",
    "common_tables": "WITH v AS (SELECT id, x AS y FROM a), w AS (SELECT m, q FROM d WHERE n > 0) "
    "SELECT v.id, q AS r FROM v JOIN w ON w.m = v.y WHERE q IS NOT 'x' ORDER BY id",
    "first_of_partition": "SELECT * FROM (SELECT m, q, row_number() OVER (PARTITION BY m ORDER BY n DESC) AS r "
    "FROM d WHERE q IS NOT 't') WHERE r = 1",
    "first_joined": "SELECT a.id, f.n FROM a JOIN (SELECT *, row_number() OVER (PARTITION BY m ORDER BY n) AS i "
    "FROM d) f ON f.m = a.x WHERE f.i = 1 AND a.id > 0",
    "first_of_nullable": "SELECT id, p, x FROM (SELECT id, p, x, row_number() OVER (PARTITION BY p ORDER BY x DESC, "
    "id) AS r FROM a) WHERE r = 1",
    "first_nulls_last": "SELECT id, x FROM (SELECT *, row_number() OVER (PARTITION BY x ORDER BY p NULLS LAST, id "
    "DESC) AS r FROM a WHERE id > 0) WHERE r = 1",
    "parents_or_none": "SELECT id, x FROM a z WHERE NOT EXISTS (SELECT 1 FROM a WHERE a.p IS z.p AND a.id > z.id)",
    "in_alone": "SELECT id, k FROM a WHERE x IN (SELECT n FROM d WHERE q IS NOT NULL) AND id > 0",
    "distinct_numbers": "SELECT DISTINCT w, k FROM c",
    "distinct_outer": "SELECT DISTINCT a.x, b.y FROM a LEFT JOIN b ON b.k = a.k",
    "three_arms": "SELECT id AS i, x FROM a WHERE x IS NOT NULL UNION ALL SELECT m, n FROM d WHERE q = 't' "
    "UNION ALL SELECT k, w FROM c",
    "commented": "/* before */ SELECT id, -- between\n x FROM a /* after */ WHERE x > 1; -- at the end",
}


def change(random: Random) -> tuple[str, tuple[Any, ...]]:
    """A statement that changes something, with its parameters."""
    number = random.choice([None, 0, 1, 2, 3, 4, 5])
    word = random.choice([None, "1", "2", "x", "t"])
    mixed = random.choice([None, 1, "1", "x", 2.0])
    parent = random.choice([None, 1, 2, 3])
    weight = random.choice([None, 1.0, 2.5, 3])
    small, other, key = random.randrange(4), random.randrange(4), random.randrange(9)
    conflict = random.choice(["", "OR REPLACE", "OR IGNORE", "OR REPLACE"])
    return random.choice(
        [
            (f"INSERT {conflict} INTO a (k, x, id, p) VALUES (?, ?, ?, ?)", (mixed, number, key, parent)),
            (f"INSERT {conflict} INTO a (k, x) VALUES (?, ?)", (mixed, number)),
            (f"UPDATE {conflict} a SET id = ?, x = ? WHERE id = ?", (key, number, random.randrange(9))),
            ("UPDATE a SET p = ? WHERE x IS ?", (parent, number)),
            ("DELETE FROM a WHERE id = ?", (key,)),
            ("DELETE FROM a WHERE x IS ?", (number,)),
            (f"INSERT {conflict} INTO b VALUES (?, ?)", (word, mixed)),
            (f"UPDATE {conflict} b SET y = ? WHERE k IS ?", (mixed, word)),
            ("DELETE FROM b WHERE k IS ?", (word,)),
            (f"INSERT {conflict} INTO c (k, z, w) VALUES (?, ?, ?)", (number, word, weight)),
            (f"UPDATE {conflict} c SET w = ?, k = ? WHERE k IS ?", (weight, number, small)),
            ("DELETE FROM c WHERE w > ?", (small,)),
            ("INSERT OR REPLACE INTO c (k) VALUES (?)", (number,)),
            (f"INSERT {conflict} INTO d VALUES (?, ?, ?)", (small, other, word)),
            (f"UPDATE {conflict} d SET q = ?, n = n + ? WHERE m = ?", (word, key % 2, small)),
            ("DELETE FROM d WHERE n = ?", (other,)),
            ("INSERT INTO d VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET q = excluded.q || '!'", (small, other, word)),
        ]
    )
