"""Temporary objects and attached files: names that mean something else on one connection."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from tests.freshness.sqlite.twins import U, agree

if TYPE_CHECKING:
    from tests.freshness.sqlite.twins import Side


@agree
def test_temporary_table_shadows(side: Side) -> None:
    """A temporary table of the same name is read on its connection, and the real one again when it is gone."""
    side.read_all()
    side.run("CREATE TEMP TABLE u (id INTEGER PRIMARY KEY, x)")
    side.read_all()
    side.run("INSERT INTO u VALUES (1, -1)")
    side.db.commit()
    side.read_all()
    side.run("DROP TABLE temp.u")
    side.read_all()


@agree
def test_temporary_view_shadows(side: Side) -> None:
    """A temporary view of the same name is read on its connection."""
    side.read_all()
    side.run("CREATE TEMPORARY VIEW u AS SELECT id, -x AS x FROM main.u")
    side.read_all()
    side.run("UPDATE u SET x = x + 1", on=side.other)
    side.read_all()


@agree
def test_temporary_table_in_a_script(side: Side) -> None:
    """A temporary table that a script makes shadows too."""
    side.read_all()
    side.db.executescript("CREATE TEMP TABLE u AS SELECT 1 AS id, 2 AS x;")
    side.read_all()


@agree
def test_temporary_trigger(side: Side) -> None:
    """What a temporary trigger writes to a real table is seen by every connection."""
    side.read_all()
    side.run("CREATE TEMP TRIGGER more AFTER INSERT ON main.t BEGIN UPDATE u SET x = x + 1; END", on=side.other)
    side.read_all(side.db)
    side.run("INSERT INTO t (x) VALUES (1)", on=side.other)
    side.read_all(side.db)
    side.run("INSERT INTO t (x) VALUES (1)", on=side.other)
    side.read_all()


@agree
def test_temporary_trigger_on_another_connection(side: Side) -> None:
    """A write does not set off the temporary trigger of another connection."""
    side.read_all()
    side.run("CREATE TEMP TRIGGER more AFTER INSERT ON main.t BEGIN UPDATE u SET x = x + 1; END", on=side.other)
    side.run("INSERT INTO t (x) VALUES (1)")
    side.db.commit()
    side.read_all()


@agree
def test_rolled_back_temporary_table(side: Side) -> None:
    """A temporary table that was rolled back shadows no more."""
    side.read_all()
    side.run("BEGIN", on=side.other)
    side.run("CREATE TEMP TABLE u (x)", on=side.other)
    side.read(on=side.other)
    side.run("ROLLBACK", on=side.other)
    side.read_all()


@agree
def test_attached_file(side: Side) -> None:
    """Tables of an attached file are read fresh, under their own name and under a bare one."""
    extra = side.path.with_suffix(".extra")
    with closing(sqlite3.connect(extra, isolation_level=None)) as beside:
        beside.execute("CREATE TABLE w (x)")
        side.read_all()
        side.run("ATTACH ? AS extra", (str(extra),), on=side.other)
        for number in range(3):
            beside.execute("INSERT INTO w VALUES (?)", (number,))
            side.read("SELECT count(*), sum(x) FROM w", on=side.other)
            side.read("SELECT count(*), sum(x) FROM extra.w", on=side.other)
            side.run("UPDATE u SET x = x + 1", on=side.other)
            side.read_all()
        side.run("DETACH extra", on=side.other)
        side.read_all()


@agree
def test_same_file_attached(side: Side) -> None:
    """A write to the file under another name is a write to the file."""
    side.read_all()
    side.run("ATTACH ? AS again", (str(side.path),), on=side.other)
    side.run("UPDATE again.u SET x = x + 1", on=side.other)
    side.read_all()
    side.run("UPDATE u SET x = x + 1", on=side.other)
    side.read_all()


@agree
def test_attached_table_of_the_same_name(side: Side) -> None:
    """The main file's table goes before an attached one; when it is dropped the bare name means the other."""
    extra = side.path.with_suffix(".extra")
    with closing(sqlite3.connect(extra)) as beside:
        beside.executescript("CREATE TABLE u (id, x); INSERT INTO u VALUES (1, 'attached');")
    side.read(U)
    side.run("ATTACH ? AS extra", (str(extra),))
    side.read(U)
    side.run("DROP TABLE main.u", on=side.other)
    side.read(U)
    side.read(U, on=side.other)
