"""The authorizer tells what a statement reads, writes and calls, through views, triggers and cascades."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from proxydb.drivers.base import EVERYTHING
from proxydb.drivers.sqlite.analysis import DETERMINISTIC, Authorizer, query_plan, schema_version

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMA = """
CREATE TABLE t (a INTEGER PRIMARY KEY, b, c GENERATED ALWAYS AS (upper(b)));
CREATE TABLE Mixed (a PRIMARY KEY);
CREATE TABLE parent (a PRIMARY KEY);
CREATE TABLE child (a REFERENCES parent ON DELETE CASCADE ON UPDATE SET NULL);
CREATE TABLE log (a);
CREATE TABLE counted (a INTEGER PRIMARY KEY AUTOINCREMENT);
CREATE TABLE bare (a PRIMARY KEY) WITHOUT ROWID;
CREATE VIEW v AS SELECT a FROM t;
CREATE VIEW w AS SELECT v.a FROM v, log;
CREATE VIEW editable AS SELECT a FROM bare;
CREATE INDEX i ON t (b);
CREATE TRIGGER on_insert AFTER INSERT ON Mixed BEGIN INSERT INTO log VALUES (new.a); END;
CREATE TRIGGER on_delete AFTER DELETE ON Mixed BEGIN DELETE FROM bare; END;
CREATE TRIGGER instead INSTEAD OF INSERT ON editable BEGIN INSERT INTO bare VALUES (new.a); END;
CREATE VIRTUAL TABLE words USING fts5 (text);
"""


@pytest.fixture(scope="module")
def connection() -> Iterator[sqlite3.Connection]:
    """A database with every kind of table and trigger."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.executescript(SCHEMA)
        yield connection


@pytest.fixture(scope="module")
def authorizer(connection: sqlite3.Connection) -> Authorizer:
    """What listens on it."""
    return Authorizer(connection)


READS = {
    "SELECT b FROM t": {"t"},
    "SELECT b FROM t WHERE a = ?": {"t"},
    "SELECT b FROM t WHERE a = :a AND b = $b": {"t"},
    "SELECT a FROM mixed": {"mixed"},
    "SELECT a FROM MIXED": {"mixed"},
    "SELECT c FROM t": {"t"},
    "SELECT 1 FROM t": {"t"},
    "SELECT count(*) FROM t": {"t"},
    "SELECT EXISTS (SELECT 1 FROM log)": {"log"},
    "SELECT a FROM v": {"v", "t"},
    "SELECT a FROM w": {"w", "v", "t", "log"},
    "SELECT t.b FROM t JOIN log ON t.a = log.a": {"t", "log"},
    "SELECT t.b FROM t, log": {"t", "log"},
    "SELECT t.b FROM t WHERE a IN log": {"t", "log"},
    "SELECT a FROM t UNION SELECT a FROM log": {"t", "log"},
    "SELECT (SELECT max(a) FROM log) FROM t": {"t", "log"},
    "SELECT a FROM t WHERE a IN (SELECT a FROM bare)": {"t", "bare"},
    "SELECT a FROM t INDEXED BY i WHERE b = 1": {"t"},
    "SELECT name FROM sqlite_master": {"sqlite_master"},
    "WITH t AS (SELECT a FROM log) SELECT a FROM t": {"log"},
    "VALUES ((SELECT a FROM t))": {"t"},
}
WRITES = {
    "INSERT INTO log VALUES (1)": {"log"},
    "INSERT INTO log SELECT a FROM t": {"log"},
    "UPDATE log SET a = 1": {"log"},
    "DELETE FROM log": {"log"},
    "DELETE FROM log WHERE a = 1": {"log"},
    "REPLACE INTO t (a) VALUES (1)": {"t"},
    "INSERT INTO t (a) VALUES (1) ON CONFLICT DO UPDATE SET b = 1": {"t"},
    "INSERT INTO log VALUES (1) RETURNING a": {"log"},
    "INSERT INTO mixed VALUES (1)": {"mixed", "log"},
    "DELETE FROM mixed": {"mixed", "bare"},
    "REPLACE INTO mixed VALUES (1)": {"mixed", "log", "bare"},
    "DELETE FROM parent": {"parent", "child"},
    "UPDATE parent SET a = 1": {"parent", "child"},
    "INSERT INTO editable VALUES (1)": {"editable", "bare"},
    "WITH x AS (SELECT 1) DELETE FROM log": {"log"},
}
UNKNOWN = {
    "CREATE TABLE x (a)": "changes more than rows",
    "DROP TABLE log": "changes more than rows",
    "ALTER TABLE log ADD b": "changes more than rows",
    "PRAGMA user_version = 5": "changes more than rows",
    "ATTACH ':memory:' AS x": "changes more than rows",
    "SELECT missing FROM t": "not understood outside its connection: no such column: missing",
    "SELECT a FROM missing": "not understood outside its connection: no such table: missing",
    "SELECT own(a) FROM t": "not understood outside its connection: no such function: own",
    "SELECT a FROM t ORDER BY b COLLATE own": "not understood outside its connection: no such collation sequence: own",
    "SELEC 1": 'not understood outside its connection: near "SELEC": syntax error',
}
REFUSED = {
    "SELECT random() FROM t": "calls a function that may give another result each time: random",
    "SELECT date('now') FROM t": "calls a function that may give another result each time: date",
    "SELECT changes(), last_insert_rowid() FROM t": (
        "calls a function that may give another result each time: changes, last_insert_rowid"
    ),
    "SELECT current_timestamp FROM t": "calls a function that may give another result each time: current_timestamp",
    "SELECT name FROM pragma_table_info('t')": "changes more than rows",
    "SELECT seq FROM sqlite_sequence": "reads a table whose changes are not told: sqlite_sequence",
    "SELECT 1": "reads no table",
    "SELECT abs(?)": "reads no table",
}


