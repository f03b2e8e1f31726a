"""A query that is spelled in another way stays what it was, and one whose new spelling is wrong is noticed."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from proxydb.views.spellings import first, putting_in
from proxydb.views.spellings.rewriting import rewritten
from proxydb.views.sqlite import engine
from proxydb.views.sqlite.facts import SqliteCatalogue
from tests.views.shapes import SCHEMA, VIEWS, change

if TYPE_CHECKING:
    from collections.abc import Iterator

SPELLED = ("derived", "common_tables", "first_of_partition", "first_joined", "first_of_nullable", "first_nulls_last")


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    """Four tables with random rows."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as made:
        made.executescript(SCHEMA)
        random = Random(3)
        for _ in range(300):
            try:
                made.execute(*change(random))
            except sqlite3.IntegrityError:
                continue
        yield made


def _differs(connection: sqlite3.Connection, name: str) -> bool:
    sql = rewritten(VIEWS[name], "sqlite", SqliteCatalogue(connection.execute, lambda _: None))
    assert sql != VIEWS[name]
    one, other = connection.execute(VIEWS[name]), connection.execute(sql)
    names = [[column[0] for column in cursor.description] for cursor in (one, other)]
    return names[0] != names[1] or sorted(map(repr, one)) != sorted(map(repr, other))


@pytest.mark.parametrize("name", SPELLED)
def test_the_same_rows(name: str, connection: sqlite3.Connection) -> None:
    """The other spelling gives the same rows under the same names."""
    assert not _differs(connection, name)
    assert connection.execute(VIEWS[name]).fetchone()


def _loose(_alias: str, _order: Any) -> str:
    return "proxydb_n.n < d.n"


def _nulls_beside(null_safe: dict[str, str]) -> dict[str, str]:
    return dict.fromkeys(null_safe, "=")


def _bare(*_arguments: Any) -> Iterator[str]:
    return iter(())


MUTANTS = {
    "NULL is no partition": (first, "_NULL_SAFE", _nulls_beside(first._NULL_SAFE), "first_of_nullable"),
    "NULL comes first": (first.Term, "nulls_first", True, "first_nulls_last"),
    "the order is turned round": (first, "_before", _loose, "first_of_partition"),
    "the condition of the table is lost": (putting_in, "_conditions", _bare, "derived"),
    "the condition around it is lost": (putting_in, "_conditions", _bare, "first_joined"),
}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_mutant(mutant: str, connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule that does not do all is noticed."""
    module, name, replacement, view = MUTANTS[mutant]
    monkeypatch.setattr(module, name, replacement)
    assert _differs(connection, view)


def test_the_query_stays_as_it_was_written(connection: sqlite3.Connection) -> None:
    """What is written down is the user's own query."""
    made = engine.create(connection, "v", VIEWS["common_tables"], "immediate", None)
    assert made.sql == VIEWS["common_tables"]
