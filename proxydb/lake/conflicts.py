"""Delta's rules for whether a commit may land on top of versions that it has not seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

from proxydb.errors import ProgrammingError
from proxydb.lake import errors, queries
from proxydb.lake.pruning.conditions import condition
from proxydb.lake.pruning.evaluate import FileFacts, holds
from proxydb.lake.pruning.prune import described_at, prune, understood
from proxydb.lake.snapshot import parsed

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from proxydb.lake.errors import CommitConflict
    from proxydb.lake.prepared import PreparedCommit
    from proxydb.lake.pruning.conditions import Condition
    from proxydb.lake.pruning.expression import Expression
    from proxydb.lake.session import Session

Isolation = Literal["serializable", "write_serializable", "snapshot"]

_PROPERTY = {"Serializable": "serializable", "SnapshotIsolation": "snapshot"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reads:
    """What the actions of a commit were computed from, beside what they name themselves; by default nothing.

    Parameters
    ----------
    paths
        Paths of files that were read.
    predicate
        What was read of all files: the rows for which it is true, as `Table.prune_files` takes it.
    whole_table
        Whether all files were read, and any new one would have been.
    applications
        Applications whose transaction version was read.
    """

    paths: Collection[str] = ()
    predicate: str | Expression | None = None
    whole_table: bool = False
    applications: Collection[str] = ()

    def __post_init__(self) -> None:
        for name in ("paths", "applications"):
            if isinstance(getattr(self, name), str):
                raise TypeError(f"{name} is a collection of strings, not one string")

    @property
    def nothing(self) -> bool:
        """Whether no file was read."""
        return not self.paths and self.predicate is None and not self.whole_table


class _Winner(NamedTuple):
    """What one of the versions in between did."""

    version: int
    is_blind_append: bool
    names: dict[str, set[str]]


def check_conflicts(
    session: Session,
    table_id: int,
    commit: PreparedCommit,
    versions: tuple[int, int],
    reads: Reads,
    isolation: Isolation | None,
) -> None:
    """Refuse a commit that a version in between conflicts with.

    Parameters
    ----------
    session, table_id, commit
        The commit; its transaction has to be open and to hold the head.
    versions
        The version that the commit was computed from, and the head.
    reads
        What it has read.
    isolation
        The level; None takes that of the table's property `delta.isolationLevel`, and that is ``"write_serializable"``
        when it is not set.

    Raises
    ------
    proxydb.lake.errors.CommitConflict
        A subclass that says what the conflict is, for the first version that has one.

    References
    ----------
    Delta documentation, Concurrency control; `ConflictChecker` of the reference implementation. Stricter than that in
    one point: a change of the protocol conflicts with everything, since nobody has checked the commit against it.
    """
    level, seen = _level(session, table_id, commit, isolation), _seen(session, table_id, versions[0], reads)
    for winner in _winners(session, table_id, versions):
        for kind, names in _conflicts(commit, winner, seen, level):
            _refuse(kind, names, winner, versions)


class _Seen(NamedTuple):
    """Which files a commit has read, which new ones it would have, and which applications it has looked at."""

    paths: Callable[[set[str]], set[str]]
    added: Callable[[_Winner], set[str]]
    applications: Collection[str]


def _seen(session: Session, table_id: int, version: int, reads: Reads) -> _Seen:
    """What was read at `version`."""
    if reads.whole_table:
        return _Seen(set, lambda winner: winner.names.get("add", set()), reads.applications)
    if reads.predicate is None:
        return _Seen(set(reads.paths).intersection, lambda winner: set(), reads.applications)
    expression, described = understood(reads.predicate), described_at(session, table_id, version)
    found = prune(session, table_id, version, expression, described).files
    paths = {*reads.paths, *(file.path for file in found)}
    asked = condition(expression, described)
    return _Seen(
        paths.intersection, lambda winner: _matched(session, table_id, winner.version, asked), reads.applications
    )


def _matched(session: Session, table_id: int, version: int, asked: Condition) -> set[str]:
    """The files that a version added and that may hold a row of a predicate."""
    rows = session.rows(queries.FACTS_OF_ADDED, table_id=table_id, version=version)
    return {path for path, *facts in rows if holds(asked, FileFacts(*facts)) is not False}


def _conflicts(
    commit: PreparedCommit, winner: _Winner, seen: _Seen, level: Isolation
) -> Iterator[tuple[type[CommitConflict], set[str]]]:
    """Each conflict with a version: its error, and what it is about."""
    did = winner.names
    if "protocol" in did:
        yield errors.ProtocolChanged, set()
    if "metaData" in did:
        yield errors.MetadataChanged, set()
    if _looks_at_added(commit, winner, level) and (added := seen.added(winner)):
        yield errors.ConcurrentAppend, added
    removed = did.get("remove", set())
    if read := seen.paths(removed):
        yield errors.ConcurrentDeleteRead, read
    if deleted := removed & commit.removed_paths:
        yield errors.ConcurrentDeleteDelete, deleted
    if applications := did.get("txn", set()) & {*commit.transactions, *seen.applications}:
        yield errors.ConcurrentTransaction, applications
    if domains := did.get("domainMetadata", set()) & commit.domains:
        yield errors.DomainMetadataChanged, domains


def _looks_at_added(commit: PreparedCommit, winner: _Winner, level: Isolation) -> bool:
    """Whether the level asks for the files that a version added: a blind append could as well have come later."""
    blind_ones_may_follow = level == "write_serializable" and not commit.changes_metadata
    return level != "snapshot" and not (winner.is_blind_append and blind_ones_may_follow)


def _level(session: Session, table_id: int, commit: PreparedCommit, isolation: Isolation | None) -> Isolation:
    """The level that counts: what changes no data needs no more than a snapshot."""
    if isolation not in (None, *get_args(Isolation)):
        raise ProgrammingError(f"isolation is {isolation!r}: choose one of {', '.join(map(repr, get_args(Isolation)))}")
    if not commit.changes_data and not commit.changes_metadata:
        return "snapshot"
    if isolation is not None:
        return isolation
    properties: dict[str, str] = parsed(session.rows(queries.METADATA_AT_HEAD, table_id=table_id)[0][2])
    found: Any = _PROPERTY.get(properties.get("delta.isolationLevel", ""), "write_serializable")
    level: Isolation = found
    return level


def _winners(session: Session, table_id: int, versions: tuple[int, int]) -> Iterator[_Winner]:
    """The versions after the first of `versions` up to the second, in order."""
    by_version: dict[int, list[tuple[Any, ...]]] = {}
    for row in session.rows(queries.CONFLICT_CHECK, table_id=table_id, since=versions[0]):
        by_version.setdefault(row[0], []).append(row)
    for version, rows in sorted(by_version.items()):
        names: dict[str, set[str]] = {}
        for _, kind, name, _ in rows:
            names.setdefault(kind, set()).add(name)
        yield _Winner(version, any(row[3] for row in rows if row[1] == "commitInfo"), names)


def _refuse(kind: type[CommitConflict], names: set[str], winner: _Winner, versions: tuple[int, int]) -> None:
    said = (kind.__doc__ or "").rstrip(".").replace("A version in between", f"version {winner.version}")
    about = f" ({', '.join(sorted(names)[:3])}{', …' if len(names) > 3 else ''})" if names else ""
    raise kind(
        f"{said}{about}: read version {versions[1]} and compute the commit from it again", winner.version, versions[1]
    )
