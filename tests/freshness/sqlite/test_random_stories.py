"""Random stories: whatever a few connections do in whatever order, both sides tell the same."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.freshness.sqlite.twins import BOTH, T, Twins, U

if TYPE_CHECKING:
    from tests.freshness.sqlite.twins import Side

WHO = ("db", "other", "beside")
READS = (
    T,
    U,
    BOTH,
    "SELECT * FROM u ORDER BY 1",
    "SELECT count(*), sum(x) FROM v",
    "SELECT max(x) FROM t WHERE id > 1",
)
WRITES = (
    "INSERT INTO t (x) VALUES (7)",
    "INSERT INTO u (x) VALUES (8)",
    "UPDATE t SET x = x + 1",
    "UPDATE u SET x = x + 1 WHERE id % 2",
    "DELETE FROM t WHERE id = (SELECT max(id) FROM t)",
    "REPLACE INTO u (id, x) VALUES (2, 22)",
    "INSERT INTO t VALUES (1, 5) ON CONFLICT DO UPDATE SET x = x * 2",
    "INSERT OR ROLLBACK INTO u (id, x) VALUES (1, 1)",
    "INSERT OR FAIL INTO t (id, x) VALUES (1000, 1), (1, 1)",
    "UPDATE u SET x = x + 1 RETURNING id",
    "WITH n(x) AS (VALUES (3)) INSERT INTO u (x) SELECT x FROM n",
)
CONTROLS = (
    "BEGIN",
    "BEGIN IMMEDIATE",
    "COMMIT",
    "ROLLBACK",
    "SAVEPOINT a",
    "ROLLBACK TO a",
    "RELEASE a",
    "PRAGMA foreign_keys = ON",
    "PRAGMA case_sensitive_like = ON",
)
CHANGES = (
    "CREATE VIEW v AS SELECT x FROM t",
    "CREATE VIEW v AS SELECT x FROM u",
    "DROP VIEW v",
    "CREATE TRIGGER more AFTER INSERT ON t BEGIN UPDATE u SET x = x + 1; END",
    "CREATE TRIGGER more AFTER UPDATE ON u BEGIN DELETE FROM t WHERE id = new.id; END",
    "CREATE TEMP TRIGGER mine AFTER UPDATE ON main.t BEGIN INSERT INTO u (x) VALUES (1); END",
    "DROP TRIGGER more",
    "ALTER TABLE u ADD COLUMN y DEFAULT 1",
    "CREATE TEMP TABLE u (id, x)",
    "DROP TABLE temp.u",
    "CREATE INDEX i ON t (x)",
)
METHODS = ("commit", "rollback", "isolate", "join", "open cursor", "drop cursor", "script", "enter")

step = st.one_of(
    st.tuples(st.just("read"), st.sampled_from(WHO), st.sampled_from(READS)),
    st.tuples(st.just("read"), st.sampled_from(WHO), st.sampled_from(READS)),
    st.tuples(st.just("run"), st.sampled_from(WHO), st.sampled_from(WRITES)),
    st.tuples(st.just("run"), st.sampled_from(WHO[:2]), st.sampled_from(CONTROLS)),
    st.tuples(st.just("run"), st.sampled_from(WHO), st.sampled_from(CHANGES)),
    st.tuples(st.just("do"), st.sampled_from(WHO[:2]), st.sampled_from(METHODS)),
)


def _take(side: Side, kind: str, who: str, what: str) -> None:
    """One step of a story."""
    connection = getattr(side, who)
    if kind == "read":
        side.read(what, on=connection)
    elif kind == "run":
        side.run(what, on=connection)
    else:
        side.attempt(_DO[what], side, connection)
    side.say(connection.in_transaction)


def _open_cursor(side: Side, connection: Any) -> None:
    """Leave a cursor half read."""
    side.cursors.append(connection.execute("SELECT x, random() * 0 FROM u"))
    side.say(side.cursors[-1].fetchone())


def _enter(_side: Side, connection: Any) -> None:
    with connection:
        connection.execute("UPDATE t SET x = x - 1")


_DO: dict[str, Any] = {
    "commit": lambda _, connection: connection.commit(),
    "rollback": lambda _, connection: connection.rollback(),
    "isolate": lambda _, connection: setattr(connection, "isolation_level", None),
    "join": lambda _, connection: setattr(connection, "isolation_level", ""),
    "open cursor": _open_cursor,
    "drop cursor": lambda side, _: side.cursors and side.cursors.pop(0).close(),
    "script": lambda _, connection: connection.executescript("UPDATE u SET x = x + 3; SELECT 1;"),
    "enter": _enter,
}


@pytest.mark.parametrize("mode", ["wal", "delete"])
@settings(
    max_examples=int(os.environ.get("PROXYDB_RANDOM_STORIES", "120")),
    deadline=None,
    derandomize="PROXYDB_RANDOM_STORIES" not in os.environ,
    suppress_health_check=list(HealthCheck),
)
@given(steps=st.lists(step, min_size=6, max_size=40))
def test_random_story(mode: str, steps: list[tuple[str, str, str]]) -> None:
    """Reads, writes, transactions, schema changes and cursors of three connections, in any order."""

    def story(side: Side) -> None:
        for taken in steps:
            _take(side, *taken)

    with tempfile.TemporaryDirectory() as directory:
        twins = Twins(Path(directory), mode)
        try:
            twins.tell(story)
        finally:
            twins.close()
