"""The actions of a commit, checked and turned into rows before the database is touched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from proxydb.lake.delta.fields import FieldError
from proxydb.lake.delta.rows import KINDS, CommitRows, version_row
from proxydb.lake.errors import InvalidAction, UnsupportedTable
from proxydb.lake.schema import INSERTS, TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proxydb.lake.delta.rows import Values
    from proxydb.lake.session import Session

Action = Mapping[str, Mapping[str, Any]]

MANY = 100
"""How many rows of a table are written at once, so that what keeps the lake's views runs once for all of them."""


@dataclass(frozen=True, slots=True)
class PreparedCommit:
    """What a commit is going to write.

    Parameters
    ----------
    rows
        Lake table → its rows after ``table_id, version``.
    info
        The body of `commitInfo`; empty when there is none.
    """

    rows: dict[str, list[Values]]
    info: dict[str, Any]

    def column(self, table: str, name: str) -> list[Any]:
        """The values of one column of the rows of one lake table."""
        index = list(TABLES[table].columns).index(name) - 2
        return [values[index] for values in self.rows.get(table, ())]

    @property
    def removed_paths(self) -> frozenset[str]:
        """The paths of removed files."""
        return frozenset(self.column("dl_remove_files", "path"))

    @property
    def transactions(self) -> dict[str, int]:
        """Application id → the version that the commit records for it."""
        return dict(
            zip(self.column("dl_txn_actions", "app_id"), self.column("dl_txn_actions", "txn_version"), strict=True)
        )

    @property
    def domains(self) -> frozenset[str]:
        """The metadata domains that the commit changes."""
        return frozenset(self.column("dl_domain_metadata", "domain"))

    @property
    def changes_metadata(self) -> bool:
        """Whether the commit holds a `metaData` action."""
        return "dl_metadata_updates" in self.rows

    @property
    def changes_data(self) -> bool:
        """Whether a file action does more than rearrange data."""
        return any(self.column("dl_add_files", "data_change") + self.column("dl_remove_files", "data_change"))

    def write(self, session: Session, table_id: int, version: int, committed_at: int) -> None:
        """Insert everything but the head; a transaction has to be open."""
        stated = {**self.rows, "dl_table_versions": [version_row(committed_at, self.info)]}
        for table, rows in stated.items():
            full = [(table_id, version, *values) for values in rows]
            if len(full) < MANY:
                session.insert(INSERTS[table], full)
            else:
                session.load(TABLES[table], full)


def prepare(actions: Iterable[Action]) -> PreparedCommit:
    """Check actions in the JSON form of the Delta protocol, such as ``{"add": {"path": …}}``.

    Raises
    ------
    proxydb.lake.errors.InvalidAction
        One is malformed, of an unknown kind, or the second for the same thing.
    proxydb.lake.errors.UnsupportedTable
        A `protocol` action asks for a reader version or feature that is not known here.
    """
    commit, rows = CommitRows(), dict[str, list["Values"]]()
    for number, action in enumerate(actions, start=1):
        kind, body = _kind_and_body(action, number)
        try:
            row = commit.take(kind, body)
        except FieldError as error:
            raise InvalidAction(f"action {number}: {error}") from None
        except UnsupportedTable as error:
            raise UnsupportedTable(f"action {number}: {error}") from None
        if row:
            rows.setdefault(row[0], []).append(row[1])
    return PreparedCommit(rows, commit.info)


def _kind_and_body(action: Action, number: int) -> tuple[str, dict[str, Any]]:
    if not isinstance(action, Mapping) or len(action) != 1:
        raise InvalidAction(f"action {number}: an action is a mapping with one key, its kind")
    [(kind, body)] = action.items()
    if kind not in KINDS and kind != "commitInfo":
        known = ", ".join(["commitInfo", *KINDS])
        raise InvalidAction(f"action {number}: {kind!r} is no kind of action: there are {known}")
    if not isinstance(body, Mapping):
        raise InvalidAction(f"action {number}: the body of {kind!r} has to be a mapping, not {body!r:.60}")
    return kind, dict(body)
