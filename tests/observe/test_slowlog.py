"""A slow statement is one structlog event: its facts, its place in the application, and nothing that is secret."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

import proxydb
from proxydb.config import Config
from proxydb.observe import slowlog
from proxydb.sql.fingerprint import fingerprint_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

NANOSECOND = 1e-6
SELECT = "SELECT a FROM t WHERE a <> 'literal hunter2' AND a <> ?"
SECRET = "parameter hunter2"
FACTS = {
    "event",
    "log_level",
    "db.system.name",
    "db.namespace",
    "db.query.text",
    "db.query.summary",
    "db.operation.name",
    "db.client.operation.duration",
    "fingerprint",
    "cache",
    "suppressed",
    "plan",
    "call_site",
}


@contextmanager
def _opened(path: Path, **options: Any) -> Iterator[Any]:
    """A connection on which every statement is slow, to a database with one row."""
    with closing(sqlite3.connect(path)) as beside:
        beside.executescript("CREATE TABLE t (a); INSERT INTO t VALUES ('x')")
    config = Config(**{"cache": "off", "slow_ms": NANOSECOND, "slow_interval": 0.0} | options)
    with closing(proxydb.connect(path, config=config)) as connection:
        yield connection


def _events(path: Path, *calls: Callable[[Any], Any], **options: Any) -> list[dict[str, Any]]:
    """The slow-query events of some calls."""
    with _opened(path, **options) as connection, capture_logs() as events:
        for call in calls:
            call(connection)
    return [event for event in events if event["event"] == "slow_query"]


def _select(connection: Any) -> Any:
    return connection.execute(SELECT, (SECRET,))


def _here() -> str:
    """The file and the line of the caller."""
    frame = sys._getframe(1)
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def test_facts(sqlite_path: Path) -> None:
    """An event has just these facts."""
    assert _events(sqlite_path, _select)[0].keys() == FACTS


def test_what_it_says_of_a_read(sqlite_path: Path) -> None:
    """An event names the system, the file, the statement without its values, and how SQLite runs it."""
    text = "select a from t where a <> ? and a <> ?"
    event = _events(sqlite_path, _select)[0]
    del event["db.client.operation.duration"], event["call_site"]
    assert event == {
        "event": "slow_query",
        "log_level": "warning",
        "db.system.name": "sqlite",
        "db.namespace": str(sqlite_path),
        "db.query.text": text,
        "db.query.summary": "SELECT",
        "db.operation.name": "SELECT",
        "fingerprint": fingerprint_id(text),
        "cache": "none",
        "suppressed": 0,
        "plan": ["SCAN t"],
    }


def test_summary_names_the_tables(sqlite_path: Path) -> None:
    """Where the read set is known, the summary names it."""
    assert _events(sqlite_path, _select, cache="strict")[0]["db.query.summary"] == "SELECT t"


def test_duration_is_in_seconds(sqlite_path: Path) -> None:
    """The duration is that of the statement, in seconds."""
    assert 0 < _events(sqlite_path, _select)[0]["db.client.operation.duration"] < 10


OUTCOMES = {
    "miss": (_select,),
    "hit": (_select, _select),
    "fetch": (lambda connection: connection.execute("SELECT abs(a) FROM t", ()).fetchall(),),
}


@pytest.mark.parametrize("outcome", ["miss", "hit"])
def test_cache_outcome(sqlite_path: Path, outcome: str) -> None:
    """An event tells a hit from a miss."""
    assert _events(sqlite_path, *OUTCOMES[outcome], cache="strict", admission=0)[-1]["cache"] == outcome


def test_slow_fetch(sqlite_path: Path) -> None:
    """A fetch that is slow is an event of its own."""
    assert [event["cache"] for event in _events(sqlite_path, *OUTCOMES["fetch"])] == ["none", "fetch"]


def test_write_has_no_plan(sqlite_path: Path) -> None:
    """SQLite is not asked how it runs a write."""
    assert _events(sqlite_path, lambda connection: connection.execute("DELETE FROM t"))[0]["plan"] == []


PATHS: dict[str, Callable[[Any], Any]] = {
    "SELECT": _select,
    "INSERT": lambda c: c.executemany("INSERT INTO t VALUES (?)", [(SECRET,)]),
    "UPDATE": lambda c: c.execute("UPDATE t SET a = 'literal hunter2' WHERE a = ?", (SECRET,)),
    "CREATE": lambda c: c.execute("CREATE TABLE u (a DEFAULT 'literal hunter2')"),
    "COMMIT": lambda c: [c.execute("DELETE FROM t"), c.commit()],
    "ROLLBACK": lambda c: [c.execute("DELETE FROM t"), c.rollback()],
    "BEGIN": lambda c: c.execute("BEGIN"),
    "EXPLAIN": lambda c: c.execute("EXPLAIN SELECT 'literal hunter2'"),
    "PRAGMA": lambda c: c.execute("PRAGMA user_version"),
    "EXECUTESCRIPT": lambda c: c.executescript("INSERT INTO t VALUES ('literal hunter2')"),
}


@pytest.mark.parametrize("operation", PATHS)
def test_every_path_is_logged(sqlite_path: Path, operation: str) -> None:
    """Whichever method runs a slow statement, it is an event."""
    assert operation in [event["db.operation.name"] for event in _events(sqlite_path, PATHS[operation])]


@pytest.mark.parametrize("operation", PATHS)
@pytest.mark.parametrize("options", [{}, {"cache": "strict"}, {"cache": "strict", "admission": 0}], ids=str)
def test_no_secret(sqlite_path: Path, operation: str, options: dict[str, Any]) -> None:
    """No event holds a literal or a parameter."""
    events = _events(sqlite_path, PATHS[operation], **options)
    assert (bool(events), "hunter2" in str(events)) == (True, False)


def test_no_secret_of_a_hit(sqlite_path: Path) -> None:
    """The event of a hit holds none either."""
    assert "hunter2" not in str(_events(sqlite_path, _select, _select, cache="strict", admission=0))


def test_parameters_when_they_may_be_logged(sqlite_path: Path) -> None:
    """With ``log_parameters=True`` an event holds the parameters, and still no literal."""
    event = _events(sqlite_path, _select, log_parameters=True)[0]
    assert (repr((SECRET,)), False) == (event["parameters"], "literal hunter2" in str(event))


def test_long_parameters_are_cut(sqlite_path: Path) -> None:
    """Long parameters and long texts do not make an event long."""
    long = "SELECT " + ", ".join(f"{number} AS column_{number}" for number in range(900)) + ", ?"
    event = _events(sqlite_path, lambda c: c.execute(long, ("x" * 10**6,)), log_parameters=True)[0]
    assert (len(event["parameters"]), len(event["db.query.text"])) == (2000, 2000)


def test_call_site_of_execute(sqlite_path: Path) -> None:
    """The call site is the line of the application that executed."""
    with _opened(sqlite_path) as connection, capture_logs() as events:
        connection.cursor().execute(SELECT, (SECRET,)), (line := _here())
    assert [line] == [event["call_site"] for event in events]


SITES: dict[str, Callable[[Any], tuple[Any, str]]] = {
    "connection.execute": lambda c: (c.execute("SELECT 1"), _here()),
    "executemany": lambda c: (c.executemany("DELETE FROM t WHERE a = ?", [(1,)]), _here()),
    "executescript": lambda c: (c.executescript("SELECT 1"), _here()),
    "commit": lambda c: (c.execute("DELETE FROM t"), c.commit(), _here())[1:],
    "fetchall": lambda c: (c.execute("SELECT 1").fetchall(), _here()),
    "explain": lambda c: (c.execute("EXPLAIN SELECT 1"), _here()),
}


@pytest.mark.parametrize("path", SITES)
@pytest.mark.parametrize("cache", ["off", "strict"])
def test_call_site(sqlite_path: Path, path: str, cache: str) -> None:
    """The call site is in this file for every path, with the cache on and off."""
    with _opened(sqlite_path, cache=cache) as connection, capture_logs() as events:
        _, line = SITES[path](connection)
    assert {line} == {event["call_site"] for event in events}


def test_call_site_outside_of_proxydb() -> None:
    """Asked by the application itself, the call site is the line that asked."""
    assert slowlog.call_site() == _here()


def test_interval_suppresses(sqlite_path: Path) -> None:
    """Within the interval a fingerprint is one event."""
    assert len(_events(sqlite_path, *[_select] * 10, slow_interval=60.0)) == 1


def test_interval_is_for_each_fingerprint(sqlite_path: Path) -> None:
    """Another fingerprint is another event."""
    calls = [_select, _select, PATHS["UPDATE"], PATHS["UPDATE"]]
    assert len(_events(sqlite_path, *calls, slow_interval=60.0)) == 2


def test_other_literals_are_the_same_fingerprint(sqlite_path: Path) -> None:
    """Statements that differ in their literals share an interval."""
    calls = [lambda c, n=n: c.execute(f"SELECT a FROM t WHERE a = {n}") for n in range(5)]
    assert len(_events(sqlite_path, *calls, slow_interval=60.0)) == 1


def test_suppressed_events_are_counted(sqlite_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first event after an interval tells how many were left out, and the next one starts anew."""
    clock = iter([0.0, 1.0, 59.0, 61.0, 62.0, 125.0])
    monkeypatch.setattr(slowlog.time, "monotonic", lambda: next(clock))
    with _opened(sqlite_path, slow_interval=60.0) as connection, capture_logs() as events:
        for _ in range(6):
            connection.cursor().execute(SELECT, (SECRET,))
    assert [event["suppressed"] for event in events] == [0, 2, 1]


