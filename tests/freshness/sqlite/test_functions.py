"""Functions, aggregates and collations of the application: they belong to one connection and may do anything."""

from __future__ import annotations

import sqlite3
from itertools import count
from typing import TYPE_CHECKING

import pytest

from tests.freshness.sqlite.twins import agree, agree_unserved

if TYPE_CHECKING:
    from tests.freshness.sqlite.twins import Side, Twins

OVERRIDDEN = {
    "abs": (1, "SELECT abs(x) FROM u"),
    "like": (2, "SELECT count(*) FROM u WHERE x LIKE '1%'"),
    "glob": (2, "SELECT count(*) FROM u WHERE x GLOB '1*'"),
    "upper": (1, "SELECT upper(x) FROM u"),
    "round": (1, "SELECT round(x) FROM u"),
}


class Total:
    """An aggregate that gives what the built-in never would."""

    def step(self, *_values: object) -> None:
        """Take no note."""

    def finalize(self) -> int:
        """Always the same."""
        return -1


@pytest.mark.parametrize("name", OVERRIDDEN)
def test_overridden_built_in(twins: Twins, name: str) -> None:
    """A function that overrides a built-in is used on its connection, the built-in on the other."""
    arguments, question = OVERRIDDEN[name]

    def story(side: Side) -> None:
        side.read(question)
        side.db.create_function(name, arguments, lambda *_: 7, deterministic=True)
        side.read(question)
        side.read(question, on=side.other)
        side.db.create_function(name, arguments, None)
        side.read(question)

    twins.tell(story)


@agree
def test_overridden_through_a_view(side: Side) -> None:
    """A view's functions are those of the connection that reads it."""
    side.run("CREATE VIEW v AS SELECT abs(x) AS y FROM u")
    side.read("SELECT y FROM v")
    side.db.create_function("abs", 1, lambda _: 7, deterministic=True)
    side.read("SELECT y FROM v")
    side.read("SELECT y FROM v", on=side.other)


@agree
def test_overridden_in_a_generated_column(side: Side) -> None:
    """A virtual column's functions are those of the connection that reads it."""
    side.run("CREATE TABLE g (x, y AS (abs(x)))")
    side.run("INSERT INTO g (x) VALUES (-5)", on=side.other)
    side.read("SELECT y FROM g")
    side.db.create_function("abs", 1, lambda _: 7, deterministic=True)
    side.read("SELECT y FROM g")
    side.read("SELECT y FROM g", on=side.other)


@agree
def test_overridden_inlined_function_in_a_generated_column(side: Side) -> None:
    """The program of a virtual column shows no call of coalesce, unless the application overrides it."""
    side.run("CREATE TABLE g (x, y AS (coalesce(x, 1)))")
    side.run("INSERT INTO g (x) VALUES (NULL)", on=side.other)
    side.read("SELECT y FROM g")
    side.db.create_function("coalesce", 2, lambda *_: 7, deterministic=True)
    side.read("SELECT y FROM g")
    side.read("SELECT y FROM g", on=side.other)


def test_statements_that_do_not_call_it_are_served(twins: Twins) -> None:
    """A connection that overrides a built-in is answered from memory where no statement calls that."""
    connection = twins.proxied.db
    connection.create_function("floor", 1, lambda _: 7, deterministic=True)
    for _ in range(3):
        connection.execute("SELECT upper(x) FROM u").fetchall()
    assert twins.hits == 2


@agree
def test_overridden_aggregate(side: Side) -> None:
    """An aggregate that overrides a built-in is used on its connection only."""
    side.read()
    side.db.create_aggregate("sum", 1, Total)
    side.read()
    side.read(on=side.other)


@agree_unserved
def test_function_of_the_application(side: Side) -> None:
    """A function of the application is called for each row of each execution."""
    numbers = count()
    side.db.create_function("number", 0, lambda: next(numbers))
    side.read("SELECT number() FROM u")
    side.db.create_function("number", 0, lambda: "other")
    side.read("SELECT number() FROM u")
    side.read("SELECT number() FROM u", on=side.other)


@agree
def test_overriding_function_that_writes(side: Side) -> None:
    """An own write whose function writes another table has changed that one too."""
    side.read_all()

    def meddle(value: object) -> object:
        sqlite3.Cursor(side.other).execute("UPDATE u SET x = x + 1")
        return value

    side.other.create_function("abs", 1, meddle)
    side.run("INSERT INTO t (x) VALUES (abs(3))", on=side.other)
    side.read_all()


@agree
def test_collation(side: Side) -> None:
    """A collation of the application orders on its connection and is unknown on the other."""
    question = "SELECT id FROM u ORDER BY x COLLATE backwards"
    side.read()
    side.read(question)
    side.db.create_collation("backwards", lambda one, other: (one < other) - (one > other))
    side.run("UPDATE u SET x = 'text ' || id")
    side.db.commit()
    side.read(question)
    side.read(question, on=side.other)
    side.db.create_collation("backwards", None)
    side.read(question)


@agree
def test_overridden_collation(side: Side) -> None:
    """NOCASE can be overridden as well."""
    question = "SELECT count(*) FROM u WHERE 'a' = 'A' COLLATE NOCASE"
    side.read(question)
    side.db.create_collation("NOCASE", lambda one, other: (one > other) - (one < other))
    side.read(question)
    side.read(question, on=side.other)


VOLATILE = (
    "random()",
    "hex(randomblob(4))",
    "changes()",
    "total_changes()",
    "last_insert_rowid()",
    "julianday('now')",
    "strftime('%f', 'now')",
    "CURRENT_TIMESTAMP",
    "CURRENT_TIME",
    "datetime()",
    "unixepoch('subsec')",
)


@pytest.mark.parametrize("expression", VOLATILE)
def test_volatile_built_in(twins: Twins, expression: str) -> None:
    """A function that may give another result each time is never served."""
    connection = twins.proxied.db
    for _ in range(4):
        connection.execute(f"SELECT {expression}, x FROM u").fetchall()
        connection.execute(f"SELECT x FROM u ORDER BY {expression}").fetchall()
    assert twins.hits == 0


@agree_unserved
def test_counters_of_the_connection(side: Side) -> None:
    """changes() and last_insert_rowid() tell of the connection that asks."""
    for connection in (side.db, side.other):
        side.run("INSERT INTO u (x) VALUES (1)", on=connection)
        connection.commit()
        for asking in (side.db, side.other):
            side.read("SELECT changes(), total_changes(), last_insert_rowid(), count(*) FROM u", on=asking)
