"""`proxydb bench load`, for a few seconds."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from proxydb.cli import main
from proxydb.cli.bench.load import trial
from proxydb.cli.bench.load.mix import PHASES
from proxydb.cli.bench.load.order import SIDES

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.postgres_server import PostgresServer
    from tests.sqlite_files import SqliteFiles

SMALL = ["bench", "load", "--scale", "600", "--seconds", "1.2", "--turns", "1", "--clients", "4"]


def arguments(system: SqliteFiles | PostgresServer) -> list[str]:
    """Those of a small run on one system."""
    return SMALL if system.name == "sqlite" else [*SMALL, "--no-sqlite", "--postgres", system.dsn()]  # type: ignore[union-attr]


def test_a_short_run(system: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Threads of several processes read and commit in all phases on both sides, and nothing is stale or locked."""
    assert main([*arguments(system), "--seconds", "2", "--commits", "1", "--json", str(tmp_path / "r.json")]) == 0
    told = json.loads((tmp_path / "r.json").read_text())
    [(_, found)] = told["systems"].items()
    assert (told["complete"], told["faults"], found["violations"]) == (True, [], {"raw": 0, "proxied": 0})
    assert [(each["phase"], each["side"]) for each in found["phases"]] == [(p.name, s) for p in PHASES for s in SIDES]
    assert all(each["reads"] > 0 and each["lock_errors"] == 0 for each in found["phases"])
    assert sum(each["commits"] for each in found["phases"]) > 0
    assert (found["hit_rate"] > 0, found["checked"] > 0, found["replayed"] > 0) == (True, True, True)
    assert "no stale read" in capsys.readouterr().out.splitlines()[-1]


def test_the_long_tail(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Reads that do not come twice are not answered from memory, and throughput has a verdict."""
    assert main([*SMALL, "--long-tail", "--json", str(tmp_path / "r.json")]) == 0
    assert json.loads((tmp_path / "r.json").read_text())["systems"]["sqlite"]["hit_rate"] < 0.05
    assert "90%" in capsys.readouterr().out


def test_ctrl_c_prints_what_there_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], temporary: Path
) -> None:
    """Interrupted in the second slot, the run shows the first, and leaves neither files nor processes."""
    real, started = trial.Trial._let_run, list[subprocess.Popen[bytes]]()

    def interrupted(self: trial.Trial, number: int, slot: Any, board: Any, workers: Any) -> None:
        started[:] = workers
        if number == 1:
            raise KeyboardInterrupt
        real(self, number, slot, board, workers)

    monkeypatch.setattr(trial.Trial, "_let_run", interrupted)
    assert (main(SMALL), list(temporary.iterdir())) == (130, [])
    assert all(worker.poll() is not None for worker in started)
    assert "steady" in capsys.readouterr().out


def test_a_process_that_fails(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Its last words are told, and the run does not go on without it."""
    failing = [sys.executable, "-c", "import sys; print('ready', flush=True); sys.exit('no more memory')"]
    real = subprocess.Popen
    monkeypatch.setattr(trial.subprocess, "Popen", lambda command, **options: real(failing, **options))
    assert main(SMALL) == 2
    assert "a process of the load test failed: no more memory" in capsys.readouterr().err


def test_faults_fail_the_run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Were a sample's rows those of no version, the exit status and the last lines would say so."""
    monkeypatch.setattr(trial, "replayed_wrongly", lambda sample, *_others: f"{sample.number} was stale")
    assert main(SMALL) == 1
    assert "was stale" in capsys.readouterr().out.splitlines()[-1]


def test_ranges_cross_processes(tmp_path: Path) -> None:
    """What parameters are drawn from can be handed over."""
    from proxydb.lake import ParameterRanges

    empty = ParameterRanges(1, (0, 1), (0, 1), "", (), "", (0, 0), "", (), "", (), ())
    assert pickle.loads(pickle.dumps(empty)) == empty