def test_threshold_of_nothing_logs_nothing(sqlite_path: Path) -> None:
    """With ``slow_ms=0`` no statement is slow."""
    assert _events(sqlite_path, *PATHS.values(), slow_ms=0) == []


def test_fast_statements_are_not_logged(sqlite_path: Path) -> None:
    """A statement under the threshold is no event."""
    assert _events(sqlite_path, *PATHS.values(), slow_ms=60_000) == []


def test_failing_statement_keeps_its_error(sqlite_path: Path) -> None:
    """A statement that raises raises the driver's error, slow or not."""
    with _opened(sqlite_path) as connection, capture_logs(), pytest.raises(sqlite3.OperationalError, match="no such"):
        connection.execute("SELECT missing FROM t")


class _Unprintable:
    def __repr__(self) -> str:
        raise RuntimeError("no repr")

    def __conform__(self, _protocol: Any) -> int:
        return 1


def test_parameter_without_repr_does_not_break_the_statement(sqlite_path: Path) -> None:
    """A parameter that cannot be shown does not keep its statement from giving rows."""
    with _opened(sqlite_path, log_parameters=True) as connection, capture_logs():
        assert connection.execute("SELECT ?", (_Unprintable(),)).fetchall() == [(1,)]


def test_broken_log_does_not_break_the_statement(sqlite_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A structlog that was configured wrongly does not keep a statement from giving rows."""
    with _opened(sqlite_path) as connection:
        monkeypatch.setattr("structlog.is_configured", lambda: True)
        monkeypatch.setattr("structlog.get_logger", lambda *_names: None)
        assert connection.execute("SELECT 1").fetchall() == [(1,)]


def test_without_a_configuration(
    sqlite_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where structlog is not configured the events go to standard error: the output is the application's own."""
    monkeypatch.setattr("structlog.is_configured", lambda: False)
    with _opened(sqlite_path) as connection:
        _select(connection)
    written = capsys.readouterr()
    assert (written.out, written.err.count("slow_query")) == ("", 1)