@pytest.mark.parametrize("sql", READS)
def test_reads(authorizer: Authorizer, sql: str) -> None:
    """The read set names every table and view, in lower case."""
    assert READS[sql] == authorizer.analyse(sql).reads


JOINS = ["JOIN log USING (a)", "LEFT JOIN log USING (a)", "NATURAL JOIN log", "NATURAL LEFT JOIN log"]


@pytest.mark.parametrize("join", JOINS)
def test_reads_of_columns_joined_by_name(authorizer: Authorizer, join: str) -> None:
    """A table of which nothing but the columns that join it is read is in the read set, too."""
    assert authorizer.analyse(f"SELECT t.b FROM t {join}").reads == {"t", "log"}


@pytest.mark.parametrize("sql", READS)
def test_reads_may_be_kept(authorizer: Authorizer, sql: str) -> None:
    """A plain read changes nothing and is not refused."""
    analysis = authorizer.analyse(sql)
    assert (frozenset(), "") == (analysis.writes, analysis.refusal)


@pytest.mark.parametrize("sql", WRITES)
def test_writes(authorizer: Authorizer, sql: str) -> None:
    """The write set names every table that the statement, its triggers and its cascades change."""
    assert WRITES[sql] == authorizer.analyse(sql).writes


@pytest.mark.parametrize("sql", UNKNOWN)
def test_unknown(authorizer: Authorizer, sql: str) -> None:
    """What changes more than rows, or cannot be prepared, may change everything."""
    analysis = authorizer.analyse(sql)
    assert (EVERYTHING, UNKNOWN[sql]) == (analysis.writes, analysis.refusal)


@pytest.mark.parametrize("sql", REFUSED)
def test_refused(authorizer: Authorizer, sql: str) -> None:
    """A read whose rows must not be kept says why."""
    assert REFUSED[sql] == authorizer.analyse(sql).refusal


WORDS = {
    "SELECT text FROM words": "reads a table whose changes are not told: words",
    "INSERT INTO words VALUES ('x')": "changes more than rows",
}


@pytest.mark.parametrize("sql", WORDS)
def test_virtual_table(authorizer: Authorizer, sql: str) -> None:
    """A virtual table may have its rows elsewhere."""
    assert WORDS[sql] == authorizer.analyse(sql).refusal


def test_functions(authorizer: Authorizer) -> None:
    """The functions that a statement calls are named, in lower case."""
    assert authorizer.analyse("SELECT ABS(a), Upper(b) || lower(b) FROM t").functions == {"abs", "upper", "lower"}


def test_functions_of_generated_columns(authorizer: Authorizer) -> None:
    """The function of a virtual column is named where the column is read, of which SQLite's authorizer is silent."""
    named = [authorizer.analyse(f"SELECT {column} FROM t").functions for column in ("b", "c")]
    assert named == [frozenset(), {"upper"}]


def test_statement_is_not_run(authorizer: Authorizer, connection: sqlite3.Connection) -> None:
    """What is analysed is not executed."""
    authorizer.analyse("INSERT INTO log VALUES (1)")
    assert connection.execute("SELECT count(*) FROM log").fetchall() == [(0,)]


def test_second_analysis(authorizer: Authorizer) -> None:
    """The same text analysed again, when the driver has it at hand, says the same."""
    assert authorizer.analyse("SELECT b FROM t") == authorizer.analyse("SELECT b FROM t")


def test_nothing_is_left_of_the_one_before(authorizer: Authorizer) -> None:
    """What one statement does is not said of the next, also when the first one failed."""
    authorizer.analyse("SELECT a, missing FROM log")
    assert authorizer.analyse("SELECT b FROM t").reads == {"t"}


@pytest.mark.parametrize("sql", ["SELECT json_extract(b, '$.x') FROM t", "SELECT value FROM t, json_each(t.b)"])
def test_json(authorizer: Authorizer, sql: str) -> None:
    """JSON functions and their tables depend on what they are given alone."""
    analysis = authorizer.analyse(sql)
    assert (analysis.refusal, "t" in analysis.reads) == ("", True)


VOLATILE = ["random", "randomblob", "changes", "total_changes", "last_insert_rowid", "date", "time", "datetime"]
VOLATILE += ["julianday", "strftime", "unixepoch", "timediff", "current_timestamp", "sqlite_version", "load_extension"]


@pytest.mark.parametrize("name", VOLATILE)
def test_volatile_functions(name: str) -> None:
    """A function of time, chance or the session is not among the deterministic ones."""
    assert name not in DETERMINISTIC


def test_schema_version_grows(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Each change of the schema changes its version."""
    with closing(sqlite3.connect(tmp_path_factory.mktemp("schema") / "x.db")) as connection:
        before = schema_version(connection)
        connection.execute("CREATE TABLE x (a)")
        assert schema_version(connection) != before


def test_query_plan(connection: sqlite3.Connection) -> None:
    """The query plan is in SQLite's own words."""
    assert query_plan(connection, "SELECT b FROM t WHERE b = ?", ("x",)) == ["SEARCH t USING COVERING INDEX i (b=?)"]
