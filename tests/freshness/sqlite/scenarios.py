"""Short deterministic scenarios, each with a commit at the worst moment; they raise `StaleRead` on a stale read."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

from proxydb.dbapi.sqlite import Cursor
from proxydb.drivers.sqlite.session import SqliteSession
from tests.freshness.sqlite.twins import T, U
from tests.freshness.stale import once_after, verify

if TYPE_CHECKING:
    import pytest

    from tests.freshness.sqlite.twins import Side


def _write_beside(side: Side) -> None:
    """A foreign commit."""
    side.beside.execute("UPDATE u SET x = x + 1")


def _expect(side: Side, *connections: Any, sql: str = U, parameters: tuple[Any, ...] = ()) -> None:
    """Each connection reads twice what the raw driver reads."""
    for connection in connections or (side.db, side.other):
        for _ in range(2):
            truth = side.beside.execute(sql, parameters).fetchall()
            answer = connection.execute(sql, parameters).fetchall()
            verify([[repr(cell) for cell in row] for row in truth], [[repr(cell) for cell in row] for row in answer])


def foreign_commit(side: Side, _monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else commits between two reads."""
    for _ in range(3):
        _expect(side)
        _write_beside(side)
    _expect(side)


def own_commit(side: Side, _monkeypatch: pytest.MonkeyPatch) -> None:
    """The reading connection itself commits between two reads."""
    for _ in range(3):
        _expect(side, side.other)
        side.other.execute("UPDATE u SET x = x + 1")
    _expect(side, side.other)


