"""The command itself: help, version, exit statuses, and errors of one line."""

from __future__ import annotations

import sqlite3
from importlib.metadata import version
from typing import TYPE_CHECKING

import pytest

from proxydb import cli
from proxydb.cli import demo, main
from proxydb.cli.arguments import COMMANDS

if TYPE_CHECKING:
    from pathlib import Path

NAMES = list(COMMANDS)


def one_line(capsys: pytest.CaptureFixture[str]) -> str:
    """What stands on the standard error, which is one line, while nothing stands on the output."""
    out, err = capsys.readouterr()
    assert (out, err.count("\n"), err[-1:]) == ("", 1, "\n")
    return err


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """The version is that of the installed package."""
    assert (main(["--version"]), capsys.readouterr().out) == (0, f"proxydb {version('proxydb')}\n")


@pytest.mark.parametrize("arguments", [[], *([name] for name in NAMES)], ids=["proxydb", *NAMES])
def test_help(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """There is help for the command and for each subcommand."""
    assert main([*arguments, "--help"]) == 0
    assert capsys.readouterr().out.startswith(" ".join(["usage: proxydb", *arguments]))


@pytest.mark.parametrize(
    "arguments", [[], ["nonsense"], ["demo", "--scale", "0"], ["demo", "--repeat", "x"], ["explain"]], ids=" ".join
)
def test_wrong_arguments(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Wrong arguments are told in one line that says where the help is."""
    assert main(arguments) == 2
    assert "--help" in one_line(capsys)


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("mysql://user:hunter2@host/db", "scheme 'mysql'"),
        ("nowhere.db", "there is no SQLite database at 'nowhere.db'"),
        ("host=/nowhere password=hunter2", "No such file"),
        ("host=/nowhere password='hunter2'", "No such file"),
        ("postgresql://user:hunter2@host:port/db", ""),
        ("postgresql://user:hunter%322@host:port/db", ""),
        ("postgresql://user:a@hunter2@localhost:1/db", ""),
    ],
)
def test_a_bad_target(target: str, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A target that cannot be used is told in one line, without its password."""
    assert main(["explain", "SELECT 1", "--target", target]) == 2
    line = one_line(capsys)
    assert (line.startswith("proxydb: error: "), told in line, "hunter" in line) == (True, True, False)


def test_not_a_database(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The driver's own error is told in one line."""
    (tmp_path / "letter.txt").write_text("Dear database, " * 100)
    assert main(["explain", "SELECT 1", "--target", str(tmp_path / "letter.txt")]) == 2
    assert one_line(capsys) == "proxydb: error: file is not a database\n"


@pytest.mark.parametrize(
    ("error", "status", "told"),
    [
        (KeyboardInterrupt(), 130, "proxydb: interrupted\n"),
        (ZeroDivisionError("division by zero"), 2, "proxydb: error: ZeroDivisionError: division by zero\n"),
        (
            sqlite3.OperationalError("disk I/O error\nHINT:  buy one"),
            2,
            "proxydb: error: disk I/O error HINT: buy one\n",
        ),
        (OSError(28, "No space left on device"), 2, "proxydb: error: [Errno 28] No space left on device\n"),
        (ValueError(), 2, "proxydb: error: ValueError: ValueError\n"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_whatever_goes_wrong(
    error: BaseException, status: int, told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing leaves a traceback."""

    def fail(_arguments: object) -> int:
        raise error

    monkeypatch.setattr(demo, "run", fail)
    assert (cli.main(["demo"]), one_line(capsys)) == (status, told)
