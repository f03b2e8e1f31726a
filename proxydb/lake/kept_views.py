"""Makes the lake's views in its database, and removes them again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proxydb.errors import ProgrammingError, TargetError
from proxydb.lake.schema import INDEXES
from proxydb.lake.views import lake_views
from proxydb.sql.tokens import quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proxydb.lake.session import Session
    from proxydb.lake.views import LakeView, Promoted

_ORDINARY = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'view'",
    "postgresql": "SELECT viewname FROM pg_catalog.pg_views WHERE schemaname = ANY (current_schemas(false))",
}


def create_views(session: Session, promoted: Sequence[Promoted]) -> tuple[str, ...]:
    """Make those views that are missing, with the indexes by which they are kept and read; their names.

    Raises
    ------
    proxydb.errors.ProgrammingError
        A transaction is open; or a view was made with other columns; or two promoted columns have one name.
    proxydb.errors.NotSupportedError
        The database cannot keep one of them. None that this call has made is left behind.
    proxydb.errors.TargetError
        The lake is on a connection that is not proxydb's.
    """
    views, wanted = _views_of(session), lake_views(session.system, promoted)
    known = {view.name: view.sql for view in views.list()}
    _check_same(known, wanted)
    for index in INDEXES:  # without them each commit would search the whole log
        session.execute(index.ddl())
    made: list[str] = []
    try:
        for view in wanted:
            if view.kept and view.name not in known:
                views.create(view.name, view.sql, indexes=view.indexes)
                made.append(view.name)
        _analyse(session, [view.name for view in wanted if view.name in made and view.indexes])
        with session.transaction():
            _create_ordinary(session, wanted)
    except BaseException:
        for name in reversed(made):
            views.drop(name)
        raise
    return tuple(view.name for view in wanted)


def drop_views(session: Session) -> None:
    """Remove the lake's views, those that are there."""
    views = _views_of(session)
    known = {view.name for view in views.list()}
    with session.transaction():
        for view in lake_views(session.system):
            if not view.kept:
                session.execute(f"DROP VIEW IF EXISTS {view.name}")
    for view in reversed(lake_views(session.system)):
        if view.name in known:
            views.drop(view.name)


def _views_of(session: Session) -> Any:
    """The materialized views of the lake's database, which are made on another connection."""
    database = getattr(session.connection, "proxydb", None)
    if database is None:
        raise TargetError("views are made by proxydb: open the lake on a target, or on a connection of proxydb.connect")
    if session.in_transaction:
        raise ProgrammingError("views are made in transactions of their own: commit or roll back first")
    return database.views


def _check_same(known: dict[str, str], wanted: tuple[LakeView, ...]) -> None:
    for view in wanted:
        if view.name in known and known[view.name].strip() != view.sql.strip():
            raise ProgrammingError(f"there is a view {view.name} with other columns: call drop_views() first")


def _analyse(session: Session, names: list[str]) -> None:
    """Let the database know the worth of the indexes; without that it finds the key of the table good enough."""
    for name in names:
        for table in session.connection.proxydb.views.explain(name).tables:
            session.execute(f"ANALYZE {'.'.join(map(quoted, table.split('.')))}")


def _create_ordinary(session: Session, wanted: tuple[LakeView, ...]) -> None:
    there = {name for (name,) in session.rows(_ORDINARY[session.system])}
    for view in wanted:
        if not view.kept and view.name not in there:
            session.execute(f"CREATE VIEW {view.name} AS {view.sql}")
