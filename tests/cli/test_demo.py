"""`proxydb demo` at a small scale."""

from __future__ import annotations

import json
import sqlite3
import tempfile
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any

import pytest
import structlog

import proxydb.lake
from proxydb.cli import comparison, demo, main
from proxydb.cli.plain_driver import driver_error, open_plain, system_of
from proxydb.lake import OPERATIONS
from tests.lake.written_logs import add, remove, write_log

if TYPE_CHECKING:
    from pathlib import Path

SMALL = ["demo", "--scale", "300", "--repeat", "4"]


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary directories are made, empty again after every demo."""
    directory = tmp_path / "temporary"
    directory.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(directory))
    return directory


def report(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    """What `proxydb demo --json` prints at a small scale."""
    status = main([*SMALL, *arguments, "--json"])
    out, err = capsys.readouterr()
    assert (status, err.count("error")) == (0, 0)
    return json.loads(out)  # type: ignore[no-any-return]


def test_the_demo_compares_every_operation(capsys: pytest.CaptureFixture[str], temporary: Path) -> None:
    """Every operation ran on both sides with equal rows, some from memory, and nothing is left behind."""
    told = report(capsys)
    assert [row["number"] for row in told["operations"]] == [operation.number for operation in OPERATIONS]
    assert (told["system"], told["mismatches"], told["foreign_commits"]) == ("sqlite", 0, 1)
    assert (told["hit_rate"] > 0.3, told["stats"]["hits"] > 100, list(temporary.iterdir())) == (True, True, [])


def test_the_slow_log_shows(capsys: pytest.CaptureFixture[str]) -> None:
    """The slowest statement was logged, with its fingerprint and its duration."""
    event = report(capsys)["slow_query"]
    assert (event["event"], event["db.system.name"], event["db.operation.name"]) == ("slow_query", "sqlite", "SELECT")


def test_structlog_stays_as_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    """The demo collects events, and gives the configuration back."""
    before = structlog.get_config()["processors"]
    report(capsys)
    assert structlog.get_config()["processors"] == before


def test_text_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    """A table with a line for each operation, the hit rate, the comparison and a slow-log line; progress beside it."""
    assert main(SMALL) == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert [line.split()[0] for line in lines[2 : 2 + len(OPERATIONS)]] == [
        operation.number for operation in OPERATIONS
    ]
    assert "stale or different: 0 of " in out
    assert [line.split(":")[0] for line in lines[-4:]] == ["sqlite", "hit rate", "stale or different", "slow log"]
    assert ("importing 10/10" in err, "comparing 4/4" in err) == (True, True)


def test_a_given_target_is_left_as_it_was(target: str, capsys: pytest.CaptureFixture[str]) -> None:
    """On every system the demo runs in a database without a lake, and removes the tables that it made."""
    assert report(capsys, "--target", target)["mismatches"] == 0
    assert not has_lake(target)


def has_lake(target: str) -> bool:
    """Whether a database holds the tables of a lake."""
    with closing(open_plain(target)) as connection, suppress(driver_error(system_of(target))):
        connection.execute("SELECT * FROM dl_tables")
        return True
    return False


def test_a_lake_keeps_its_tables(sqlite_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A target with tables of its own has them, and only them, afterwards."""
    log = write_log(tmp_path / "mine", [add("a"), add("b")], [remove("a")])
    with proxydb.lake.open(sqlite_path) as lake:
        lake.import_delta(log)
    before = dump(sqlite_path)
    report(capsys, "--target", str(sqlite_path))
    assert dump(sqlite_path) == before


def dump(path: Path) -> list[str]:
    """Everything in a SQLite file, as SQL."""
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


def test_a_given_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A table of the user's own is measured, here without the operations on partitions and statistics that it lacks."""
    log = write_log(tmp_path / "mine", [add("a"), add("b")], [remove("a")])
    told = report(capsys, "--delta", str(log))
    assert (told["files"], told["mismatches"]) == (1, 0)
    assert (
        {"02", "24"} <= {row["number"] for row in told["operations"]} <= {each.number for each in OPERATIONS} - {"08"}
    )


def test_a_log_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str], temporary: Path) -> None:
    """A path without a log is an error, and nothing is left behind."""
    assert (main(["demo", "--delta", str(tmp_path)]), list(temporary.iterdir())) == (2, [])
    assert "holds no Delta log" in capsys.readouterr().err


def test_a_difference_fails_the_demo(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Were a result different, the exit status would say so."""
    monkeypatch.setattr(comparison, "same_rows", lambda expected, found: False)
    assert main([*SMALL, "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["mismatches"] > 0


@pytest.mark.parametrize(
    ("expected", "found", "same"),
    [
        ([(1,), (2,)], [(2,), (1,)], True),
        ([(1,), (1,)], [(1,)], False),
        ([(1,)], [(1.0,)], False),
        ([(1,)], [(True,)], False),
        ([({"a": 1},)], [({"a": 1},)], True),
    ],
)
def test_same_rows(expected: list[Any], found: list[Any], same: bool) -> None:
    """Rows are compared as multisets, types included."""
    assert comparison.same_rows(expected, found) is same


def test_ctrl_c_cleans_up(
    target: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], temporary: Path
) -> None:
    """Interrupted between two rounds, the demo removes what it made."""

    def interrupted(*_arguments: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(demo, "_run_rounds", interrupted)
    assert (main([*SMALL, "--target", target]), list(temporary.iterdir())) == (130, [])
    assert not has_lake(target)
