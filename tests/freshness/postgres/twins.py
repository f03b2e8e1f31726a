"""A story is told twice, to psycopg and to the proxied driver, each with its own database: the answers are equal."""

from __future__ import annotations

from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any

import psycopg

import proxydb
import proxydb.psycopg
from proxydb import aio
from tests.driven import DrivenModule, Loop
from tests.freshness.spelling import spelled

if TYPE_CHECKING:
    from collections.abc import Callable

KEEP_ALL = proxydb.Config(admission=0)
REPEATS = 4
"""A statement is timed, then kept, then given from memory."""

FIRST_USER_OID = 16384
T = "SELECT count(*), sum(x) FROM t"
U = "SELECT count(*), sum(x) FROM u"
SCHEMA = """
CREATE TABLE t (id integer PRIMARY KEY, x bigint);
CREATE TABLE u (id integer PRIMARY KEY, x bigint);
INSERT INTO t SELECT n, n * 10 FROM generate_series(1, 300) n;
INSERT INTO u SELECT n, n * 100 FROM generate_series(1, 300) n;
"""


class Side:
    """One driver, its connections to one database, and the transcript of what they answered.

    Parameters
    ----------
    dsn
        The database.
    driver
        ``psycopg`` or ``proxydb.psycopg``.
    loop
        Where the connections of asynchronous drivers are driven; none for synchronous ones.
    """

    def __init__(self, dsn: str, driver: Any, loop: Loop | None = None) -> None:
        self.dsn = dsn
        self.driver = driver
        self.module = driver if loop is None else DrivenModule(driver, loop)
        self.loop = loop
        self.transcript: list[Any] = []
        self.listener: Any = None
        self._open: list[Any] = []

    @cached_property
    def db(self) -> Any:
        """The story's connection, on which each statement commits."""
        return self.open()

    @cached_property
    def other(self) -> Any:
        """A second connection of the same program."""
        return self.open()

    @cached_property
    def tx(self) -> Any:
        """A connection on which the driver begins transactions by itself."""
        return self.open(autocommit=False)

    @cached_property
    def beside(self) -> Any:
        """A connection of a program that never heard of proxydb."""
        return self.open_beside()

    def open(self, **options: Any) -> Any:
        """One more connection of this side's driver."""
        options = {"autocommit": True, **options}
        if self.driver is not psycopg:
            options["config"] = KEEP_ALL
        return self._kept(self._opened(options))

    def _opened(self, options: dict[str, Any]) -> Any:
        raw = self.driver is psycopg
        if self.loop is None:
            return (psycopg.connect if raw else proxydb.connect)(self.dsn, **options)
        return self.loop.run((psycopg.AsyncConnection.connect if raw else aio.connect)(self.dsn, **options))

    def open_beside(self) -> Any:
        """One more connection of the raw driver."""
        return self._kept(psycopg.connect(self.dsn, autocommit=True))

    def read(self, sql: str = U, parameters: Any = None, on: Any = None) -> None:
        """Read until the answer comes from memory, if it may; every answer goes into the transcript."""
        for _ in range(REPEATS):
            self.run(sql, parameters, on)

    def read_all(self, *connections: Any) -> None:
        """Read both tables on every connection."""
        for connection in connections or (self.db, self.other):
            for sql in (T, U):
                self.read(sql, on=connection)

    def run(self, sql: str, parameters: Any = None, on: Any = None) -> None:
        """Run a statement; what it gives, or raises, goes into the transcript."""
        connection = on or self.db
        self.say(sql, outcome(lambda: answer(connection.execute(sql, parameters))))

    def attempt(self, call: Callable[..., Any], *arguments: Any) -> None:
        """Call something that may raise; the exception goes into the transcript."""
        self.say(outcome(lambda: call(*arguments) and None))

    def say(self, *values: Any) -> None:
        """Write into the transcript."""
        self.transcript.append(values)

    def close(self) -> None:
        for connection in self._open:
            with suppress(psycopg.Error):
                connection.close()
        if self.loop is not None:
            self.loop.close()

    def _kept(self, connection: Any) -> Any:
        self._open.append(connection)
        return connection


def outcome(call: Callable[..., Any]) -> Any:
    """What the call returns, spelled out, or the exception that it raises."""
    try:
        return spelled(call())
    except psycopg.Error as error:
        return "raised", type(error).__name__, error.sqlstate, error.diag.message_primary
    except Exception as error:
        return "raised", type(error).__name__, str(error)


def answer(cursor: Any) -> Any:
    """All that a cursor shows: columns with their types, status, row count, rows."""
    columns = [(c.name, min(c.type_code, FIRST_USER_OID), c.precision, c.scale) for c in cursor.description or ()]
    return columns, cursor.statusmessage, cursor.rowcount, cursor.fetchall() if cursor.description else None


class Twins:
    """The raw side and the proxied side, with new connections to two databases.

    Parameters
    ----------
    raw, proxied
        The databases.
    schema
        What is run in both first.
    awaited
        Whether the connections are asynchronous ones, driven in an event loop.
    """

    def __init__(self, raw: str, proxied: str, schema: str = SCHEMA, *, awaited: bool = False) -> None:
        self.raw = Side(raw, psycopg, Loop() if awaited else None)
        self.proxied = Side(proxied, proxydb.psycopg, Loop() if awaited else None)
        for side in (self.raw, self.proxied):
            side.beside.execute(schema)
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


def agree(story: Callable[[Side], None]) -> Callable[[Twins], None]:
    """Make the test that both sides tell the same, and that some of it came from memory."""

    def test(twins: Twins) -> None:
        twins.tell(story)
        assert twins.hits > 0

    return _named_as(story, test)


def agree_unserved(story: Callable[[Side], None]) -> Callable[[Twins], None]:
    """Make the test that both sides tell the same where nothing need be served."""

    def test(twins: Twins) -> None:
        twins.tell(story)

    return _named_as(story, test)


def _named_as(story: Callable[[Side], None], test: Callable[[Twins], None]) -> Callable[[Twins], None]:
    """Under the story's name; `functools.wraps` would show the story's argument as the test's as well."""
    test.__name__, test.__doc__, test.__module__ = story.__name__, story.__doc__, story.__module__
    return test
