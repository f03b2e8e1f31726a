"""`classify` tells a statement's kind from its words, and calls unknown what it is not sure of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxydb.sql.classify import Kind, classify, first_word, is_several, locks_rows
from proxydb.sql.tokens import tokenize

READ, WRITE, DDL = Kind.READ, Kind.WRITE, Kind.DDL
TRANSACTION, SESSION, OTHER = Kind.TRANSACTION, Kind.SESSION, Kind.OTHER

KINDS = {
    "SELECT 1": READ,
    "select * from t where a = 'insert'": READ,
    "(SELECT 1) UNION SELECT 2": READ,
    "((SELECT 1))": READ,
    "SELECT 1;": READ,
    "SELECT 1; -- done": READ,
    "SELECT 1;;": READ,
    "-- a comment\nSELECT 1": READ,
    "/* DELETE */ SELECT 1": READ,
    "VALUES (1), (2)": READ,
    "WITH a AS (SELECT 1) SELECT * FROM a": READ,
    "WITH RECURSIVE a(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM a) SELECT n FROM a": READ,
    "WITH a AS (SELECT 1) SELECT replace(b, 'x', 'y') FROM a": READ,
    'WITH a AS (SELECT 1) SELECT "update" FROM a': READ,
    "SELECT 'a' || ';' || 'b'": READ,
    "SELECT a FROM t FOR UPDATE": READ,
    "SELECT a FROM t FOR NO KEY UPDATE NOWAIT": READ,
    "INSERT INTO t VALUES (1)": WRITE,
    "insert into t select * from u": WRITE,
    "INSERT INTO t VALUES (1) RETURNING a": WRITE,
    "INSERT OR REPLACE INTO t VALUES (1)": WRITE,
    "REPLACE INTO t VALUES (1)": WRITE,
    "UPDATE t SET a = 1": WRITE,
    "DELETE FROM t": WRITE,
    "MERGE INTO t USING u ON t.a = u.a WHEN MATCHED THEN DELETE": WRITE,
    "WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a": WRITE,
    "WITH a AS (SELECT 1) UPDATE t SET b = 1": WRITE,
    "WITH a AS (SELECT 1) DELETE FROM t": WRITE,
    "WITH a AS (DELETE FROM t RETURNING *) SELECT * FROM a": WRITE,
    "WITH a AS (INSERT INTO t VALUES (1) RETURNING a) SELECT * FROM a": WRITE,
    "WITH a AS (UPDATE t SET b = 1 RETURNING a) SELECT * FROM a": WRITE,
    "(WITH a AS (DELETE FROM t RETURNING *) SELECT * FROM a)": WRITE,
    "SELECT a INTO u FROM t": WRITE,
    "SELECT * INTO TEMP u FROM t": WRITE,
    "WITH a AS (SELECT 1) SELECT * INTO u FROM a": WRITE,
    "CREATE TABLE t (a)": DDL,
    "CREATE TABLE t AS SELECT 1": DDL,
    "CREATE INDEX CONCURRENTLY i ON t (a)": DDL,
    "ALTER TABLE t ADD b": DDL,
    "DROP TABLE t": DDL,
    "TRUNCATE t": DDL,
    "COMMENT ON TABLE t IS 'x'": DDL,
    "REINDEX t": DDL,
    "VACUUM": DDL,
    "ANALYZE": DDL,
    "REFRESH MATERIALIZED VIEW v": DDL,
    "GRANT SELECT ON t TO u": DDL,
    "REVOKE SELECT ON t FROM u": DDL,
    "BEGIN": TRANSACTION,
    "begin immediate": TRANSACTION,
    "START TRANSACTION READ ONLY": TRANSACTION,
    "COMMIT": TRANSACTION,
    "END": TRANSACTION,
    "ROLLBACK TO SAVEPOINT a": TRANSACTION,
    "ABORT": TRANSACTION,
    "SAVEPOINT a": TRANSACTION,
    "RELEASE a": TRANSACTION,
    "SET search_path = a": SESSION,
    "SET LOCAL timezone = 'UTC'": SESSION,
    "RESET ALL": SESSION,
    "DISCARD ALL": SESSION,
    "DEALLOCATE ALL": SESSION,
    "LOAD 'x'": SESSION,
    "PRAGMA foreign_keys": SESSION,
    "PRAGMA foreign_keys = ON": SESSION,
    "ATTACH 'x' AS y": SESSION,
    "DETACH y": SESSION,
    "EXPLAIN SELECT 1": OTHER,
    "EXPLAIN ANALYZE DELETE FROM t": OTHER,
    "EXPLAIN QUERY PLAN SELECT 1": OTHER,
    "SHOW search_path": OTHER,
    "CALL p()": OTHER,
    "COPY t FROM STDIN": OTHER,
    "COPY (SELECT 1) TO STDOUT": OTHER,
    "LOCK t": OTHER,
    "DO 'x'": OTHER,
    "LISTEN a": OTHER,
    "NOTIFY a": OTHER,
    "DECLARE c CURSOR FOR SELECT 1": OTHER,
    "FETCH ALL FROM c": OTHER,
    "PREPARE p AS SELECT 1": OTHER,
    "PREPARE TRANSACTION 'x'": OTHER,
    "EXECUTE p": OTHER,
    "CHECKPOINT": OTHER,
    "": OTHER,
    ";": OTHER,
    "; SELECT 1": OTHER,
    "-- nothing": OTHER,
    "1": OTHER,
    "'SELECT 1'": OTHER,
    '"SELECT" 1': OTHER,
    "selects 1": OTHER,
    "? SELECT": OTHER,
    ") SELECT 1": OTHER,
    "SELECT 1; SELECT 2": OTHER,
    "SELECT 1; DELETE FROM t": OTHER,
    "BEGIN; COMMIT": OTHER,
    "CREATE TRIGGER x AFTER INSERT ON t BEGIN DELETE FROM t; END": OTHER,
}
ON_POSTGRES = {
    "TABLE t": READ,
    "SELECT $$; DELETE FROM t$$": READ,
    "SELECT E'\\'; DELETE FROM t --'": READ,
    "SELECT /* /* */ ; */ 1": READ,
    "DO $$BEGIN DELETE FROM t; END$$": OTHER,
    "SELECT '\\'; DELETE FROM t --'": OTHER,
}
ON_SQLITE = {
    "SELECT [;] FROM t": READ,
    "SELECT `;` FROM t": READ,
    "SELECT '\\'; DELETE FROM t --'": OTHER,
    "SELECT /* /* */ 1": READ,
    "SELECT $a(;) FROM t": READ,
}
FIRST_WORDS = {"SELECT 1": "select", "((Values (1)))": "values", "'x'": "", "": "", "Selects": "selects"}
SEVERAL = {"a": False, "a;": False, "a;;": False, ";": False, "a; b": True, "a;;b": True}
LOCKING = {
    "SELECT a FROM t FOR UPDATE": True,
    "select a from t for update of t skip locked": True,
    "SELECT a FROM t FOR SHARE": True,
    "SELECT a FROM t FOR NO KEY UPDATE": True,
    "SELECT a FROM t FOR KEY SHARE": True,
    "SELECT a FROM t FOR /* c */ UPDATE": True,
    "SELECT * FROM (SELECT a FROM t FOR UPDATE) u": True,
    "SELECT a FROM t": False,
    "SELECT 'for update' FROM t": False,
    'SELECT "for" update FROM t': False,
    "SELECT substring(a for 3) FROM t": False,
    "SELECT a FROM t -- for update": False,
}


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
@pytest.mark.parametrize("sql", KINDS)
def test_kind(sql: str, database: str) -> None:
    """What both databases read alike has the same kind on both."""
    assert KINDS[sql] == classify(tokenize(sql, database))


@pytest.mark.parametrize("sql", ON_POSTGRES)
def test_kind_on_postgres(sql: str) -> None:
    """Postgres' own quotes and nested comments hide what is in them."""
    assert ON_POSTGRES[sql] == classify(tokenize(sql, "postgresql"))


