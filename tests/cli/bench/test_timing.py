"""Calls are timed alone or in blocks, and statements that take too long are given up."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from proxydb.cli.bench.lake import timing
from proxydb.cli.bench.lake.timing import BLOCKS, TimeLimit, limited, timed
from proxydb.cli.plain_driver import driver_error, open_plain, system_of

if TYPE_CHECKING:
    from collections.abc import Callable

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


def counting(seconds: float) -> tuple[list[int], Callable[[], int]]:
    """A call that takes a while, and the list that counts its calls."""
    calls: list[int] = []

    def call() -> int:
        calls.append(1)
        time.sleep(seconds)
        return len(calls)

    return calls, call


def test_a_long_call_runs_once() -> None:
    """What it gave, and at least as many ms as it slept."""
    calls, call = counting(0.03)
    result, milliseconds = timed(call)
    assert (result, len(calls), milliseconds >= 30) == (1, 1, True)


def test_a_disturbed_call_is_timed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """What held up the first call for some milliseconds does not count."""
    monkeypatch.setattr(timing, "LONG_MS", 10_000.0)
    calls: list[int] = []

    def call() -> None:
        time.sleep(0 if calls else 0.3)
        calls.append(1)

    assert (timed(call)[1] < 300, len(calls)) == (True, 1 + BLOCKS)


def test_a_short_call_runs_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """It gives what the first call gave."""
    monkeypatch.setattr(timing, "BLOCK_MS", 100.0)
    calls, call = counting(0)
    assert (timed(call)[0], len(calls) > BLOCKS) == (1, True)


def test_what_cannot_be_repeated_runs_once() -> None:
    """However short it is."""
    calls, call = counting(0)
    timed(call, repeatable=False)
    assert len(calls) == 1


def test_a_statement_is_given_up(target: str) -> None:
    """An endless statement ends, and the connection goes on."""
    with closing(open_plain(target)) as connection:
        system = system_of(target)
        with pytest.raises(TimeLimit), limited(connection, system, 0.1, driver_error(system)):
            connection.execute(ENDLESS).fetchall()
        assert connection.execute("SELECT 1").fetchall() == [(1,)]


def test_other_errors_pass(target: str) -> None:
    """An error within the limit is the driver's own."""
    with closing(open_plain(target)) as connection:
        error = driver_error(system_of(target))
        with pytest.raises(error, match="nothing"), limited(connection, system_of(target), 60, error):
            connection.execute("SELECT * FROM nothing")
