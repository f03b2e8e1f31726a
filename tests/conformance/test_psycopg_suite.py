"""psycopg's own suite passes on the drop-in wherever it passes on psycopg, and the comparison notices where not."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import psycopg
import pytest

from tests.conformance.psycopg_suite import compare, version_of

CHECKOUT = os.environ.get("PROXYDB_PSYCOPG_CHECKOUT")
MISSING = "psycopg's tests are in no package: PROXYDB_PSYCOPG_CHECKOUT names a checkout of its sources"

CONFTEST = """
def pytest_addoption(parser):
    parser.addoption("--test-dsn")
"""
TESTS = """
import psycopg

def test_passes_on_both(request):
    with psycopg.connect(request.config.getoption("--test-dsn")) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)

def test_passes_on_psycopg_only():
    assert psycopg.__name__ == "psycopg"

def test_passes_on_none():
    assert False
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A directory like a checkout of psycopg, with three tests."""
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "conftest.py").write_text(CONFTEST)
    (tmp_path / "tests" / "test_cursor.py").write_text(TESTS)
    (tmp_path / "tests" / "test_cursor_async.py").write_text(TESTS)
    return tmp_path


def test_comparison(checkout: Path, postgres_dsn: str) -> None:
    """The comparison swaps the module in, and lists what passes on psycopg only."""
    comparison = compare(Path(sys.executable), checkout, postgres_dsn, whole=False)
    assert comparison.worse == ["tests.test_cursor::test_passes_on_psycopg_only"]
    assert comparison.proxied["tests.test_cursor::test_passes_on_both"] == "passed"


@pytest.mark.parametrize("name", ["pyproject.toml", "setup.cfg"])
def test_version_of_checkout(tmp_path: Path, name: str) -> None:
    """A checkout's release is read from its package's own files."""
    (tmp_path / "psycopg").mkdir()
    quote = '"' if name.endswith("toml") else ""
    (tmp_path / "psycopg" / name).write_text(f"[project]\nname = psycopg\nversion = {quote}3.3.9{quote}\n")
    assert version_of(tmp_path) == "3.3.9"


@pytest.mark.skipif(CHECKOUT is None, reason=MISSING)
def test_no_new_failure(postgres_dsn: str) -> None:
    """Every test on the synchronous classes that passes on psycopg passes on ours."""
    checkout = Path(CHECKOUT or "").resolve()
    assert version_of(checkout) == psycopg.__version__
    comparison = compare(Path(sys.executable), checkout, postgres_dsn, whole=False)
    assert comparison.raw
    assert comparison.worse == []
