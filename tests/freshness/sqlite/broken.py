"""Broken protocols: each looks right, was or could have been chosen, and gives stale rows."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any
from unittest.mock import ANY

from proxydb.drivers.sqlite import analysis, commits, history, sentinel, session, snapshots

if TYPE_CHECKING:
    import pytest

Session, Sentinel, History, Authorizer = (
    session.SqliteSession,
    sentinel.Sentinel,
    history.History,
    analysis.Authorizer,
)


def label_after_data(patch: pytest.MonkeyPatch) -> None:
    """Rows get the label that stands when they have been fetched."""
    fill = Session.fill

    def later(self: Any, cursor: Any, *arguments: Any) -> Any:
        filled = fill(self, cursor, *arguments)
        return filled._replace(label=self.current_label(cursor.connection))

    patch.setattr(Session, "fill", later)


def own_data_version(patch: pytest.MonkeyPatch) -> None:
    """The label is `data_version` on the application's own connection, blind to its own commits."""
    patch.setattr(Sentinel, "label", lambda _, connection: _pragma(connection, "data_version"))


def total_changes(patch: pytest.MonkeyPatch) -> None:
    """The label is `total_changes`, blind to everybody else's commits."""
    patch.setattr(Sentinel, "label", lambda _, connection: connection.total_changes + 1)


def schema_version_only(patch: pytest.MonkeyPatch) -> None:
    """The label is `schema_version`, blind to rows."""
    patch.setattr(Sentinel, "label", lambda _, connection: _pragma(connection, "schema_version"))


def _pragma(connection: Any, name: str) -> int:
    return int(sqlite3.Cursor(connection).execute(f"PRAGMA {name}").fetchone()[0])


def open_cursors_ignored(patch: pytest.MonkeyPatch) -> None:
    """An unfinished cursor is not thought to keep an old snapshot."""
    for module in (snapshots, commits):
        patch.setattr(module, "has_unfinished_cursor", lambda _: False)


def repinning(patch: pytest.MonkeyPatch) -> None:
    """After a failed pin the transaction's next read tries again."""
    label = Session._transaction_label

    def again(self: Any, connection: Any) -> int:
        if self._pin == snapshots._UNLABELLED:
            self._pin, self.unchecked = 0, False
        return label(self, connection)

    patch.setattr(Session, "_transaction_label", again)


def pin_after_other_statements(patch: pytest.MonkeyPatch) -> None:
    """A transaction is pinned at its first kept read, whatever was run in it before."""
    take = Session._take_pin

    def anyhow(self: Any, connection: Any) -> int:
        self.unchecked = False
        return take(self, connection)

    patch.setattr(Session, "_take_pin", anyhow)


def pin_by_one_label(patch: pytest.MonkeyPatch) -> None:
    """A transaction is pinned at the label that is read after its snapshot was fixed."""

    def after(self: Any, connection: Any) -> int:
        sqlite3.Cursor(connection).execute("SELECT 1 FROM sqlite_master").fetchall()
        self.current_label(connection)
        return int(self.current_label(connection))

    patch.setattr(Session, "_take_pin", after)


def step_without_own_version(patch: pytest.MonkeyPatch) -> None:
    """An own commit explains the way between two labels, whoever else committed in between."""
    patch.setattr(Session, "_own_version", staticmethod(lambda _: 0))


def steps_under_half_read_cursors(patch: pytest.MonkeyPatch) -> None:
    """An own commit is explained although an unfinished cursor keeps the own version from showing those of others."""
    explain = Session._explain

    def careless(self: Any, *arguments: Any) -> None:
        self.unchecked = False
        explain(self, *arguments)

    patch.setattr(Session, "_explain", careless)


def last_state_trusted(patch: pytest.MonkeyPatch) -> None:
    """What the last explained commit led to is thought to stand while a cursor's commit is still to come."""
    after = Session.after_write

    def trusting(self: Any, cursor: Any, *arguments: Any) -> None:
        last = self._last
        after(self, cursor, *arguments)
        if cursor.description is not None and last is not None:
            self._last = last._replace(changes=ANY)

    patch.setattr(Session, "after_write", trusting)


def write_set_without_triggers(patch: pytest.MonkeyPatch) -> None:
    """A write is thought to change only the table that it names."""
    analyse = Authorizer.analyse

    def deaf(self: Any, sql: str) -> Any:
        found = analyse(self, sql)
        return found._replace(writes=frozenset(table for table in found.writes if table in sql.lower().split()))

    patch.setattr(Authorizer, "analyse", deaf)


def write_sets_ignored(patch: pytest.MonkeyPatch) -> None:
    """An own commit is thought to leave every entry standing."""
    patch.setattr(History, "holds", lambda self, label, _, now: self.floor <= label <= now)


def schema_generation_ignored(patch: pytest.MonkeyPatch) -> None:
    """What was found out about a statement is thought to hold for ever."""
    patch.setattr(History, "_look_at_schema", lambda _: None)


def temporary_objects_ignored(patch: pytest.MonkeyPatch) -> None:
    """Temporary triggers and tables of the connection are not looked for."""
    settle = Session._settle

    def careless(self: Any, connection: Any) -> None:
        settle(self, connection)
        self.obstacle = ""

    def unworried(self: Any, connection: Any) -> None:
        after(self, connection)
        careless(self, connection)

    after = Session.after_unknown
    patch.setattr(Session, "_settle", careless)
    patch.setattr(Session, "after_unknown", unworried)


def dirty_transactions_served(patch: pytest.MonkeyPatch) -> None:
    """A transaction that has written reads and keeps like any other."""
    patch.setattr(Session, "_add_writes", lambda *_: None)


def key_without_types(patch: pytest.MonkeyPatch) -> None:
    """Parameters that are equal to Python are the same parameters."""
    key = Session.key

    def loose(self: Any, plan: Any, cursor: Any, parameters: Any) -> Any:
        exact = key(self, plan, cursor, parameters)
        return exact and (plan.form, plan.generation, tuple(parameters), self._settings)

    patch.setattr(Session, "key", loose)


def key_without_settings(patch: pytest.MonkeyPatch) -> None:
    """PRAGMAs of the connection are not part of the key."""
    settle = Session._settle

    def settled(self: Any, connection: Any) -> None:
        settle(self, connection)
        self._settings = 0

    patch.setattr(Session, "_settle", settled)


def labels_that_start_again(patch: pytest.MonkeyPatch) -> None:
    """A sentinel that is opened again counts from the beginning."""
    release = Sentinel.release

    def forgetful(self: Any) -> None:
        release(self)
        self._base = 0

    patch.setattr(Sentinel, "release", forgetful)
