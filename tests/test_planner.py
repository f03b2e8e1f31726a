"""`plan` makes of a text what the executor needs to know, and never fails."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxydb.cache.admission import Admission
from proxydb.drivers.base import EVERYTHING, NOTHING, Analysis
from proxydb.planner import Plan, opaque, plan
from proxydb.sql.classify import Kind

ADMISSION = Admission(2.0)
KNOWN = Analysis(frozenset({"t"}), NOTHING)


def _planned(sql: str, analysis: Analysis = KNOWN, system: str = "sqlite") -> Plan:
    return plan(sql, system, lambda _sql: analysis, 7, ADMISSION)


def test_text_is_kept() -> None:
    """The plan holds the text as it was written."""
    assert _planned("Select  1 -- one").sql == "Select  1 -- one"


def test_short_forms() -> None:
    """The plan holds both short forms of the text."""
    made = _planned("SELECT a FROM t WHERE a = 'X'")
    assert (made.form, made.fingerprint) == ("select a from t where a = 'X'", "select a from t where a = ?")


def test_first_word() -> None:
    """The plan holds the first word, in lower case."""
    assert _planned("(SELECT 1)").first == "select"


def test_generation_and_admission() -> None:
    """The plan holds what it was made for."""
    made = _planned("SELECT a FROM t")
    assert (made.generation, made.admission) == (7, ADMISSION)


def test_read_is_cacheable() -> None:
    """A read that the database does not refuse may be kept."""
    assert _planned("SELECT a FROM t").cacheable


def test_refused_read_is_not_cacheable() -> None:
    """A read that is refused may not be kept."""
    assert not _planned("SELECT random()", Analysis(refusal="calls a function")).cacheable


@pytest.mark.parametrize(
    "sql", ["INSERT INTO t VALUES (1)", "CREATE TABLE t (a)", "BEGIN", "PRAGMA x", "EXPLAIN SELECT 1"]
)
def test_nothing_but_reads_is_cacheable(sql: str) -> None:
    """Only the rows of reads may be kept."""
    assert not _planned(sql).cacheable


@pytest.mark.parametrize("sql", ["SELECT a FROM t", "INSERT INTO t VALUES (1)", "WITH x AS (SELECT 1) DELETE FROM t"])
def test_reads_and_writes_are_analysed(sql: str) -> None:
    """The database is asked about reads and writes."""
    assert _planned(sql).analysis is KNOWN


REASONS = {
    "CREATE TABLE t (a)": "changes the schema",
    "BEGIN": "controls a transaction",
    "PRAGMA foreign_keys": "changes the session",
    "CALL p()": "is neither a plain read nor a plain write",
    "EXPLAIN SELECT 1": "is neither a plain read nor a plain write",
    "": "is neither a plain read nor a plain write",
    "SELECT 1; SELECT 2": "several statements in one text",
    "BEGIN; COMMIT": "several statements in one text",
}


@pytest.mark.parametrize("sql", REASONS)
def test_nothing_else_is_analysed(sql: str) -> None:
    """About any other statement the database is not asked; it may change everything, and the plan says why."""

    def never(_sql: str) -> Analysis:
        raise AssertionError("asked")

    analysis = plan(sql, "sqlite", never, 0, ADMISSION).analysis
    assert (analysis.writes, analysis.refusal) == (EVERYTHING, REASONS[sql])


@pytest.mark.parametrize("sql", ["SELECT a FROM t", "DELETE FROM t"])
def test_failing_analysis(sql: str) -> None:
    """An analysis that raises makes a plan that keeps nothing and may change everything."""

    def fail(_sql: str) -> Analysis:
        raise ZeroDivisionError

    analysis = plan(sql, "sqlite", fail, 0, ADMISSION).analysis
    assert (analysis.writes, analysis.refusal) == (EVERYTHING, "could not be analysed: ZeroDivisionError")


NAMED = {
    "SELECT ?": False,
    "SELECT ?1": False,
    "SELECT 1": False,
    "SELECT ':a'": False,
    "SELECT :a": True,
    "SELECT @a": True,
    "SELECT $a": True,
    "SELECT ?, :a": True,
}


@pytest.mark.parametrize("sql", NAMED)
def test_named_placeholders(sql: str) -> None:
    """The plan knows whether placeholders have names."""
    assert NAMED[sql] == _planned(sql).named


@pytest.mark.parametrize(("sql", "named"), {"SELECT %s": False, "SELECT %(a)s": True, "SELECT 1 %% 2": False}.items())
def test_named_placeholders_on_postgres(sql: str, named: bool) -> None:
    """The same goes for psycopg's placeholders."""
    assert named == _planned(sql, system="postgresql").named


HARMLESS = {
    "EXPLAIN SELECT a FROM t": True,
    "EXPLAIN QUERY PLAN DELETE FROM t": True,
    "PRAGMA table_info(t)": True,
    "PRAGMA main.index_list('t')": True,
    "EXPLAIN ANALYZE DELETE FROM t": False,
    "EXPLAIN (ANALYZE) DELETE FROM t": False,
    "PRAGMA foreign_keys": False,
    "PRAGMA journal_mode = wal": False,
    "PRAGMA journal_mode(wal)": False,
    "PRAGMA user_version = 5": False,
    "SELECT a FROM t": False,
}


@pytest.mark.parametrize("sql", HARMLESS)
def test_harmless(sql: str) -> None:
    """EXPLAIN and PRAGMAs that only ask change nothing; a PRAGMA that may set something is not among them."""
    assert HARMLESS[sql] == _planned(sql).harmless


LONG = "SELECT '" + "x" * 100_000 + "'"


def test_long_text_is_not_looked_into() -> None:
    """A text that is too long is sent as it is, and nothing of it is kept."""
    made = _planned(LONG)
    assert (made.kind, made.cacheable, made.analysis.writes) == (Kind.OTHER, False, EVERYTHING)


def test_long_text_is_known_by_its_beginning() -> None:
    """A text that is too long has a short fingerprint."""
    assert len(_planned(LONG).fingerprint) < 300


def test_long_text_shows_no_literal() -> None:
    """The fingerprint of a text that is too long holds no literal either."""
    assert "xxx" not in _planned(LONG).fingerprint


def test_opaque() -> None:
    """The plan of a text that was not looked into says why."""
    assert opaque("SELECT 1", "no reason", 3, ADMISSION).analysis == Analysis(refusal="no reason")


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
@given(sql=st.text())
def test_every_text_has_a_plan(database: str, sql: str) -> None:
    """Any text has a plan, which holds it."""
    assert _planned(sql, system=database).sql == sql
