"""Settings of one connection that change what a statement gives: rows of one setting are not given under another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.freshness.sqlite.twins import SCHEMA, agree

if TYPE_CHECKING:
    from tests.freshness.sqlite.twins import Side, Twins

SETTINGS = {
    "case_sensitive_like": "SELECT count(*) FROM words WHERE word LIKE 'A%'",
    "reverse_unordered_selects": "SELECT id, word FROM words",
    "full_column_names": "SELECT id, word FROM words",
    "short_column_names": "SELECT id, word FROM words",
    "foreign_keys": "SELECT count(*) FROM words",
    "recursive_triggers": "SELECT count(*) FROM words",
    "query_only": "SELECT count(*) FROM words",
    "defer_foreign_keys": "SELECT count(*) FROM words",
    "ignore_check_constraints": "SELECT count(*) FROM words",
    "cell_size_check": "SELECT count(*) FROM words",
    "count_changes": "SELECT count(*) FROM words",
    "empty_result_callbacks": "SELECT word FROM words WHERE 0",
    "read_uncommitted": "SELECT count(*) FROM words",
    "automatic_index": "SELECT a.id, b.id FROM words a, words b WHERE a.word = b.word ORDER BY 1, 2",
}


@pytest.mark.parametrize("setting", SETTINGS)
def test_setting(twins: Twins, setting: str) -> None:
    """Switched on and off on one connection, a PRAGMA shows there as it does raw, and not on the other."""

    def story(side: Side) -> None:
        _words(side)
        for value in ("ON", "OFF", "1", "0"):
            side.read(SETTINGS[setting])
            side.run(f"PRAGMA {setting} = {value}")
            side.read(SETTINGS[setting])
            side.read(SETTINGS[setting], on=side.other)
            side.run("INSERT INTO words (word) VALUES ('again')", on=side.other)

    twins.tell(story)
    assert twins.hits > 0


def _words(side: Side) -> None:
    side.run("CREATE TABLE words (id INTEGER PRIMARY KEY, word TEXT)")
    side.run("INSERT INTO words (word) VALUES ('apple'), ('Apple'), ('APPLE'), ('pear')", on=side.other)


@agree
def test_setting_in_a_script(side: Side) -> None:
    """A PRAGMA inside a script, or written as a call, counts as well."""
    _words(side)
    side.read(SETTINGS["case_sensitive_like"])
    side.db.executescript("SELECT 1; PRAGMA case_sensitive_like = ON;")
    side.read(SETTINGS["case_sensitive_like"])
    side.run("PRAGMA case_sensitive_like(0)")
    side.read(SETTINGS["case_sensitive_like"])
    side.run("pragma /* why not */ main.Case_Sensitive_Like = 1")
    side.read(SETTINGS["case_sensitive_like"])


@agree
def test_foreign_keys_decide_what_a_delete_does(side: Side) -> None:
    """With the setting off a delete leaves the children, with it on it takes them."""
    side.run("CREATE TABLE child (t REFERENCES t ON DELETE CASCADE)")
    side.run("INSERT INTO child VALUES (1), (2)", on=side.other)
    for number, value in ((1, "OFF"), (2, "ON")):
        side.run(f"PRAGMA foreign_keys = {value}", on=side.other)
        side.read("SELECT count(*) FROM child")
        side.run("DELETE FROM t WHERE id = ?", (number,), on=side.other)
        side.read("SELECT count(*) FROM child")


@agree
def test_journal_mode_switch(side: Side) -> None:
    """The file's journal mode can be switched, and reads before, between and after are right."""
    for mode in ("delete", "wal", "truncate", "wal"):
        side.read(on=side.other)
        side.run(f"PRAGMA journal_mode = {mode}", on=side.other)
        side.run("UPDATE u SET x = x + 1", on=side.beside)
        side.read(on=side.other)
        side.run("UPDATE u SET x = x + 1", on=side.other)
        side.read(on=side.other)
        side.beside.close()
        side.__dict__.pop("beside")


@agree
def test_exclusive_locking(side: Side) -> None:
    """Exclusive locking keeps others out, and goes when it is given up."""
    side.read(on=side.other)
    for mode in ("exclusive", "normal"):
        side.run(f"PRAGMA locking_mode = {mode}", on=side.other)
        side.run("UPDATE u SET x = x + 1", on=side.other)
        side.read(on=side.other)
        side.read(on=side.other)


@agree
def test_script_that_needs_the_file_for_itself(side: Side) -> None:
    """A script can switch the journal mode, and lock the file."""
    for script in (
        "PRAGMA journal_mode = delete",
        "PRAGMA Journal_Mode = wal",
        "PRAGMA locking_mode = exclusive; DELETE FROM t",
    ):
        side.read(on=side.other)
        side.attempt(side.other.executescript, script)
        side.run("PRAGMA journal_mode", on=side.other)
        side.run("UPDATE u SET x = x + 1", on=side.other)
        side.read(on=side.other)


@agree
def test_text_encoding(side: Side) -> None:
    """A UTF-16 file's texts are the same texts."""
    other = side.open(side.path.with_suffix(".utf16"), isolation_level=None)
    other.executescript("PRAGMA encoding = 'UTF-16'; " + SCHEMA)
    side.run("INSERT INTO u (x) VALUES ('žluťoučký 木')", on=other)
    side.read("SELECT x, typeof(x), length(x) FROM u", on=other)
    side.read()


@agree
def test_user_version_and_application_id(side: Side) -> None:
    """Numbers in the file's header are never served from memory."""
    for number in (1, 2):
        side.run(f"PRAGMA user_version = {number}", on=side.beside)
        side.read("PRAGMA user_version")
        side.read("SELECT user_version FROM pragma_user_version, u")
        side.read()


@agree
def test_limits(side: Side) -> None:
    """A limit of the driver's makes the statement fail whether its rows are kept or not."""
    import sqlite3

    side.read()
    side.db.setlimit(sqlite3.SQLITE_LIMIT_SQL_LENGTH, 10)
    side.read()
    side.read(on=side.other)


@agree
def test_authorizer(side: Side) -> None:
    """An authorizer that denies is asked before anything is given."""
    import sqlite3

    side.read()
    side.db.set_authorizer(lambda *_: sqlite3.SQLITE_DENY)
    side.read()
    side.db.set_authorizer(None)
    side.read()
    side.read(on=side.other)
