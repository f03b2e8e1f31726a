"""N+1 groups: what is counted together, and what ends a run."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

import proxydb
from proxydb.config import Config
from proxydb.observe import repeats
from proxydb.observe.callsites import Scope, application_frame, is_application, locate
from proxydb.observe.repeats import EVERY, MANY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxydb.observe.profile import Profile

ONE = "SELECT ?"


@pytest.fixture
def profile() -> Iterator[Profile]:
    """Installed for recording only."""
    yield proxydb.install(Config(cache="off"))
    proxydb.uninstall()


@pytest.fixture
def connection(profile: Profile) -> Iterator[sqlite3.Connection]:
    """A recorded connection in memory, with a table."""
    with closing(sqlite3.connect(":memory:")) as opened:
        opened.execute("CREATE TABLE t (a)")
        yield opened


def groups(profile: Profile) -> list[tuple[int, int, int]]:
    """Runs, calls and the largest of each group."""
    return [(group.runs, group.calls, group.largest) for group in profile.report().repeated]


def test_a_loop_is_a_group(connection: sqlite3.Connection, profile: Profile) -> None:
    """Many executions from one line are a group, with the line and the function."""
    for number in range(MANY + 5):
        connection.execute(ONE, (number,))
    [group] = profile.report().repeated
    assert (group.calls, group.function, group.fingerprint) == (MANY + 5, "test_a_loop_is_a_group", "select ?")
    assert group.site.startswith(f"{__file__}:")


def test_few_are_none(connection: sqlite3.Connection, profile: Profile) -> None:
    """Fewer than many are no group."""
    for number in range(MANY - 1):
        connection.execute(ONE, (number,))
    assert groups(profile) == []


def ask(connection: sqlite3.Connection) -> Any:
    """A function with one statement."""
    return connection.execute(ONE, (1,)).fetchone()


def test_a_function_that_is_called_in_a_loop(connection: sqlite3.Connection, profile: Profile) -> None:
    """The line is that of the statement, in the function; the run is that of the loop."""
    for _ in range(3 * MANY):
        ask(connection)
    [group] = profile.report().repeated
    assert (group.runs, group.calls, group.function) == (1, 3 * MANY, "ask")


def test_literals_in_the_text(connection: sqlite3.Connection, profile: Profile) -> None:
    """Texts that differ by their literals are one statement."""
    for number in range(MANY):
        connection.execute(f"SELECT {number}")
    assert groups(profile) == [(1, MANY, MANY)]


def test_two_lines_are_two_groups(connection: sqlite3.Connection, profile: Profile) -> None:
    """The same statement from two lines is not added up."""
    for number in range(MANY):
        connection.execute(ONE, (number,))
        connection.execute(ONE, (number,))
    assert groups(profile) == [(1, MANY, MANY), (1, MANY, MANY)]


def requested(connection: sqlite3.Connection, times: int) -> None:
    """A request, as a server's code in another package calls it."""
    for number in range(times):
        connection.execute(ONE, (number,))


def serve(*requests: tuple[Any, ...]) -> None:
    """Calls the application from what counts as a library."""
    names: dict[str, Any] = {"requests": requests, "requested": requested}
    code = "for connection, times in requests: requested(connection, times)"
    exec(compile(code, "/usr/lib/python3/dist-packages/server.py", "exec"), names)


def test_each_request_is_a_run_of_its_own(connection: sqlite3.Connection, profile: Profile) -> None:
    """A statement of each of many requests is no group; what one request repeats is one."""
    serve(*[(connection, 1)] * (3 * MANY))
    assert groups(profile) == []
    serve((connection, MANY), (connection, MANY + 2), (connection, 1))
    assert groups(profile) == [(2, 2 * MANY + 2, MANY + 2)]


@pytest.mark.parametrize("how", ["commit", "rollback", "text", "with"])
def test_a_transaction_ends_a_run(how: str, connection: sqlite3.Connection, profile: Profile) -> None:
    """One statement in each of many transactions is no group."""
    ends = {
        "commit": connection.commit,
        "rollback": connection.rollback,
        "text": lambda: connection.execute("COMMIT"),
        "with": lambda: connection.__exit__(None, None, None),
    }
    for number in range(3 * MANY):
        connection.execute("INSERT INTO t VALUES (?)", (number,))
        ends[how]()
    assert [group for group in profile.report().repeated if group.fingerprint.startswith("insert")] == []


def test_what_one_transaction_repeats_is_a_group_each_time(connection: sqlite3.Connection, profile: Profile) -> None:
    """Groups of several transactions are runs of one group."""
    for _ in range(3):
        for number in range(MANY):
            connection.execute("INSERT INTO t VALUES (?)", (number,))
        connection.commit()
    assert (3, 3 * MANY, MANY) in groups(profile)


def test_many_runs_are_added_up(
    connection: sqlite3.Connection, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When there are many runs they are folded, and one that goes on after that loses nothing."""
    monkeypatch.setattr(repeats, "_FAR", 4)
    monkeypatch.setattr(repeats, "EXACT", 10_000)
    serve(*[(connection, MANY + 3)] * 23)
    for number in range(MANY + 50):
        connection.execute(ONE, (number,))
        if number == MANY + 20:
            serve(*[(connection, MANY)] * 9)
    assert sorted(groups(profile)) == [(1, MANY + 50, MANY + 50), (32, 23 * (MANY + 3) + 9 * MANY, MANY + 3)]


def test_under_a_tracer_frames_are_left_alone(connection: sqlite3.Connection, profile: Profile) -> None:
    """While a debugger or a coverage tool traces, nothing is put into frames, and loops are found all the same."""
    before = sys.gettrace()
    sys.settrace(lambda *_: None)
    try:
        for number in range(MANY):
            connection.execute(ONE, (number,))
        mark = sys._getframe().f_trace
    finally:
        sys.settrace(before)
    assert (type(mark) is Scope, groups(profile)) == (False, [(1, MANY, MANY)])


def test_a_scope_ends_with_its_frame() -> None:
    """A function that is called again has another scope."""

    def call() -> Scope:
        return locate(sys._getframe())[1]

    code = "scopes = [call() for _ in range(2)]"
    names: dict[str, Any] = {"call": call}
    exec(compile(code, "/usr/lib/python3/dist-packages/library.py", "exec"), names)
    assert names["scopes"][0] is not names["scopes"][1]


def test_what_is_the_applications() -> None:
    """Tests are; Python's own modules, installed packages and proxydb are not."""
    files = [__file__, sqlite3.__file__, pytest.__file__, proxydb.__file__, "<frozen runpy>"]
    assert list(map(is_application, files)) == [True, False, False, False, False]
    assert application_frame(sys._getframe()) is sys._getframe()


def test_what_is_executed_very_often_is_looked_at_now_and_then(
    connection: sqlite3.Connection, profile: Profile
) -> None:
    """The number of a large group is right to within the distance of two looks."""
    for number in range(5_000):
        connection.execute(ONE, (number,))
    [(runs, calls, largest)] = groups(profile)
    assert (runs, calls, abs(calls - 5_000) < EVERY) == (1, largest, True)


def test_looks_now_and_then_find_no_false_group(connection: sqlite3.Connection, profile: Profile) -> None:
    """One statement in each of very many requests is no group."""
    serve(*[(connection, 1)] * 3_000)
    assert groups(profile) == []
