"""`Views`: the materialized views of one database, as `Database.views` gives them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from proxydb.errors import ProgrammingError
from proxydb.observe.logger import logger
from proxydb.views.records import DISABLED

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from proxydb.views.records import Maintenance, View, ViewCheck, ViewExplanation

MAINTENANCE = ("immediate", "deferred", "overlay", "full")
_ENGINES = {"sqlite": "proxydb.views.sqlite.engine", "postgresql": "proxydb.views.postgres.engine"}


def engine_of(system: str) -> Any:
    """The module that does these things on a database system."""
    return import_module(_ENGINES[system])


class Views:
    """The materialized views of a database.

    Parameters
    ----------
    system
        ``"sqlite"`` or ``"postgresql"``.
    borrow
        A context manager that gives a connection to the database.
    """

    def __init__(self, system: str, borrow: Callable[[], Any]) -> None:
        self._system = system
        self._borrow = borrow
        self._told: set[tuple[str, str]] = set()

    def create(
        self,
        name: str,
        sql: str,
        *,
        maintenance: Maintenance | None = None,
        max_staleness: float | None = None,
        indexes: Sequence[Sequence[str]] = (),
    ) -> View:
        """Make a view, fill it, and keep it exact from now on, whoever writes.

        Parameters
        ----------
        name
            Its name; it is read as a table is.
        sql
            Its query: one SELECT without parameters.
        maintenance
            ``"immediate"`` keeps it within each writer's own transaction; ``"deferred"`` logs what has changed for the
            next `refresh`, on Postgres for its readers, too, as ``"overlay"`` does; ``"full"`` computes it by
            `refresh` alone. By default it is kept exact in the way that suits it best, which `explain` tells.
        max_staleness
            How many seconds old a view may be that is not kept immediately, to be used in the place of its query,
            and how long changes may wait for `refresh_stale`.
        indexes
            For each index that its readers gain from the names of the columns; what it is kept by is indexed anyway.

        Raises
        ------
        proxydb.errors.NotSupportedError
            It cannot be kept in this way; the message says why, and in which way it can.
        proxydb.errors.ProgrammingError
            The name is taken, or the query has parameters.
        """
        if maintenance is not None and maintenance not in MAINTENANCE:
            raise ProgrammingError(f"maintenance is {maintenance!r}: choose one of {', '.join(MAINTENANCE)}")
        options = {"indexes": tuple(map(tuple, indexes))} if indexes else {}
        made: View = self._call("create", name, sql, maintenance, max_staleness, **options)
        return made

    def carry_out(self, sql: str) -> None:
        """Do what CREATE, REFRESH or DROP [INCREMENTAL] MATERIALIZED VIEW says, on a connection of its own.

        Raises
        ------
        proxydb.errors.NotSupportedError
            The view cannot be kept; the message says why.
        proxydb.errors.ProgrammingError
            The statement is wrong, or there is no such view.
        """
        from proxydb.views.carrying_out import carry_out

        with self._borrow() as connection:
            carry_out(connection, sql, self._system)

    def refresh(self, name: str) -> View:
        """Compute a view as a whole, or take in what was logged for it; then those views that read it."""
        view: View = self._call("refresh", name)
        return view

    def refresh_stale(self) -> Sequence[View]:
        """Refresh those views in which changes have waited for longer than their `max_staleness`, and give these.

        Views without a `max_staleness` are left alone, and those that are broken, too.
        """
        due = [view.name for view in self.list() if view.is_due]
        with self._borrow() as connection:
            return [engine_of(self._system).refresh(connection, name) for name in due]

    def drop(self, name: str) -> None:
        """Remove a view, with all that was made for it."""
        self._call("drop", name)

    def list(self) -> Sequence[View]:
        """All views, each in the state that it is really in; one that is broken is logged as `view_disabled`, once."""
        views: Sequence[View] = self._call("views")
        for view in views:
            if view.state == DISABLED and (view.name, view.reason) not in self._told:
                self._told.add((view.name, view.reason))
                logger().warning("view_disabled", view=view.name, reason=view.reason)
        return views

    def check(self, name: str) -> ViewCheck:
        """Run a view's query, and compare its rows with those of the view, both in one snapshot."""
        checked: ViewCheck = self._call("check", name)
        return checked

    def explain(self, name: str) -> ViewExplanation:
        """How a view is kept: its class, the method, tables and triggers, and why not incrementally."""
        explanation: ViewExplanation = self._call("explain", name)
        return explanation

    def repair(self, name: str | None = None) -> Sequence[View]:
        """Make again what is broken.

        Parameters
        ----------
        name
            A view; by default all.

        Returns
        -------
        sequence of View
            Those that were made again.
        """
        repaired: Sequence[View] = self._call("repair", name)
        return repaired

    def _call(self, function: str, *arguments: Any, **options: Any) -> Any:
        with self._borrow() as connection:
            return getattr(engine_of(self._system), function)(connection, *arguments, **options)
