"""`explain` says what proxydb makes of a statement, and why it would not keep its rows."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

import proxydb
from proxydb.config import Config
from proxydb.sql.fingerprint import fingerprint_id

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SCHEMA = """
CREATE TABLE t (a INTEGER PRIMARY KEY, b);
CREATE TABLE u (a REFERENCES t ON DELETE CASCADE);
CREATE TABLE log (a);
CREATE VIEW v AS SELECT b FROM t;
CREATE TRIGGER x AFTER INSERT ON t BEGIN INSERT INTO log VALUES (new.a); END;
INSERT INTO t VALUES (1, 'one');
"""


@pytest.fixture
def connection(sqlite_path: Path) -> Iterator[Any]:
    """A connection to a database with two tables, a view, a trigger and a cascade."""
    with closing(sqlite3.connect(sqlite_path)) as beside:
        beside.executescript(SCHEMA)
    with closing(proxydb.connect(sqlite_path)) as connection:
        yield connection


READS = {
    "SELECT b FROM t": ("t",),
    "SELECT b FROM T, u": ("t", "u"),
    "SELECT b FROM v": ("t", "v"),
    "SELECT (SELECT count(*) FROM u)": ("u",),
    "WITH t AS (SELECT a FROM u) SELECT a FROM t": ("u",),
}
WRITES = {
    "INSERT INTO log VALUES (1)": ("log",),
    "INSERT INTO t VALUES (2, 'x')": ("log", "t"),
    "DELETE FROM t": ("t", "u"),
    "UPDATE u SET a = 1": ("u",),
}
REASONS = {
    "SELECT random() FROM t": "calls a function that may give another result each time: random",
    "SELECT 1": "reads no table",
    "SELECT missing FROM t": "not understood outside its connection: no such column: missing",
    "DELETE FROM log WHERE a IN (SELECT a FROM t)": "is a write",
    "CREATE TABLE w (a)": "changes the schema",
    "BEGIN": "controls a transaction",
    "PRAGMA foreign_keys": "changes the session",
    "EXPLAIN SELECT 1": "is neither a plain read nor a plain write",
    "SELECT 1; SELECT 2": "several statements in one text",
}


@pytest.mark.parametrize("sql", READS)
def test_reads(connection: Any, sql: str) -> None:
    """It names the tables and views that a statement reads."""
    assert READS[sql] == connection.proxydb.explain(sql).reads


@pytest.mark.parametrize("sql", WRITES)
def test_writes(connection: Any, sql: str) -> None:
    """It names the tables that a statement changes, also by triggers and cascades."""
    assert WRITES[sql] == connection.proxydb.explain(sql).writes


@pytest.mark.parametrize(
    "sql", ["CREATE TABLE w (a)", "PRAGMA foreign_keys = ON", "ATTACH ':memory:' AS w", "nonsense"]
)
def test_unknown_writes(connection: Any, sql: str) -> None:
    """What may change anything changes a star."""
    assert connection.proxydb.explain(sql).writes == ("*",)


@pytest.mark.parametrize("sql", READS)
def test_cacheable(connection: Any, sql: str) -> None:
    """A plain read may be kept, and there is no reason why not."""
    explanation = connection.proxydb.explain(sql)
    assert (explanation.cacheable, explanation.reason) == (True, "")


@pytest.mark.parametrize("sql", REASONS)
def test_reason(connection: Any, sql: str) -> None:
    """What may not be kept has a reason in plain words."""
    explanation = connection.proxydb.explain(sql)
    assert (False, REASONS[sql]) == (explanation.cacheable, explanation.reason)


@pytest.mark.parametrize("sql", ["INSERT INTO log VALUES (1)", "INSERT INTO log VALUES (random())"])
def test_reason_of_a_write(connection: Any, sql: str) -> None:
    """A write is not kept because it is a write."""
    assert connection.proxydb.explain(sql).reason == "is a write"


def test_parameters(connection: Any) -> None:
    """Parameters that have to be adapted are a reason."""
    explanation = connection.proxydb.explain("SELECT b FROM t WHERE a = ?", (object(),))
    assert explanation.reason == "a parameter of a type that has to be adapted"


def test_cache_off(sqlite_path: Path) -> None:
    """That the cache is off is a reason."""
    with closing(proxydb.connect(sqlite_path, config=Config(cache="off"))) as connection:
        assert connection.proxydb.explain("SELECT b FROM t").reason == "the cache is off"


def test_in_memory() -> None:
    """A database in memory explains with its own connection."""
    with closing(proxydb.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE t (a)")
        assert connection.proxydb.explain("SELECT a FROM t").cacheable


def test_short_forms(connection: Any) -> None:
    """It holds the fingerprint, its number, the kind and the text."""
    explanation = connection.proxydb.explain("SELECT b FROM t WHERE a = 5")
    text = "select b from t where a = ?"
    assert (text, fingerprint_id(text), "read", "SELECT b FROM t WHERE a = 5") == (
        explanation.fingerprint,
        explanation.fingerprint_id,
        explanation.kind,
        explanation.sql,
    )


def test_nothing_is_executed(connection: Any) -> None:
    """A statement that is explained is not executed."""
    connection.proxydb.explain("DELETE FROM t")
    assert connection.execute("SELECT count(*) FROM t").fetchall() == [(1,)]


def test_transaction_is_left_alone(connection: Any) -> None:
    """Explaining neither begins nor ends a transaction of the connection that is asked."""
    connection.execute("INSERT INTO log VALUES (1)")
    connection.proxydb.explain("SELECT a FROM log")
    assert connection.in_transaction


def test_json(connection: Any) -> None:
    """It goes through JSON."""
    explanation = connection.proxydb.explain("SELECT b FROM t")
    assert json.loads(json.dumps(explanation.to_dict()))["reads"] == ["t"]


def test_printed(connection: Any) -> None:
    """Printed, each fact is a line."""
    assert str(connection.proxydb.explain("SELECT b FROM t WHERE a = 1")).splitlines()[1:] == [
        "kind         read",
        "reads        t",
        "writes       -",
        "cacheable    yes",
        "sent as      SELECT b FROM t WHERE a = 1",
    ]


def test_printed_refusal(connection: Any) -> None:
    """Printed, a refusal says why, and unknown effects are anything."""
    assert str(connection.proxydb.explain("DROP TABLE t")).splitlines()[1:] == [
        "kind         ddl",
        "reads        -",
        "writes       anything",
        "cacheable    no: changes the schema",
        "sent as      DROP TABLE t",
    ]