@pytest.mark.parametrize("sql", ON_SQLITE)
def test_kind_on_sqlite(sql: str) -> None:
    """SQLite's own quotes hide what is in them, and its comments do not nest."""
    assert ON_SQLITE[sql] == classify(tokenize(sql, "sqlite"))


@pytest.mark.parametrize("sql", LOCKING)
def test_locks_rows(sql: str) -> None:
    """A SELECT that locks the rows which it reads is told by its words, wherever they stand."""
    assert LOCKING[sql] == locks_rows(tokenize(sql, "postgresql"))


@pytest.mark.parametrize(
    ("sql", "first"),
    {"SELECT 1": "select", "((Values (1)))": "values", "'x'": "", "": "", "Selects": "selects"}.items(),
)
def test_first_word(sql: str, first: str) -> None:
    """The first word is in lower case, and empty when a statement begins with none."""
    assert first == first_word(tokenize(sql, "sqlite"))


@pytest.mark.parametrize(("sql", "several"), SEVERAL.items())
def test_is_several(sql: str, several: bool) -> None:
    """A text is several statements when something other than a semicolon follows the first one."""
    assert several == is_several(tokenize(sql, "sqlite"))


@given(head=st.sampled_from(["INSERT INTO", "UPDATE", "DELETE FROM", "SELECT"]), tail=st.text())
def test_no_write_looks_like_a_read(head: str, tail: str) -> None:
    """Whatever follows the first word, no writing statement is taken for a read."""
    kind = classify(tokenize(f"{head} {tail}", "sqlite"))
    assert head == "SELECT" or kind in (WRITE, OTHER)
