"""`proxydb explain` on both systems."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

import proxydb
from proxydb.cli import main
from proxydb.cli.explain import readable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def explain(target: str, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs `proxydb explain` on a database with a table `t`, and gives what it prints."""
    connection = proxydb.connect(target)
    connection.execute("CREATE TABLE t (a INTEGER, b TEXT)")
    connection.commit()
    connection.close()

    def run(*arguments: str) -> str:
        assert main(["explain", *arguments, "--target", target]) == 0
        return capsys.readouterr().out

    return run


def test_a_statement_that_is_kept(explain: Callable[..., str]) -> None:
    """A plain read may be kept, and says what it reads."""
    told = json.loads(explain("SELECT a FROM t", "--json"))
    assert (told["kind"], told["cacheable"], told["reason"], told["writes"]) == ("read", True, "", [])


@pytest.mark.parametrize("sql", ["SELECT random()", "UPDATE t SET a = 1", "DROP TABLE t", "BEGIN"])
def test_a_statement_that_is_not_kept(sql: str, explain: Callable[..., str]) -> None:
    """What may not be kept says why, and is not executed."""
    told = json.loads(explain(sql, "--json"))
    assert (told["cacheable"], bool(told["reason"])) == (False, True)
    assert json.loads(explain("SELECT a FROM t", "--json"))["cacheable"]


def test_text_for_people(explain: Callable[..., str]) -> None:
    """The SQL is laid out in lines after the facts."""
    lines = explain("SELECT a, count(*) FROM t WHERE b = 'x' GROUP BY a").splitlines()
    assert [line.split()[0] for line in lines[:5]] == ["fingerprint", "kind", "reads", "writes", "cacheable"]
    assert [line.strip() for line in lines[-4:]] == ["count(*)", "FROM t", "WHERE b = 'x'", "GROUP BY a"]


def test_parameters_are_json_or_text(sqlite_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A parameter is JSON where it can be, so that its type is known; anything else is text."""
    parameters = [word for value in ("1", "null", '"1"', "plain text") for word in ("--param", value)]
    sql = "SELECT * FROM sqlite_master WHERE ? IS ? OR name IN (?, ?)"
    assert main(["explain", sql, *parameters, "--target", str(sqlite_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["cacheable"]


def test_no_file_is_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A SQLite file that is not there is an error, and is still not there afterwards."""
    path = tmp_path / "missing.db"
    assert (main(["explain", "SELECT 1", "--target", f"sqlite:///{path}"]), path.exists()) == (2, False)
    assert "there is no SQLite database" in capsys.readouterr().err


def test_a_text_that_no_formatter_takes() -> None:
    """Text that is too long to be laid out is shown as it is."""
    with closing(proxydb.connect(":memory:")) as connection:
        sql = f"SELECT {', '.join(['1'] * 20_000)}"
        assert sql in readable(connection.proxydb.explain(sql))
