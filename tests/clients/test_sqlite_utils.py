"""sqlite-utils on a proxied connection does what it does on a raw one, and reads from memory."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from sqlite_utils import Database

import proxydb.sqlite3
from tests.clients.stories import tell

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

DOGS = [
    {"id": 1, "name": "Cleo", "age": 5, "tags": ["old", "small"], "weight": 4.5, "photo": b"\x00\xff"},
    {"id": 2, "name": "Pancakes", "age": 4, "tags": {"good": True}, "weight": None, "photo": None},
    {"id": 3, "name": "Лайка", "age": 4, "tags": None, "weight": 6.0, "photo": b""},
]
CATS = [{"id": number, "name": f"cat {number}", "kind": number % 2} for number in range(300)]


def elsewhere(db: Database) -> None:
    """A program that never heard of proxydb writes."""
    [path] = [row["file"] for row in db.query("PRAGMA database_list") if row["name"] == "main"]
    with closing(sqlite3.connect(path)) as plain:
        plain.execute("UPDATE dogs SET age = age + 1")
        plain.commit()


def rolled_back(db: Database) -> None:
    try:
        with db.atomic():
            db["dogs"].delete_where("age > 0")
            raise LookupError
    except LookupError:
        pass


def extracted(db: Database) -> None:
    db["dogs"].extract("breed")


STEPS: dict[str, Callable[[Database], Any]] = {
    "insert": lambda db: db["dogs"].insert_all(DOGS, pk="id").last_pk,
    "insert many": lambda db: db["cats"].insert_all(CATS, pk="id", batch_size=70).count,
    "insert twice": lambda db: db["dogs"].insert(DOGS[0]),
    "upsert": lambda db: db["dogs"].upsert({"id": 2, "age": 11}, pk="id").last_pk,
    "update": lambda db: db["dogs"].update(1, {"name": "Cleo II"}).last_pk,
    "alter": lambda db: db["dogs"].insert({"id": 4, "name": "Rex", "breed": "Pug"}, alter=True).last_pk,
    "elsewhere": elsewhere,
    "rolled back": rolled_back,
    "add a column": lambda db: db["dogs"].add_column("seen", str, not_null_default="no"),
    "convert": lambda db: db["dogs"].convert("name", str.upper).last_pk,
    "transform": lambda db: str(db["dogs"].transform(types={"age": str}, rename={"weight": "kg"}).schema),
    "extract": extracted,
    "search": lambda db: db["dogs"].enable_fts(["name"], create_triggers=True).detect_fts(),
    "many to many": lambda db: db["dogs"].update(1).m2m("friends", {"id": 9, "name": "Tom"}, pk="id").last_pk,
    "view": lambda db: db.create_view("old", "SELECT name FROM dogs WHERE age > 5").view_names(),
    "own function": lambda db: db.register_function(lambda text: text[::-1], name="backwards"),
    "index": lambda db: db["dogs"].create_index(["age"]).indexes,
    "delete": lambda db: db["cats"].delete_where("kind = ?", [1]).count,
    "drop": lambda db: db["cats"].drop(),
    "vacuum": lambda db: db.vacuum(),
    "dump": lambda db: list(db.iterdump()),
}
READS: dict[str, Callable[[Database], Any]] = {
    "rows": lambda db: list(db["dogs"].rows),
    "rows where": lambda db: list(db["dogs"].rows_where("age > ?", [4], order_by="age desc, id", select="id, name")),
    "query": lambda db: list(db.query("SELECT age, count(*) AS n FROM dogs GROUP BY age")),
    "query with names": lambda db: list(db.query("SELECT * FROM cats WHERE kind = :kind LIMIT 5", {"kind": 0})),
    "get": lambda db: db["dogs"].get(2),
    "not found": lambda db: db["dogs"].get(99),
    "count": lambda db: db["cats"].count,
    "tables": lambda db: db.table_names(),
    "schema": lambda db: db.schema,
    "columns": lambda db: db["dogs"].columns,
    "foreign keys": lambda db: db["dogs"].foreign_keys,
    "search": lambda db: list(db["dogs"].search("cleo")),
    "own function": lambda db: list(db.query("SELECT backwards(name) AS n FROM dogs")),
    "analysis": lambda db: db["cats"].analyze_column("kind"),
}


@pytest.mark.parametrize("file", ["sqlite_path", "sqlite_wal_path"], ids=["delete", "wal"])
def test_story(file: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """Each step and each read has the same outcome as on the raw driver; many reads come from memory."""
    with (
        Database(sqlite3.connect(tmp_path / "raw.db")) as raw,
        Database(_proxied(request.getfixturevalue(file))) as proxied,
    ):
        assert tell(STEPS, READS, raw) == tell(STEPS, READS, proxied)
        assert proxied.conn.proxydb.stats().hits > 200


def test_memory() -> None:
    """So it is in a database in memory."""
    steps = {name: step for name, step in STEPS.items() if name != "elsewhere"}
    with Database(sqlite3.connect(":memory:")) as raw, Database(_proxied(":memory:")) as proxied:
        assert tell(steps, READS, raw) == tell(steps, READS, proxied)
        assert proxied.conn.proxydb.stats().hits > 200


def _proxied(path: Any) -> Any:
    connection = proxydb.sqlite3.connect(path)
    connection._config = proxydb.Config(admission=0)
    return connection
