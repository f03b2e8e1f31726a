"""A story is told twice, to the raw driver and to the proxied one, each with its own file: the answers are equal."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any

import proxydb
import proxydb.sqlite3
from tests.freshness.spelling import answer, outcome

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

KEEP_ALL = proxydb.Config(admission=0)
T = "SELECT count(*), sum(x) FROM t"
U = "SELECT count(*), sum(x) FROM u"
BOTH = "SELECT t.id, t.x, u.x FROM t JOIN u USING (id) ORDER BY t.id"
SCHEMA = """
CREATE TABLE t (id INTEGER PRIMARY KEY, x);
CREATE TABLE u (id INTEGER PRIMARY KEY, x);
INSERT INTO t VALUES (1, 10), (2, 20), (3, 30);
INSERT INTO u VALUES (1, 100), (2, 200), (3, 300);
"""


class Side:
    """One driver, its connections to one file, and the transcript of what they answered.

    Parameters
    ----------
    path
        The database file.
    module
        ``sqlite3`` or ``proxydb.sqlite3``.
    """

    def __init__(self, path: Path, module: Any) -> None:
        self.path = path
        self.module = module
        self.transcript: list[Any] = []
        self.cursors: list[Any] = []
        self._open: list[Any] = []

    @cached_property
    def db(self) -> Any:
        """The story's connection, with the driver's default transactions."""
        return self.open()

    @cached_property
    def other(self) -> Any:
        """A second connection of the same program, without implicit transactions."""
        return self.open(isolation_level=None)

    @cached_property
    def beside(self) -> sqlite3.Connection:
        """A connection of a program that never heard of proxydb."""
        return self._kept(sqlite3.connect(self.path, isolation_level=None, timeout=0, check_same_thread=False))

    def open(self, target: Any = None, **options: Any) -> Any:
        """One more connection of this side's driver."""
        target = self.path if target is None else target
        options = {"timeout": 0, **options}
        if self.module is not sqlite3:
            options["config"] = KEEP_ALL
        return self._kept((sqlite3 if self.module is sqlite3 else proxydb).connect(target, **options))

    def read(self, sql: str = U, parameters: Any = (), on: Any = None) -> None:
        """Read twice, so that the second answer may come from memory; both go into the transcript."""
        for _ in range(2):
            self.say(sql, outcome(lambda: answer((on or self.db).execute(sql, parameters))))

    def read_all(self, *connections: Any) -> None:
        """Read both tables on every connection."""
        for connection in connections or (self.db, self.other):
            for sql in (T, U, BOTH):
                self.read(sql, on=connection)

    def run(self, sql: str, parameters: Any = (), on: Any = None) -> None:
        """Run a statement; what it gives, or raises, goes into the transcript."""
        self.say(sql, outcome(lambda: answer((on or self.db).execute(sql, parameters))))

    def attempt(self, call: Callable[..., Any], *arguments: Any) -> None:
        """Call something that may raise; the exception goes into the transcript."""
        self.say(outcome(lambda: call(*arguments) and None))

    def say(self, *values: Any) -> None:
        """Write into the transcript."""
        self.transcript.append(values)

    def close(self) -> None:
        for connection in self._open:
            with suppress(sqlite3.Error):
                connection.close()

    def _kept(self, connection: Any) -> Any:
        self._open.append(connection)
        return connection


class Twins:
    """The raw side, the proxied side, and a connection that keeps the proxied side's counters alive."""

    def __init__(self, directory: Path, journal: str) -> None:
        self.raw = Side(_new_file(directory / "raw.db", journal), sqlite3)
        self.proxied = Side(_new_file(directory / "proxied.db", journal), proxydb.sqlite3)
        self._database = self.proxied.open().proxydb

    @property
    def hits(self) -> int:
        """How many of the proxied side's reads were answered from memory."""
        return self._database.stats().hits

    def tell(self, story: Callable[[Side], None]) -> None:
        """Tell the story to both, and hold the transcripts against each other."""
        for side in (self.raw, self.proxied):
            story(side)
        for line, (expected, actual) in enumerate(zip(self.raw.transcript, self.proxied.transcript, strict=True)):
            assert expected == actual, f"line {line}\nraw:     {expected}\nproxied: {actual}"

    def close(self) -> None:
        for side in (self.raw, self.proxied):
            side.close()


def _new_file(path: Path, journal: str) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA journal_mode = {journal}")
        connection.executescript(SCHEMA)
    return path


def agree(story: Callable[[Side], None]) -> Callable[[Twins], None]:
    """Make the test that both sides tell the same, and that some of it came from memory."""

    def test(twins: Twins) -> None:
        twins.tell(story)
        assert twins.hits > 0

    return _named_as(story, test)


def agree_unserved(story: Callable[[Side], None]) -> Callable[[Twins], None]:
    """Make the test that both sides tell the same where nothing may be served."""

    def test(twins: Twins) -> None:
        twins.tell(story)

    return _named_as(story, test)


def _named_as(story: Callable[[Side], None], test: Callable[[Twins], None]) -> Callable[[Twins], None]:
    """Under the story's name and marks; `functools.wraps` would show the story's argument as the test's as well."""
    test.__name__, test.__doc__, test.__module__ = story.__name__, story.__doc__, story.__module__
    test.pytestmark = getattr(story, "pytestmark", [])  # type: ignore[attr-defined]
    return test
