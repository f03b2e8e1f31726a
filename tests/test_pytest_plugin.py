"""The pytest plugin, in test suites of its own."""

from __future__ import annotations

import json
import sqlite3
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytest_plugins = ["pytester"]

SUITE = """
import sqlite3, pytest, sqlalchemy

@pytest.fixture
def connection():
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE t (a)")
    yield connection
    connection.close()

def ask(connection, times):
    for number in range(times):
        connection.execute("SELECT a FROM t WHERE a = ?", (number,)).fetchall()

def test_many(connection):
    ask(connection, 30)

@pytest.mark.max_statements(3)
def test_few(connection):
    ask(connection, 3)
    connection.commit()

@pytest.mark.max_statements(3)
def test_too_many(connection):
    ask(connection, 4)
    connection.execute("SELECT 1")

@pytest.mark.max_statements(0)
def test_sqlalchemy():
    with sqlalchemy.create_engine("sqlite://").connect() as connection:
        connection.execute(sqlalchemy.text("SELECT 2"))

@pytest.mark.max_statements("many")
def test_wrong_mark():
    pass

def test_none():
    pass
"""


@pytest.fixture
def suite(pytester: pytest.Pytester) -> pytest.Pytester:
    """A suite with limits, one of them not kept."""
    pytester.makepyfile(test_suite=SUITE)
    return pytester


def run(suite: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    """Run the suite."""
    return suite.runpytest("-p", "no:cacheprovider", *arguments)


def test_limits(suite: pytest.Pytester) -> None:
    """A test above its limit fails, and is told the most frequent statements; its fixtures do not count."""
    done = run(suite)
    done.assert_outcomes(passed=3, failed=3)
    done.stdout.fnmatch_lines(
        [
            "*5 statements, at most 3 are allowed; the most frequent:",
            "*4x  select a from t where a = ?",
            "*1x  select ?",
            "*2 statements, at most 0 are allowed; the most frequent:",
            "*max_statements takes one number, as in max_statements(10), not ?'many'?",
        ]
    )
    done.stdout.no_fnmatch_line("*statements (proxydb)*")


def test_the_report(suite: pytest.Pytester) -> None:
    """Tests with the number of their statements, then the statements, and N+1 groups with their line."""
    done = run(suite, "--proxydb-report")
    done.stdout.fnmatch_lines(
        [
            "*= statements (proxydb) =*",
            "*31  test_suite.py::test_many",
            "*6  test_suite.py::test_too_many",
            "*4  test_suite.py::test_few",
            "46 statements, *",
            "*  select a from t where a = ?",
            "N+1: *",
            "*30x*test_suite.py:12 ask  select a from t where a = ?",
        ]
    )


@pytest.mark.parametrize("name", ["report.json", "report.html", "report.txt"])
def test_a_report_in_a_file(name: str, suite: pytest.Pytester) -> None:
    """The suffix says the kind."""
    done = run(suite, f"--proxydb-report={name}")
    done.stdout.fnmatch_lines(["*31  test_suite.py::test_many", f"the report is in {name}"])
    text = (suite.path / name).read_text(encoding="utf-8")
    if name.endswith("json"):
        assert [group["calls"] for group in json.loads(text)["repeated"]] == [30]
    assert "select a from t where a = ?" in text


def test_a_file_of_tests_is_not_written_over(suite: pytest.Pytester) -> None:
    """A name with another suffix is refused."""
    done = run(suite, "--proxydb-report", "test_suite.py")
    assert (done.ret, (suite.path / "test_suite.py").read_text().strip()) == (
        pytest.ExitCode.USAGE_ERROR,
        SUITE.strip(),
    )
    done.stderr.fnmatch_lines(["*--proxydb-report=test_suite.py: the name of a report ends in .html, .json, .txt*"])


def test_with_workers(suite: pytest.Pytester) -> None:
    """What the workers of pytest-xdist have executed is added up."""
    done = run(suite, "--proxydb-report", "-n", "2")
    done.assert_outcomes(passed=3, failed=3)
    done.stdout.fnmatch_lines(["*31  test_suite.py::test_many", "46 statements, *", "*30x*test_suite.py:12 ask *"])


def test_it_does_nothing_unasked(pytester: pytest.Pytester) -> None:
    """Without the option and without a limit no driver is loaded or patched."""
    pytester.makepyfile(
        """
        import sys
        def test_nothing():
            assert "proxydb.pytest_plugin" in sys.modules
            loaded = {"sqlite3", "psycopg", "proxydb.dbapi.instrument"} & set(sys.modules)
            assert loaded <= {"sqlite3"}
            import sqlite3
            assert type(sqlite3.connect).__name__ == "builtin_function_or_method"
        """
    )
    pytester.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=1)


def test_on_postgres(pytester: pytest.Pytester, postgres_dsn: str, tmp_path: Path) -> None:
    """psycopg is counted, too; BEGIN and COMMIT are not statements."""
    pytester.makepyfile(
        f"""
        import psycopg, pytest
        @pytest.mark.max_statements(2)
        def test_two():
            with psycopg.connect({postgres_dsn!r}) as connection:
                connection.execute("SELECT 1")
                connection.execute("SELECT 'a'")
        @pytest.mark.max_statements(1)
        def test_one():
            with psycopg.connect({postgres_dsn!r}) as connection:
                connection.execute("SELECT 1")
                connection.execute("SELECT 'a'")
        """
    )
    done = run(pytester)
    done.assert_outcomes(passed=1, failed=1)
    done.stdout.fnmatch_lines(["*2 statements, at most 1*", "*2x  select ?"])


def test_this_suite_is_not_patched() -> None:
    """The plugin is loaded here, too."""
    assert ("proxydb.pytest_plugin" in sys.modules, type(sqlite3.connect).__name__) == (
        True,
        "builtin_function_or_method",
    )
