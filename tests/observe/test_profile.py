"""The profile of a process outlives connections, is added up once, and starts anew in a forked child."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
import structlog

import proxydb
from proxydb.config import Config
from proxydb.observe import profile as room
from proxydb.observe.record import Tally

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from proxydb.observe.profile import Profile

SLOW = Config(cache="off", slow_ms=5)


@pytest.fixture
def profile() -> Iterator[Profile]:
    """Installed for recording only."""
    yield proxydb.install(Config(cache="off"))
    proxydb.uninstall()


def read(path: Any, times: int = 1) -> None:
    """Open a connection, read, and close it."""
    with closing(sqlite3.connect(path)) as connection:
        for _ in range(times):
            connection.execute("SELECT 1").fetchall()


def slow(path: Any = ":memory:") -> None:
    """A statement that takes long."""
    with closing(sqlite3.connect(path)) as connection:
        connection.create_function("sleep", 1, time.sleep)
        connection.execute("SELECT sleep(0.02), 'secret'").fetchall()


def test_closed_connections_stay_in_the_profile(profile: Profile, tmp_path: Path) -> None:
    """The database is gone with its last connection, what it counted is not."""
    for name in ("a", "b", "a"):
        read(tmp_path / name, times=2)
    assert {(each.namespace[-1], each.calls, each.rows) for each in profile.report().statements} == {
        ("a", 4, 4),
        ("b", 2, 2),
    }


def test_many_databases_are_added_up_once(profile: Profile, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Recorders that nobody uses are let go, and count once, also when their database is used again."""
    monkeypatch.setattr(room, "_RECORDERS_KEPT", 3)
    with proxydb.database(tmp_path / "held.db", config=Config(cache="off")):
        for _ in range(5):
            read(tmp_path / "held.db")
            for number in range(4):
                read(tmp_path / f"{number}.db")
        assert sum(each.calls for each in profile.report().statements if each.fingerprint == "select ?") == 25


def test_slow_statements_are_kept_with_their_plan(profile: Profile) -> None:
    """The longest execution of each, with plan and call site, and no literal."""
    proxydb.install(SLOW)
    with structlog.testing.capture_logs() as events:
        slow()
    [one] = profile.report().slow
    assert (one.fingerprint, one.site.rpartition(":")[0], one.seconds >= 0.02) == ("select sleep(?), ?", __file__, True)
    assert [event["event"] for event in events] == ["slow_query"]
    assert [each.slow for each in profile.report().statements] == [1]


def test_a_quiet_profile_logs_nothing() -> None:
    """Slow statements are for the report only."""
    profile = proxydb.install(SLOW, quiet=True)
    try:
        with structlog.testing.capture_logs() as events:
            slow()
    finally:
        proxydb.uninstall()
    assert (events, len(profile.report().slow)) == ([], 1)


def test_a_forked_child_starts_anew(profile: Profile, tmp_path: Path) -> None:
    """What the parent has counted is not counted again, also on a connection that the child has taken over."""
    read(":memory:", times=3)
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("SELECT 2")
        child = os.fork()
        if not child:
            connection.execute("SELECT 3")
            (tmp_path / "calls").write_text(str(profile.report().calls))
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
    assert ((tmp_path / "calls").read_text(), profile.report().calls) == ("1", 4)


def test_a_tally_survives_json() -> None:
    """What is written is what is read."""
    tally = Tally()
    for nanoseconds in (1, 5_000, 5_100, 7_000_000):
        tally.add(nanoseconds)
    tally.rows = 3
    read_back = Tally.from_dict(tally.to_dict())
    assert (read_back.to_dict(), read_back.calls) == (tally.to_dict(), 4)