def commit_after_the_rows(side: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    """A foreign commit lands when the rows have been fetched and not been kept yet."""
    once_after(monkeypatch, Cursor, "_fetch", lambda: _write_beside(side))
    side.db.execute(U).fetchall()
    _expect(side)


def unfinished_cursor(side: Side, _monkeypatch: pytest.MonkeyPatch) -> None:
    """A half-read cursor keeps its connection at an old state; what is read there is not for others."""
    cursor = side.other.execute("SELECT x, random() FROM t")
    cursor.fetchone()
    _write_beside(side)
    side.other.execute(U).fetchall()
    _expect(side, side.db)


def fixed_by_another_statement(side: Side, _monkeypatch: pytest.MonkeyPatch) -> None:
    """A statement that is never kept fixes the snapshot of a transaction, and a foreign commit follows."""
    _expect(side)
    side.other.execute("BEGIN")
    side.other.execute("SELECT x, random() FROM t").fetchall()
    _write_beside(side)
    side.other.execute(U).fetchall()
    side.other.execute("ROLLBACK")
    _expect(side)


def commit_between_pin_and_label(side: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    """A foreign commit lands between the snapshot of a transaction and the label that is read after it."""
    _expect(side)
    side.other.execute("BEGIN")
    once_after(monkeypatch, SqliteSession, "current_label", lambda: _fix_and_write(side))
    side.other.execute(U).fetchall()
    side.other.execute(U).fetchall()
    side.other.execute("ROLLBACK")
    _expect(side)


def _fix_and_write(side: Side) -> None:
    """What the proxy is about to do, done a moment before the foreign commit."""
    sqlite3.Cursor(side.other).execute("SELECT 1 FROM sqlite_master").fetchall()
    _write_beside(side)


def commit_beside_an_own_step(side: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    """A foreign commit on `u` lands after the look before an own commit on `t`."""
    _expect(side)
    once_after(monkeypatch, SqliteSession, "before_write", lambda: _write_beside(side))
    side.other.execute("UPDATE t SET x = x + 1")
    _expect(side)


def commit_behind_an_own_step(side: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    """A foreign commit on `u` lands right after an own one on `t`, whose connection has a half-read cursor."""
    _expect(side)
    cursor = side.other.execute("SELECT x, random() FROM t")
    cursor.fetchone()
    once_after(monkeypatch, SqliteSession, "_known_writes", lambda: _write_beside(side))
    side.other.execute("UPDATE t SET x = x + 1")
    cursor.close()
    _expect(side)


def returning_between_own_steps(side: Side, _monkeypatch: pytest.MonkeyPatch) -> None:
    """A statement that commits when its rows are fetched stands between two that commit at once."""
    for _ in range(2):
        _expect(side)
        side.other.execute("UPDATE t SET x = x + 1")
        side.other.execute("UPDATE u SET x = x + 1 RETURNING x").fetchall()
        side.other.execute("UPDATE t SET x = x + 1")
        _expect(side)


def foreign_commit_between_own_steps(side: Side, _monkeypatch: pytest.MonkeyPatch) -> None:
    """A foreign commit lands between two commits of one connection, at the second of which nobody has looked since."""
    for _ in range(2):
        _expect(side)
        side.other.execute("UPDATE t SET x = x + 1")
        _write_beside(side)
        side.other.execute("UPDATE t SET x = x + 1")
        _expect(side)


def trigger(side: Side, _monkeypatch: pytest.MonkeyPatch) -> None:
    """An own commit on `t` changes `u` by a trigger."""
    side.beside.execute("CREATE TRIGGER more AFTER UPDATE ON t BEGIN UPDATE u SET x = x + 1; END")
    for _ in range(3):
        _expect(side)
        side.other.execute("UPDATE t SET x = x + 1")
    _expect(side)


def new_trigger(side: Side, _monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else makes a trigger between two own commits on `t`."""
    _expect(side)
    side.other.execute("UPDATE t SET x = x + 1")
    side.beside.execute("CREATE TRIGGER more AFTER UPDATE ON t BEGIN UPDATE u SET x = x + 1; END")
    for _ in range(3):
        _expect(side)
        side.other.execute("UPDATE t SET x = x + 1")
    _expect(side)


def temporary_trigger(side: Side, _monkeypatch: pytest.MonkeyPatch) -> None:
    """The writing connection has a temporary trigger of which nobody else knows."""
    _expect(side)
    side.other.execute("CREATE TEMP TRIGGER more AFTER UPDATE ON main.t BEGIN UPDATE u SET x = x + 1; END")
    side.other.execute("UPDATE t SET x = x + 1")
    _expect(side, side.db)


def uncommitted(side: Side, _monkeypatch: pytest.MonkeyPatch) -> None:
    """A transaction reads its own writes, and is rolled back."""
    _expect(side)
    _write_beside(side)
    side.other.execute("BEGIN")
    side.other.execute("UPDATE u SET x = x + 1")
    side.other.execute(U).fetchall()
    side.other.execute("ROLLBACK")
    _expect(side)


def alike(side: Side, _monkeypatch: pytest.MonkeyPatch) -> None:
    """Parameters that Python takes for equal."""
    for value in (1, 1.0, True, 0.0, -0.0):
        _expect(side, sql="SELECT typeof(?), ? || '', count(*) FROM u", parameters=(value, value))


def column_added(side: Side, _monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else changes the schema."""
    _expect(side, sql="SELECT * FROM u")
    side.beside.execute("ALTER TABLE u ADD COLUMN y DEFAULT 7")
    _expect(side, sql="SELECT * FROM u")


def reversed_rows(side: Side, _monkeypatch: pytest.MonkeyPatch) -> None:
    """One connection asks for unordered rows in the reverse order, the other does not."""
    question = "SELECT id FROM u"
    _expect(side, side.db, sql=question)
    side.other.execute("PRAGMA reverse_unordered_selects = ON")
    verify([(3,), (2,), (1,)], side.other.execute(question).fetchall())
    _expect(side, side.db, sql=question)


def reopened_sentinel(side: Side, _monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else commits while the sentinel is closed."""
    _expect(side)
    side.db.proxydb.driver.release()
    _write_beside(side)
    _expect(side)


def own_commit_of_another_connection(side: Side, _monkeypatch: pytest.MonkeyPatch) -> None:
    """A second proxied connection commits on `u` between two own commits on `t`."""
    for _ in range(2):
        _expect(side)
        side.other.execute("UPDATE t SET x = x + 1")
        side.db.execute("UPDATE u SET x = x + 1")
        side.db.commit()
        side.other.execute("UPDATE t SET x = x + 1")
        _expect(side)
        _expect(side, sql=T)
