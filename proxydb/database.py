"""One database as this process knows it: the only place that wires the rooms together."""

from __future__ import annotations

import os
import threading
import weakref
from collections import deque
from functools import cached_property
from typing import TYPE_CHECKING, Any

from proxydb.cache.admission import Admission
from proxydb.cache.results import ResultCache
from proxydb.drivers.base import EVERYTHING, NOTHING, Analysis
from proxydb.executor.context import Context
from proxydb.executor.routes import IN_CALLS, Routes
from proxydb.observe.recorder import Recorder
from proxydb.planner import Plan, opaque, plan
from proxydb.sql.classify import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from proxydb.config import Config
    from proxydb.explanation import Explanation
    from proxydb.observe.stats import Stats
    from proxydb.views.api import Views

_OFF = Analysis(refusal="the cache is off")


class Database:
    """What the process's connections to one database share: plans, kept results, labels, counters.

    There is one for each database and process; `proxydb.database(target)` and a connection's `proxydb` attribute give
    it. It lives as long as a connection to it is open, or a handle that `proxydb.database` gave.

    Parameters
    ----------
    system, namespace
        ``"sqlite"`` or ``"postgresql"``, and the database's name without secrets.
    config
        The options of the first connection.
    driver
        The driver part: what labels the database's states and analyses its statements.
    borrow
        A context manager that gives a proxied connection to it.
    """

    def __init__(self, system: str, namespace: str, config: Config, driver: Any, borrow: Callable[[], Any]) -> None:
        self.system = system
        self.namespace = namespace
        self.config = config
        self.driver = driver
        self.cache = ResultCache(config.cache_bytes)
        self.recorder = Recorder(config, system, namespace, driver.query_plan)
        self._borrow = borrow
        self._plans: dict[tuple[str, bool], Plan] = {}

    def __repr__(self) -> str:
        return f"<proxydb.Database {self.system} {self.namespace!r}>"

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Give back the handle that `proxydb.database` gave; open connections stay as they are."""
        _registry.sweep()
        _registry.let_go(self)

    def is_last(self) -> bool:
        """Whether only one connection or handle is left."""
        return _registry.is_last(self)

    def stats(self) -> Stats:
        """Counters of all connections of this process to the database since it was first opened."""
        from proxydb.observe.stats import collect

        _registry.sweep()
        return collect(self.recorder, self.cache)

    @cached_property
    def views(self) -> Views:
        """The materialized views of the database."""
        from proxydb.views.api import Views

        return Views(self.system, self._borrow)

    def explain(self, sql: str, parameters: Any = ()) -> Explanation:
        """What proxydb makes of a statement, which is not executed.

        Parameters
        ----------
        sql
            One statement, with the driver's placeholders.
        parameters
            What it would be executed with.

        Returns
        -------
        Explanation
            Its fingerprint, kind, read and write sets, and whether its result may be kept, or why not.
        """
        from proxydb.explanation import explained

        with self._borrow() as connection:
            context = connection._context
            known = context.statement(sql).plan
            reads, obstacle = known.analysis.reads, ""
            if known.cacheable:
                reads, obstacle = context.session.explain(known, connection.cursor(), parameters)
            return explained(known, reads, obstacle)

    def plan(self, sql: str, session: Any, config: Config) -> Plan:
        """The plan of `sql` for the schema of now."""
        analysed = config.cache != "off" and not session.private
        known = self._plans.get((sql, analysed))
        generation = session.schema_generation() if analysed else session.generation
        if known is not None and known.generation == generation:
            return known
        analyse = self.driver.analyse if analysed else _not_analysed
        admission = Admission(config.admission) if known is None else known.admission
        try:
            made = plan(sql, self.system, analyse, generation, admission)
        except Exception as error:  # a fault of ours must not break the statement
            made = opaque(sql, f"could not be planned: {type(error).__name__}", generation, admission)
        if made.analysis.unknown:
            return made
        known = self._plans.get((sql, analysed))
        if known is not None and known.generation == generation:
            return known  # another thread was faster: its plan is the one that all connections share
        self._plans[sql, analysed] = made
        self._make_room()
        return made

    def method_plan(self, name: str) -> Plan:
        """The plan of a connection method that has no statement text, under whose name its calls are counted."""
        analysis = Analysis(NOTHING, EVERYTHING, "is a method of the connection")
        return Plan(name, Kind.TRANSACTION, name, name, name, analysis, 0, Admission(self.config.admission), False, {})

    def _make_room(self) -> None:
        if len(self._plans) > self.config.plans:
            for key in list(self._plans)[: len(self._plans) // 4]:
                self._plans.pop(key, None)


def _not_analysed(_sql: str) -> Analysis:
    return _OFF


class _Registry:
    """The process's databases, each with the number of connections and handles that use it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._databases: dict[Hashable, Database] = {}
        self._users: dict[int, int] = {}
        self._collected: deque[Context] = deque()

    def collected(self, context: Context) -> None:
        """A connection was garbage-collected without `close`.

        That can happen at any moment, also while this thread holds one of our locks, so it is only noted.
        """
        self._collected.append(context)

    def sweep(self) -> None:
        """Do for the connections that were garbage-collected what `close` would have done."""
        while self._collected:
            leave(self._collected.popleft())

    def take(self, identity: Hashable, make: Callable[[], Database]) -> Database:
        """The database of this identity, with one more user."""
        self.sweep()
        with self._lock:
            found = self._databases.get(identity)
            if found is None:
                found = self._databases[identity] = make()
            self._users[id(found)] = self._users.get(id(found), 0) + 1
            return found

    def hold(self, database: Database) -> Database:
        """The database, with one more user."""
        with self._lock:
            self._users[id(database)] = self._users.get(id(database), 0) + 1
        return database

    def is_last(self, database: Database) -> bool:
        """Whether only one user is left."""
        return self._users.get(id(database), 0) == 1

    def let_go(self, database: Database) -> None:
        """One user less; the last one closes what the driver part holds open."""
        with self._lock:
            users = self._users.get(id(database), 0) - 1
            if users > 0:
                self._users[id(database)] = users
                return
            self._users.pop(id(database), None)
            self._databases = {key: other for key, other in self._databases.items() if other is not database}
        database.driver.release()
        database.cache.clear()

    def after_fork(self) -> None:
        """In the child: new locks, no kept results, and nobody's connections but the child's own."""
        self._lock = threading.Lock()
        for database in self._databases.values():
            database.driver.abandon()
            database.cache.reset_locks()
            database.recorder.reset_locks()


_registry = _Registry()
take, hold, let_go, collected = _registry.take, _registry.hold, _registry.let_go, _registry.collected

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_registry.after_fork)


def join(
    database: Database,
    session: Any,
    execute: Callable[..., Any],
    execute_named: Callable[..., Any],
    config: Config,
    routes: Routes = IN_CALLS,
) -> Context:
    """A connection's place in the database."""
    context = Context(database, session, execute, execute_named, config, routes)
    database.recorder.watch(context)
    return context


def options_of_environment() -> Config:
    """The options of a connection that was given none."""
    from proxydb.config import Config  # only now: importing a drop-in stays light

    return Config.from_environment()


def leave(context: Context) -> None:
    """A connection is closed: what it has counted stays."""
    context.database.recorder.release(context)
    let_go(context.database)


def leaving(connection: Any, context: Context) -> Callable[[], None]:
    """What a connection calls when it is closed; should it be garbage-collected instead, that is noticed."""
    finalizer = weakref.finalize(connection, collected, context)
    finalizer.atexit = False

    def close() -> None:
        if finalizer.detach() is not None:
            leave(context)

    return close
