"""Short deterministic scenarios, each with something at the worst moment; they raise `StaleRead` on a wrong answer."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg._cursor_base import BaseCursor

from tests.freshness.postgres import broken
from tests.freshness.postgres.twins import U
from tests.freshness.stale import verify

if TYPE_CHECKING:
    import pytest

    from tests.freshness.postgres.twins import Side

ENOUGH = 5
"""Runs after which a statement's rows are kept and given."""


def _expect(side: Side, *connections: Any, sql: str = U, parameters: Any = None) -> None:
    """Each connection reads, again and again, what the raw driver reads."""
    for connection in connections or (side.db, side.other):
        for _ in range(ENOUGH):
            truth = side.beside.execute(sql, parameters).fetchall()
            verify(truth, connection.execute(sql, parameters).fetchall())


def _change(connection: Any) -> None:
    connection.execute("UPDATE u SET x = x + 1 WHERE id < 4")


def commit_seen_too_early(side: Side, _patch: pytest.MonkeyPatch) -> None:
    """A writer has written and not yet committed when the rows are read and kept."""
    _expect(side)
    writer = side.open_beside()
    writer.execute("BEGIN")
    _change(writer)
    for _ in range(ENOUGH):
        side.db.execute(U).fetchall()
    writer.execute("COMMIT")
    _expect(side)


def commits_out_of_order(side: Side, _patch: pytest.MonkeyPatch) -> None:
    """Of two writers the second one commits first; rows are read and kept in between."""
    first, second = side.open_beside(), side.open_beside()
    first.execute("BEGIN")
    first.execute("INSERT INTO u VALUES (1001, 1)")
    second.execute("INSERT INTO u VALUES (1002, 1)")
    for _ in range(ENOUGH):
        side.db.execute(U).fetchall()
    first.execute("COMMIT")
    _expect(side)


def commit_behind_a_long_transaction(side: Side, _patch: pytest.MonkeyPatch) -> None:
    """Writers commit while an older transaction goes on."""
    older = side.open_beside()
    older.execute("BEGIN; UPDATE t SET x = x WHERE id = 1")
    for _ in range(3):
        _change(side.beside)
        _expect(side)
    older.execute("COMMIT")


def late_notification(side: Side, _patch: pytest.MonkeyPatch) -> None:
    """A commit was acknowledged, and who listens has not heard of it yet."""
    _expect(side)
    listener = side.listener
    if listener is not None:
        listener.hold()
    try:
        _change(side.beside)
        _expect(side)
    finally:
        if listener is not None:
            listener.release()


def commit_after_the_rows(side: Side, patch: pytest.MonkeyPatch) -> None:
    """A foreign commit lands after the rows and before the second label."""
    broken.one_after_the_other(patch)
    for _ in range(2):
        side.db.execute(U).fetchall()
        _change(side.beside)
    _after_rows(side, patch)
    side.db.execute(U).fetchall()
    _expect(side)


def _after_rows(side: Side, patch: pytest.MonkeyPatch) -> None:
    """The next statement that the driver runs for the application is followed by a foreign commit."""
    execute = BaseCursor._execute_gen

    def then_commit(cursor: Any, *arguments: Any, **options: Any) -> Any:
        patch.setattr(BaseCursor, "_execute_gen", execute)
        yield from execute(cursor, *arguments, **options)
        _change(side.beside)

    patch.setattr(BaseCursor, "_execute_gen", then_commit)


def uncommitted(side: Side, _patch: pytest.MonkeyPatch) -> None:
    """A transaction reads its own writes, and is rolled back."""
    _expect(side, side.db)
    _change(side.beside)
    side.other.execute("BEGIN")
    _change(side.other)
    for _ in range(ENOUGH):
        side.other.execute(U).fetchall()
    _expect(side, side.db)
    side.other.execute("ROLLBACK")
    _expect(side)


def write_skew(side: Side, _patch: pytest.MonkeyPatch) -> None:
    """Two serializable transactions each read what the other writes: one of them must fail."""
    _expect(side, side.db, side.other)
    _expect(side, side.db, side.other, sql="SELECT count(*), sum(x) FROM t")
    for connection in (side.db, side.other):
        connection.execute("BEGIN ISOLATION LEVEL SERIALIZABLE")
        connection.execute(U).fetchall()
        connection.execute("SELECT count(*), sum(x) FROM t").fetchall()
    with suppress(psycopg.errors.SerializationFailure):
        side.db.execute("UPDATE u SET x = x + 1 WHERE id = 1")
        side.other.execute("UPDATE t SET x = x + 1 WHERE id = 1")
        side.db.execute("COMMIT")
        side.other.execute("COMMIT")
        verify("a serialization failure", "both committed")


def another_role(side: Side, _patch: pytest.MonkeyPatch) -> None:
    """A role without the right asks for what another one has read."""
    _expect(side)
    side.other.execute("SET ROLE proxydb_bert")
    for _ in range(ENOUGH):
        verify("raised", _told(side.other))


def _told(connection: Any) -> Any:
    try:
        return connection.execute(U).fetchall()
    except psycopg.errors.InsufficientPrivilege:
        return "raised"


def another_search_path(side: Side, _patch: pytest.MonkeyPatch) -> None:
    """The same name means another table on another connection."""
    side.beside.execute(
        "CREATE SCHEMA front; CREATE TABLE front.u AS SELECT 1 AS id, 2 AS x FROM generate_series(1, 5)"
    )
    _expect(side, side.db)
    side.other.execute("SET search_path = front, public")
    for _ in range(ENOUGH):
        verify([(5, 10)], side.other.execute(U).fetchall())


def other_digits(side: Side, _patch: pytest.MonkeyPatch) -> None:
    """The same number is shown in other digits on another connection."""
    question = "SELECT (sum(x) / 7.0)::float8::text FROM u"
    _expect(side, side.db, sql=question)
    side.other.execute("SET extra_float_digits = -10")
    side.beside.execute("SET extra_float_digits = -10")
    _expect(side, side.other, sql=question)


def alike(side: Side, _patch: pytest.MonkeyPatch) -> None:
    """Parameters that are sent as the same bytes."""
    from decimal import Decimal

    for value in ("2", Decimal("2"), "2"):
        _expect(side, sql="SELECT 7 / %s, count(*) FROM u", parameters=(value,))


def replaced_view(side: Side, _patch: pytest.MonkeyPatch) -> None:
    """A view comes to call something that gives another result each time."""
    side.beside.execute("CREATE VIEW v AS SELECT id, x::float8 AS y FROM u")
    _expect(side, sql="SELECT sum(y) FROM v")
    side.beside.execute("CREATE OR REPLACE VIEW v AS SELECT id, random() AS y FROM u")
    for _ in range(ENOUGH):
        answers = [side.db.execute("SELECT sum(y) FROM v").fetchone() for _ in range(2)]
        verify(2, len(set(answers)))
