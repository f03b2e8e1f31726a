"""What the statements of one connection share, and the table in which they are found by their text."""

from __future__ import annotations

import sys
from collections import Counter
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Any

from proxydb.executor.routes import IN_CALLS, Routes, route, routes_for
from proxydb.observe.slowlog import at_once

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxydb.cache.results import ResultCache
    from proxydb.config import Config
    from proxydb.executor.statement import Statement
    from proxydb.observe.slowlog import Aside
    from proxydb.planner import Plan


class Context:
    """What a connection's statements share.

    Parameters
    ----------
    database
        What the process's connections to the same database share.
    session
        What the connection has going on; the driver part's.
    execute, execute_named
        The driver's own `execute`, unbound; and what stands for it where placeholders have names.
    config
        The connection's options.
    routes
        The classes of its statements; by default those for a driver whose calls return when they are done.

    Attributes
    ----------
    ended
        Whether a transaction has ended since a statement was noted for the profile.
    blocking
        Whether to wait for somebody else's flight would keep the thread from anything else.
    aside
        Calls what would take a while and is not waited for.
    walk
        Takes the steps of a statement: called with it, the cursor, the text and the driver's own arguments.
    """

    __slots__ = (
        "__weakref__",
        "alarm",
        "aside",
        "blocking",
        "bypasses",
        "cache",
        "config",
        "counts",
        "database",
        "ended",
        "execute",
        "execute_named",
        "largest",
        "leave",
        "parameters_in",
        "recorder",
        "routes",
        "session",
        "slow",
        "statements",
        "walk",
    )

    def __init__(
        self,
        database: Any,
        session: Any,
        execute: Callable[..., Any],
        execute_named: Callable[..., Any],
        config: Config,
        routes: Routes = IN_CALLS,
    ) -> None:
        self.database = database
        self.config = config
        self.session = session
        self.execute = execute
        self.execute_named = execute_named
        self.cache: ResultCache = database.cache
        self.recorder = database.recorder
        self.statements: dict[str | bytes, Statement] = {}
        self.bypasses: Counter[str] = Counter()
        self.parameters_in: Callable[[Any], Any] = _itself
        self.leave: Callable[[], Any] = _nothing
        self.walk: Callable[..., Any] = _nowhere
        self.largest = config.cache_entry_bytes
        self.counts = config.record != "off"
        self.slow = int(min(config.slow_ms * 1e6, sys.maxsize)) or sys.maxsize
        self.alarm = -1 if config.record == "sampled" else self.slow
        self.routes = routes_for(routes, config)
        self.blocking = True
        self.ended = False
        self.aside: Aside = at_once

    def closing(self) -> None:
        """The connection is about to be closed: were it the last one, nothing else may hold the database open."""
        if self.database.is_last():
            self.database.driver.release()

    def noticed(self, statement: Statement, arguments: Any, elapsed: int, outcome: str) -> None:
        """An execution that the ring or the slow log is for; a fault of theirs must not come out of the statement."""
        with suppress(Exception):
            self._note(statement, arguments, elapsed, outcome)

    def _note(self, statement: Statement, arguments: Any, elapsed: int, outcome: str) -> None:
        parameters = self.parameters_in(arguments)
        if self.alarm < 0:
            self.recorder.remember(statement, parameters, elapsed, outcome)
        if elapsed > self.slow:
            self.recorder.slow(statement, parameters, elapsed, outcome, self.aside)

    def statement(self, sql: str) -> Statement:
        """The connection's side of the statement `sql`, planned when nobody has planned it yet."""
        found = self.statements.get(sql)
        if found is None:
            found = self.statements[sql] = self._routed(self.database.plan(sql, self.session, self.config))
            self._make_room()
        return found

    def replan(self, old: Statement) -> Statement:
        """The statement with a plan for the schema of now."""
        new = self._routed(self.database.plan(old.plan.sql, self.session, self.config))
        new.tally = old.tally
        self.statements[old.plan.sql] = new
        return new

    def method(self, name: str, key: str | bytes = "") -> Any:
        """What counts the calls of a method that may end a transaction, such as `commit`; found by `key`, if given."""
        return self._named(name, self.routes.controlling, key or name)

    def script(self) -> Any:
        """What counts the calls of `executescript`, and what has no text."""
        return self._named("executescript", self.routes.unknown, "executescript")

    def _named(self, name: str, kind: type[Statement], key: str | bytes) -> Statement:
        found = self.statements.get(key)
        if found is None:
            found = self.statements[key] = kind(self.database.method_plan(name), self)
        return found

    def _routed(self, plan: Plan) -> Statement:
        return route(plan, self.routes, self.config)(plan, self)

    def _make_room(self) -> None:
        """Let the oldest texts go when there are more than the plan table holds; what they counted is kept."""
        if len(self.statements) > self.config.plans:
            for sql in list(islice(self.statements, len(self.statements) // 4)):
                self.recorder.retire(self.statements.pop(sql))


def _itself(arguments: Any) -> Any:
    """A driver whose arguments are the parameters and nothing else."""
    return arguments


def _nowhere(*_way: Any) -> None:
    """A driver that has no steps."""


def _nothing() -> None:
    """Nothing is to be done when the connection closes."""
