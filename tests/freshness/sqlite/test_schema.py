"""Schema changes, by this program and by others: the statement is understood anew, and its columns are the new ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.freshness.sqlite.twins import agree

if TYPE_CHECKING:
    from tests.freshness.sqlite.twins import Side, Twins

WHO = ("db", "other", "beside")
STAR = "SELECT * FROM u ORDER BY 1"


@pytest.fixture(params=WHO)
def who(request: pytest.FixtureRequest) -> str:
    """Who changes the schema: the reader, another connection of its program, a foreign program."""
    return request.param


def _changed(twins: Twins, who: str, changes: tuple[str, ...], questions: tuple[str, ...] = (STAR,)) -> None:
    """Both sides tell the same before, between and after the changes."""

    def story(side: Side) -> None:
        for change in changes:
            side.run(change, on=getattr(side, who))
            getattr(side, who).commit()
            for question in questions:
                side.read(question)
                side.read(question, on=side.other)

    twins.tell(story)
    assert twins.hits > 0


def test_column_added(twins: Twins, who: str) -> None:
    """A new column is in the rows and in the description."""
    _changed(
        twins,
        who,
        (
            "SELECT 1",
            "ALTER TABLE u ADD COLUMN y DEFAULT 'new'",
        ),
    )


def test_column_renamed_and_dropped(twins: Twins, who: str) -> None:
    """The description has the new names."""
    _changed(twins, who, ("SELECT 1", "ALTER TABLE u RENAME COLUMN x TO renamed", "ALTER TABLE u DROP COLUMN renamed"))


def test_table_recreated(twins: Twins, who: str) -> None:
    """A table that was dropped is missed, and one of its name is another one."""
    _changed(twins, who, ("SELECT 1", "DROP TABLE u", "CREATE TABLE u (a, b, c)", "INSERT INTO u VALUES (1, 2, 3)"))


def test_tables_swapped(twins: Twins, who: str) -> None:
    """Tables that exchange their names exchange their rows."""
    _changed(
        twins, who, ("SELECT 1", "ALTER TABLE u RENAME TO w", "ALTER TABLE t RENAME TO u", "ALTER TABLE w RENAME TO t")
    )


def test_view_redefined(twins: Twins, who: str) -> None:
    """A view that was redefined over another table shows that one, and follows its writes."""
    changes = (
        "CREATE VIEW v AS SELECT x FROM t",
        "UPDATE u SET x = x + 1",
        "DROP VIEW v",
        "CREATE VIEW v AS SELECT x FROM u",
        "UPDATE u SET x = x + 1",
    )
    _changed(twins, who, changes, ("SELECT sum(x) FROM v",))


def test_table_becomes_a_view(twins: Twins, who: str) -> None:
    """A view that takes a table's name is read in its place."""
    _changed(
        twins, who, ("SELECT 1", "DROP TABLE u", "CREATE VIEW u AS SELECT id, x + 1 AS x FROM t", "UPDATE t SET x = 0")
    )


def test_trigger_created_between_own_writes(twins: Twins, who: str) -> None:
    """A trigger made between two equal own writes makes the second one change more."""

    def story(side: Side) -> None:
        for change in (
            "SELECT 1",
            "CREATE TRIGGER more AFTER UPDATE ON t BEGIN UPDATE u SET x = x + 1; END",
            "SELECT 1",
        ):
            side.run(change, on=getattr(side, who))
            side.read_all()
            side.run("UPDATE t SET x = x + 1", on=side.other)
            side.read_all()

    twins.tell(story)


def test_trigger_dropped(twins: Twins, who: str) -> None:
    """After its trigger was dropped a write changes less."""

    def story(side: Side) -> None:
        side.run("CREATE TRIGGER more AFTER UPDATE ON t BEGIN UPDATE u SET x = x + 1; END")
        for change in ("SELECT 1", "DROP TRIGGER more"):
            side.run(change, on=getattr(side, who))
            side.run("UPDATE t SET x = x + 1", on=side.other)
            side.read_all()

    twins.tell(story)


def test_rows_copied_into_a_new_table(twins: Twins, who: str) -> None:
    """CREATE TABLE AS and DROP are seen by reads of the schema table."""
    schema = "SELECT type, name, tbl_name FROM sqlite_master ORDER BY name"
    _changed(
        twins,
        who,
        ("SELECT 1", "CREATE TABLE w AS SELECT * FROM u", "CREATE INDEX i ON w (x)", "DROP TABLE w"),
        (schema,),
    )


def test_index_and_statistics(twins: Twins, who: str) -> None:
    """An index, ANALYZE and REINDEX change no rows."""
    _changed(twins, who, ("SELECT 1", "CREATE INDEX i ON u (x)", "ANALYZE", "REINDEX", "DROP INDEX i", "VACUUM"))


def test_collation_of_a_recreated_column(twins: Twins, who: str) -> None:
    """A column whose collation changes compares by the new one."""
    changes = (
        "CREATE TABLE c (x TEXT)",
        "INSERT INTO c VALUES ('a'), ('A')",
        "DROP TABLE c",
        "CREATE TABLE c (x TEXT COLLATE NOCASE)",
        "INSERT INTO c VALUES ('a'), ('A')",
    )
    _changed(twins, who, changes, ("SELECT count(DISTINCT x) FROM c",))


def test_schema_changed_under_a_snapshot(twins: Twins) -> None:
    """In WAL mode a transaction goes on with the old schema."""

    def story(side: Side) -> None:
        side.run("BEGIN", on=side.other)
        side.read(STAR, on=side.other)
        side.run("ALTER TABLE u ADD COLUMN y DEFAULT 1", on=side.beside)
        side.read(STAR)
        side.read(STAR, on=side.other)
        side.run("ROLLBACK", on=side.other)
        side.read(STAR, on=side.other)

    twins.tell(story)


@agree
def test_writable_schema(side: Side) -> None:
    """A schema that is edited by hand is read anew once its version changes."""
    side.read(STAR)
    side.db.executescript(
        "PRAGMA writable_schema = ON;"
        "UPDATE sqlite_master SET sql = 'CREATE TABLE u (id INTEGER PRIMARY KEY, z)' WHERE name = 'u';"
        "PRAGMA writable_schema = RESET;"
    )
    side.read(STAR)
    side.read(STAR, on=side.other)
