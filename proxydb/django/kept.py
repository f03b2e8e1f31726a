"""Which `Database` each of Django's aliases keeps, so that it outlives the connections that requests open and close."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxydb.database import hold

if TYPE_CHECKING:
    from proxydb.database import Database

_kept: dict[tuple[str, Database], object] = {}


def keep(alias: str, database: Database) -> None:
    """Keep what `database` has learned, until the alias names another one.

    Threads may do so at the same time: there is no lock, which a fork could take over locked, but one of them is the
    first to put its mark.
    """
    mark = object()
    hold(database)
    if _kept.setdefault((alias, database), mark) is mark:
        release(alias, but=database)
    else:
        database.close()


def release(alias: str, *, but: Database | None = None) -> None:
    """Let go of what the alias keeps, but one."""
    for key in list(_kept):
        if key[0] == alias and key[1] is not but and _kept.pop(key, None):
            key[1].close()
