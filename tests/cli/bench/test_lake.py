"""`proxydb bench lake` at a small scale, on SQLite and on Postgres in one run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import psycopg
import pytest

from proxydb.cli import main
from proxydb.cli.bench.lake import rounds
from proxydb.cli.bench.lake.classes import CLASSES
from proxydb.cli.bench.lake.delta_questions import QUESTIONS
from proxydb.cli.bench.lake.measured import SIDES
from proxydb.lake import OPERATIONS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.postgres_server import PostgresServer

SMALL = ["bench", "lake", "--scale", "600", "--seconds", "0.01"]
NUMBERS = [*(operation.number for operation in OPERATIONS), "commit"]
ON_DATABASES = ["raw", "indexed", "cold", "warm"]


@pytest.fixture(scope="module")
def run(postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> tuple[int, dict[str, Any], Path]:
    """One run on both systems: its status, its JSON, and the directory of its chart."""
    directory = tmp_path_factory.mktemp("bench")
    files = ["--json", str(directory / "r.json"), "--chart", str(directory / "r.svg")]
    status = main([*SMALL, "--postgres", postgres_server.dsn(), *files])
    return status, json.loads((directory / "r.json").read_text()), directory


def test_every_operation_on_both_systems(run: tuple[int, dict[str, Any], Path]) -> None:
    """All operations by number, and the commit, were measured on all sides, with equal rows."""
    status, told, _ = run
    assert (status, told["complete"], told["mismatches"]) == (0, True, [])
    measured = [(each["system"], each["number"]) for each in told["results"]]
    assert measured == [(system, number) for system in ("sqlite", "postgresql") for number in NUMBERS]
    sides = [[side for side in ON_DATABASES if each["ms"].get(side, 0) > 0] for each in told["results"]]
    assert all(
        found == [side for side in ON_DATABASES if side != "cold" or n % 27 < 26] for n, found in enumerate(sides)
    )


def test_repeated_reads_were_answered_from_memory(run: tuple[int, dict[str, Any], Path]) -> None:
    """The most expensive operation is far faster through the proxy once it was asked before."""
    [fleet] = [each for each in run[1]["results"] if (each["system"], each["number"]) == ("sqlite", "24")]
    assert fleet["times_faster_than"]["raw"] > 3


def test_deltalake_was_asked(run: tuple[int, dict[str, Any], Path]) -> None:
    """The questions that deltalake can answer were asked of it three ways, and its answers compared."""
    asked = [
        each["number"] for each in run[1]["results"] if each["system"] == "sqlite" and len(each["ms"]) == len(SIDES)
    ]
    assert asked == [number for number in NUMBERS if number in QUESTIONS]


def test_verdicts(run: tuple[int, dict[str, Any], Path]) -> None:
    """Each operation has its class and a verdict."""
    words = {each["verdict"].split(" ", 1)[0]: each["class"] for each in run[1]["results"]}
    assert words == {kind: kind for kind in "ABCDE"}
    assert sorted(CLASSES) == sorted(NUMBERS)


def test_the_chart(run: tuple[int, dict[str, Any], Path]) -> None:
    """It is SVG with a line for each operation on each system, and a mark for each side."""
    texts = list(ElementTree.parse(run[2] / "r.svg").iter("{http://www.w3.org/2000/svg}text"))
    labels = [str(text.text).split()[0] for text in texts if text.get("text-anchor") == "end"]
    assert (labels, set(SIDES.values()) <= {str(text.text) for text in texts}) == (NUMBERS * 2, True)


def test_no_database_is_left(run: tuple[int, dict[str, Any], Path], postgres_server: PostgresServer) -> None:
    """The server has no database of the benchmark any more."""
    with psycopg.connect(postgres_server.dsn()) as connection:
        assert connection.execute("SELECT 1 FROM pg_database WHERE datname LIKE 'proxydb_bench_%'").fetchall() == []


def test_text_for_people(capsys: pytest.CaptureFixture[str], temporary: Path) -> None:
    """A table with a line for each operation, and what the columns mean; the temporary files are gone."""
    assert main([*SMALL, "--no-deltalake"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines if line.split()[:1] and line.split()[0] in NUMBERS] == NUMBERS
    assert (lines[-1], list(temporary.iterdir())) == ("other rows than the plain driver: none", [])


def test_a_difference_fails_the_run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Were rows different, the exit status and the last line would say so."""
    monkeypatch.setattr(rounds, "same_rows", lambda expected, found: False)
    assert main([*SMALL, "--no-deltalake"]) == 1
    assert "sqlite 01 cold" in capsys.readouterr().out.splitlines()[-1]


def test_ctrl_c_prints_what_there_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], temporary: Path
) -> None:
    """Interrupted at the third operation, the run shows the first two and removes its files."""
    real = rounds.Rounds.run

    def interrupted(self: rounds.Rounds, seconds: float, limit: float) -> None:
        if self.measured.number == "02n":
            raise KeyboardInterrupt
        real(self, seconds, limit)

    monkeypatch.setattr(rounds.Rounds, "run", interrupted)
    assert (main([*SMALL, "--no-deltalake"]), list(temporary.iterdir())) == (130, [])
    out = capsys.readouterr().out
    shown = [line.split()[0] for line in out.splitlines() if line.split()[:1] and line.split()[0] in NUMBERS]
    assert (shown, "interrupted, this is what there is" in out) == (["01", "02"], True)


def test_nothing_to_measure(capsys: pytest.CaptureFixture[str]) -> None:
    """Without any database the way out is named."""
    assert main([*SMALL, "--no-sqlite"]) == 2
    assert "give --postgres" in capsys.readouterr().err


def test_a_server_that_is_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    """A SQLite file is no Postgres server."""
    assert main([*SMALL, "--no-sqlite", "--postgres", "some.db"]) == 2
    assert "libpq conninfo" in capsys.readouterr().err
