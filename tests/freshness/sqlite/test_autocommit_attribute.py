"""The `autocommit` attribute of Python 3.12: with False, each commit opens the next transaction at once."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from tests.freshness.sqlite.twins import agree

if TYPE_CHECKING:
    from tests.freshness.sqlite.twins import Side

pytestmark = pytest.mark.skipif(not hasattr(sqlite3.Connection, "autocommit"), reason="the attribute came with 3.12")


@agree
def test_commit_begins_a_new_snapshot(side: Side) -> None:
    """What others committed before the commit is seen after it."""
    db = side.open(autocommit=False)
    for end in (db.commit, db.rollback):
        side.read_all(db)
        side.run("UPDATE u SET x = x + 1", on=side.beside)
        side.read_all(db, side.other)
        end()
        side.read_all(db, side.other)


@agree
def test_writes(side: Side) -> None:
    """Own writes are read, then committed or rolled back."""
    db = side.open(autocommit=False)
    for end in (db.commit, db.rollback):
        side.read_all(db)
        side.run("UPDATE u SET x = x + 1", on=db)
        side.read_all(db, side.other)
        end()
        side.read_all(db, side.other)


@agree
def test_with_connection(side: Side) -> None:
    """Leaving ``with connection`` begins a new snapshot."""
    db = side.open(autocommit=False)
    with db:
        side.read_all(db)
        side.run("UPDATE u SET x = x + 1", on=side.beside)
    side.read_all(db)
    with db:
        side.run("DELETE FROM t", on=db)
    side.read_all(db, side.other)


@agree
def test_assignment(side: Side) -> None:
    """Assigning the attribute opens or commits a transaction."""
    for value in (False, True, False, True):
        side.read_all()
        side.run("UPDATE t SET x = x + 1", on=side.db)
        side.db.autocommit = value
        side.run("UPDATE u SET x = x + 1", on=side.beside)
        side.read_all()


@agree
def test_assignment_after_the_method_has_committed(side: Side) -> None:
    """What a transaction wrote whose commit opened the next one is not lost when that one ends otherwise."""
    db = side.open(isolation_level=None)
    for _ in range(2):
        side.read_all(db)
        side.run("UPDATE t SET x = x + 1", on=db)
    side.read_all(db)
    db.autocommit = False
    side.run("UPDATE u SET x = x + 1", on=db)
    db.commit()
    side.run("UPDATE t SET x = x + 1", on=db)
    db.autocommit = True
    side.read_all(db)


@agree
def test_executescript_commits_nothing(side: Side) -> None:
    """Without legacy transactions a script does not commit first."""
    db = side.open(autocommit=False)
    side.run("UPDATE u SET x = 0", on=db)
    db.executescript("UPDATE t SET x = 0;")
    side.read_all(db, side.other)
    db.rollback()
    side.read_all(db, side.other)


@agree
def test_true_means_each_statement_commits(side: Side) -> None:
    """With True, `commit` and `rollback` do nothing and each write is seen at once."""
    db = side.open(autocommit=True)
    side.read_all(db)
    side.run("UPDATE t SET x = x + 1", on=db)
    db.rollback()
    side.read_all(db, side.other)
