"""A run is compared with an earlier one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from proxydb.cli import main
from proxydb.cli.bench.lake.regression import changes
from proxydb.cli.bench.lake.report import FORMAT

if TYPE_CHECKING:
    from pathlib import Path


def result(**milliseconds: float) -> dict[str, Any]:
    """A run with one operation."""
    measured = {"system": "sqlite", "number": "03", "ms": milliseconds}
    return {"format": FORMAT, "actions": 600, "seed": 0, "results": [measured]}


@pytest.mark.parametrize(
    ("earlier", "now", "slower"),
    [
        (result(raw=10.0, warm=1.0), result(raw=10.0, warm=1.4), False),
        (result(raw=10.0, warm=1.0), result(raw=10.0, warm=1.6), True),
        (result(raw=10.0, warm=1.0), result(raw=20.0, warm=2.0), False),
        (result(raw=0.01, warm=0.001), result(raw=0.01, warm=0.002), False),
    ],
)
def test_what_counts(earlier: dict[str, Any], now: dict[str, Any], slower: bool) -> None:
    """Times count as multiples of the plain driver's, beyond the tolerance and the clock's resolution."""
    [change] = changes(earlier, now, 0.5)
    assert change.slower is slower


def test_what_was_not_measured_before_is_left_out() -> None:
    """A side that only one run has is no change."""
    assert changes(result(raw=1.0), result(raw=1.0, warm=1.0), 0.5) == []


RUN = ["bench", "lake", "--scale", "300", "--seconds", "0.01", "--no-deltalake"]


@pytest.fixture(scope="module")
def earlier_run(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The JSON of a run."""
    file = tmp_path_factory.mktemp("earlier") / "earlier.json"
    assert main([*RUN, "--json", str(file)]) == 0
    return file.read_text()


@pytest.mark.parametrize(("faster", "status"), [(1, 0), (10_000, 1)])
def test_the_exit_status(
    earlier_run: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], faster: int, status: int
) -> None:
    """1 when something got slower, here than an earlier run whose times are divided."""
    told = json.loads(earlier_run)
    for each in told["results"]:
        each["ms"] = {side: time if side == "raw" else time / faster for side, time in each["ms"].items()}
    (tmp_path / "earlier.json").write_text(json.dumps(told))
    assert main([*RUN, "--compare", str(tmp_path / "earlier.json"), "--tolerance", "1000"]) == status
    assert "compared with the earlier run" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["no json", "[]", '{"format": 0, "results": []}'])
def test_something_else_than_a_result(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    """A file that no run has written is an error before anything is measured."""
    (tmp_path / "file").write_text(text)
    assert main(["bench", "lake", "--compare", str(tmp_path / "file")]) == 2
    assert "--json" in capsys.readouterr().err


def test_another_fleet() -> None:
    """Runs of different tables are not compared."""
    with pytest.raises(Exception, match="actions 600"):
        changes(result(raw=1.0), {**result(raw=1.0), "actions": 700}, 0.5)
