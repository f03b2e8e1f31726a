"""Loads a fleet of synthetic tables into a lake, in bulk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxydb.lake import queries
from proxydb.lake.importing import RowWriter
from proxydb.lake.synthetic.rows import rows_of
from proxydb.lake.synthetic.table import START, SyntheticTable

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxydb.lake.lake import Lake
    from proxydb.lake.session import Session
    from proxydb.lake.synthetic.fleet import Fleet


def load_fleet(
    lake: Lake, fleet: Fleet, *, progress: Callable[[int, int], None] | None = None
) -> tuple[SyntheticTable, ...]:
    """Write the logs of a fleet's tables into a lake, in one transaction.

    Parameters
    ----------
    lake
        Where to; without hand-made indexes it goes faster, they can be made afterwards.
    fleet
        The tables; none of their names may be taken.
    progress
        Called after each table with the number of tables done and of all.

    Returns
    -------
    tuple of SyntheticTable
        The tables, largest first, with the truth about their files.
    """
    tables = tuple(fleet.tables())
    session = lake._session
    with session.transaction():
        for done, table in enumerate(tables, start=1):
            _load(session, table)
            if progress:
                progress(done, len(tables))
    return tables


def _load(session: Session, table: SyntheticTable) -> None:
    plan = table.plan
    session.execute(queries.NEW_TABLE, name=plan.name, location=f"synthetic/{plan.name}", created_at=START)
    [(table_id, _, _)] = session.rows(queries.TABLE_NAMED, name=plan.name)
    writer = RowWriter(session, table_id)
    for commit in table.commits():
        for name, values in rows_of(commit):
            writer.add(name, commit.version, values)
    writer.flush()
    session.execute(queries.NEW_HEAD, table_id=table_id, version=plan.commits - 1)
