"""Commits a version: the head moves by compare-and-set, and with it the actions, in one database transaction."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NoReturn

from proxydb.lake import queries
from proxydb.lake.conflicts import Reads, check_conflicts
from proxydb.lake.errors import CommitConflict, ConcurrentTransaction, UnknownTable, UnknownVersion
from proxydb.lake.prepared import prepare
from proxydb.lake.requirements import check_requirements

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proxydb.lake.conflicts import Isolation
    from proxydb.lake.prepared import Action, PreparedCommit
    from proxydb.lake.table import Table

_ADVANCE_HEAD = """
UPDATE dl_table_heads SET current_version = :version
WHERE table_id = :table_id AND current_version = :expected_version"""
# Holds the head until the transaction ends; SQLite's write transaction has the whole database.
_HELD_HEAD = {"sqlite": queries.HEAD_VERSION, "postgresql": f"{queries.HEAD_VERSION} FOR UPDATE"}


@dataclass(frozen=True, slots=True)
class Commit:
    """What became of a commit.

    Parameters
    ----------
    version
        The version that holds it.
    repeated
        True when the application had recorded the same transaction before, at `version`; nothing was written.
    """

    version: int
    repeated: bool = False


def commit_version(table: Table, actions: Iterable[Action], expected_version: int) -> Commit:
    """Commit right after `expected_version`; see `Lake.commit`."""
    commit, session = prepare(actions), table.session
    with session.transaction():
        if commit.transactions and (done := _recorded(table, commit, _held_head(table))):
            return done
        version = expected_version + 1
        where = {"table_id": table.table_id, "expected_version": expected_version}
        if session.execute(_ADVANCE_HEAD, version=version, **where) != 1:
            _refuse(table, expected_version)
        return _write(table, commit, version)


def commit_on_top(
    table: Table, actions: Iterable[Action], read_version: int, reads: Reads, isolation: Isolation | None
) -> Commit:
    """Commit on top of the head unless a version after `read_version` conflicts; see `Lake.commit_rebased`."""
    commit = _with_blindness(prepare(actions), reads)
    with table.session.transaction():
        head = _held_head(table)
        if commit.transactions and (done := _recorded(table, commit, head)):
            return done
        if read_version > head:
            _refuse(table, read_version)
        if read_version < head:
            _check_readable(table, read_version)
            check_conflicts(table.session, table.table_id, commit, (read_version, head), reads, isolation)
        table.session.execute(_ADVANCE_HEAD, table_id=table.table_id, version=head + 1, expected_version=head)
        return _write(table, commit, head + 1)


def write_first(table: Table, commit: PreparedCommit) -> None:
    """Write version 0 of a table that is being made; its transaction has to be open."""
    check_requirements(table.session, table.table_id, commit)
    commit.write(table.session, table.table_id, 0, _now())
    table.session.execute(queries.NEW_HEAD, table_id=table.table_id, version=0)


def _write(table: Table, commit: PreparedCommit, version: int) -> Commit:
    check_requirements(table.session, table.table_id, commit)
    commit.write(table.session, table.table_id, version, _now())
    return Commit(version)


def _held_head(table: Table) -> int:
    """The newest version, which nobody else moves until the transaction ends."""
    rows = table.session.rows(_HELD_HEAD[table.session.system], table_id=table.table_id)
    if not rows:
        raise UnknownTable(f"the table {table.name!r} has been removed from the lake")
    return int(rows[0][0])


def _recorded(table: Table, commit: PreparedCommit, head: int) -> Commit | None:
    """The commit that recorded the same transactions, if there is one (Delta PROTOCOL, Transaction Identifiers)."""
    found = {}
    for application, number in commit.transactions.items():
        rows = table.session.rows(queries.TRANSACTION_AT_HEAD, table_id=table.table_id, app_id=application)
        if rows and rows[0][0] >= number:
            found[application] = rows[0][1]
    if len(found) == len(commit.transactions):
        return Commit(max(found.values()), repeated=True)
    if found:
        raise ConcurrentTransaction(
            f"of the commit's transactions, that of {', '.join(map(repr, sorted(found)))} is recorded already and "
            "others are not: commit them apart",
            max(found.values()),
            head,
        )
    return None


def _check_readable(table: Table, read_version: int) -> None:
    [(first, *_)] = table.session.rows(queries.HISTORY_RANGE, table_id=table.table_id)
    if read_version < first:
        raise UnknownVersion(f"the table {table.name!r} has no version {read_version}: its history starts at {first}")


def _refuse(table: Table, expected_version: int) -> NoReturn:
    """Say who was faster."""
    head, winner = table.version, expected_version + 1
    if head < winner:
        raise UnknownVersion(f"the table {table.name!r} is at version {head}: {expected_version} does not exist")
    rows = table.session.rows(queries.HISTORY_ENTRY, table_id=table.table_id, version=winner)
    operation, committer = rows[0] if rows else (None, None)
    raise CommitConflict(
        f"the table {table.name!r} is at version {head}, not {expected_version}: version {winner} was committed first"
        f"{f' by {committer}' if committer else ''}{f' ({operation})' if operation else ''}; compute the commit again "
        f"from version {head}, or let commit_rebased() find out whether it may land on top",
        winner,
        head,
    )


def _with_blindness(commit: PreparedCommit, reads: Reads) -> PreparedCommit:
    """Say in `commitInfo` whether the commit only adds and has read nothing, unless the caller has said it."""
    if "isBlindAppend" in commit.info:
        return commit
    blind = reads.nothing and bool(commit.rows.get("dl_add_files")) and not commit.removed_paths
    return replace(commit, info={**commit.info, "isBlindAppend": blind and not commit.changes_metadata})


def _now() -> int:
    return time.time_ns() // 1_000_000
