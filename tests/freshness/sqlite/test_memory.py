"""Databases in memory: nobody else writes them, and every way of their own connection to write them counts."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from tests.freshness.sqlite.twins import SCHEMA, agree_unserved

if TYPE_CHECKING:
    from tests.freshness.sqlite.twins import Side

ACTIONS = (
    "INSERT INTO t (x) VALUES (1)",
    "WITH n(x) AS (VALUES (1)) INSERT INTO u (x) SELECT x FROM n",
    "UPDATE u SET x = x + 1",
    "UPDATE u SET x = x",
    "REPLACE INTO u VALUES (1, 5)",
    "DELETE FROM t",
    "CREATE TRIGGER more AFTER INSERT ON t BEGIN UPDATE u SET x = x + 1; END",
    "INSERT INTO t (x) VALUES (1)",
    "ALTER TABLE u ADD COLUMN y DEFAULT 4",
    "VACUUM",
    "DROP TABLE u",
    "CREATE TABLE u (id, x)",
)


@agree_unserved
def test_every_way_to_write(side: Side) -> None:
    """Each write is seen by the next read."""
    for level in (None, ""):
        db = side.open(":memory:", isolation_level=level)
        db.executescript(SCHEMA)
        for action in ACTIONS:
            side.read_all(db)
            side.run(action, on=db)
            side.read("SELECT * FROM u ORDER BY 1", on=db)
        db.rollback()
        side.read_all(db)


@agree_unserved
def test_rolled_back(side: Side) -> None:
    """After a rollback the old rows are read."""
    db = side.open(":memory:")
    db.executescript(SCHEMA)
    for _ in range(2):
        side.read_all(db)
        side.run("DELETE FROM u", on=db)
        side.read_all(db)
        db.rollback()
        side.read_all(db)


@agree_unserved
def test_backup_into(side: Side) -> None:
    """A database that the raw driver copies over one in memory is read."""
    db = side.open(":memory:")
    db.executescript(SCHEMA)
    with closing(sqlite3.connect(":memory:")) as source:
        source.executescript(SCHEMA)
        for number in range(3):
            source.execute("UPDATE u SET x = ?", (number,))
            source.commit()
            side.read_all(db)
            source.backup(db)
            side.read_all(db)


@agree_unserved
def test_blob_and_deserialize(side: Side) -> None:
    """Writes past SQL are seen."""
    db = side.open(":memory:")
    db.executescript("CREATE TABLE b (id INTEGER PRIMARY KEY, x); INSERT INTO b VALUES (1, zeroblob(2));")
    for number in range(3):
        side.read("SELECT id, x FROM b", on=db)
        with db.blobopen("b", "x", 1) as blob:
            blob.write(bytes([number]))
        side.read("SELECT id, x FROM b", on=db)
    with closing(sqlite3.connect(":memory:")) as source:
        source.executescript("CREATE TABLE b (id INTEGER PRIMARY KEY, x); INSERT INTO b VALUES (7, 'deserialized');")
        db.deserialize(source.serialize())
    side.read("SELECT id, x FROM b", on=db)


@agree_unserved
def test_two_of_them(side: Side) -> None:
    """Two databases in memory have nothing to do with each other."""
    one, two = side.open(":memory:"), side.open(":memory:")
    for db, number in ((one, 1), (two, 2)):
        db.executescript(SCHEMA)
        side.run("UPDATE u SET x = ?", (number,), on=db)
        side.read_all(one)
    side.read_all(two)


@agree_unserved
def test_shared_cache(side: Side) -> None:
    """Connections that share one database in memory see each other's commits."""
    address = f"file:{side.module.__name__}?mode=memory&cache=shared"
    one, two = (side.open(address, uri=True, isolation_level=None) for _ in range(2))
    one.executescript(SCHEMA)
    for connection in (one, two, one):
        side.read_all(one, two)
        side.run("UPDATE u SET x = x + 1", on=connection)
    side.read_all(one, two)


def test_reads_are_served() -> None:
    """A read of a database in memory is served, and what is read from `u` survives a write to `t`."""
    import proxydb
    from tests.freshness.sqlite.twins import KEEP_ALL, U

    with closing(proxydb.connect(":memory:", config=KEEP_ALL, isolation_level=None)) as db:
        db.executescript(SCHEMA)
        for _ in range(4):
            db.execute(U).fetchall()
            db.execute("UPDATE t SET x = x + 1")
        assert db.proxydb.stats().hits == 3
