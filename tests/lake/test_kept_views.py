"""The lake's views stay what their queries give while logs of every kind are written, through the lake and past it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

import proxydb
import proxydb.lake
from proxydb.cli.plain_driver import open_plain
from proxydb.errors import ProgrammingError, TargetError
from proxydb.lake import Promoted, queries
from proxydb.lake.importing import RowWriter
from proxydb.lake.session import open_session
from proxydb.lake.synthetic import Fleet, SyntheticTable, load_fleet
from proxydb.lake.synthetic.rows import rows_of
from proxydb.lake.synthetic.table import START
from proxydb.lake.views import lake_views
from tests.lake.test_views import PROMOTED
from tests.lake.written_logs import METADATA, PROTOCOL, add, remove

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from proxydb.lake import Lake
    from proxydb.lake.session import Session
    from proxydb.lake.synthetic.table import SyntheticCommit
    from tests.postgres_server import PostgresServer
    from tests.sqlite_files import SqliteFiles

NAMES = [view.name for view in lake_views("sqlite")]
KEPT = [view.name for view in lake_views("sqlite") if view.kept]


@pytest.fixture
def target(system: SqliteFiles | PostgresServer) -> Iterator[str]:
    """An empty database, on SQLite and on Postgres."""
    with system.fresh_database() as made:
        yield made


@pytest.fixture
def lake(target: str) -> Iterator[Lake]:
    """An empty lake."""
    with proxydb.lake.open(target) as opened:
        yield opened


@pytest.fixture
def outside(lake: Lake, target: str) -> Iterator[Session]:
    """A connection of the plain driver to the same database."""
    with closing(open_plain(target)) as connection:
        yield open_session(connection, None)


@pytest.fixture
def sqlite_lake(sqlite_path: Path) -> Iterator[Lake]:
    """An empty lake in a file of SQLite."""
    with proxydb.lake.open(sqlite_path) as opened:
        yield opened


def inexact(lake: Lake) -> list[str]:
    """The views that do not show what their queries give."""
    views = lake.connection.proxydb.views
    return [name for name in KEPT if not views.check(name).is_exact]


def new_table(session: Session, table: SyntheticTable) -> int:
    """Make a table without versions; its key."""
    session.execute(queries.NEW_TABLE, name=table.plan.name, location="somewhere", created_at=START)
    [(table_id, _, _)] = session.rows(queries.TABLE_NAMED, name=table.plan.name)
    session.execute(queries.NEW_HEAD, table_id=table_id, version=-1)
    return int(table_id)


def write(session: Session, table_id: int, commit: SyntheticCommit) -> None:
    """Commit a version, in one transaction."""
    with session.transaction():
        writer = RowWriter(session, table_id)
        for name, values in rows_of(commit):
            writer.add(name, commit.version, values)
        writer.flush()
        session.execute(
            "UPDATE dl_table_heads SET current_version = :version WHERE table_id = :table_id",
            table_id=table_id,
            version=commit.version,
        )


@pytest.mark.parametrize("seed", [3, 8])
def test_views_are_exact_after_every_kind_of_commit(lake: Lake, outside: Session, seed: int) -> None:
    """Appends, rewrites, OPTIMIZE, RESTORE and all others, half of them before there were views, by a plain writer."""
    tables = list(Fleet(1500, seed=seed).tables())
    written = [(new_table(outside, table), list(table.commits())) for table in tables]
    for table_id, commits in written:
        for commit in commits[: len(commits) // 2]:
            write(outside, table_id, commit)
    assert lake.create_views(PROMOTED) == tuple(NAMES)
    for table_id, commits in written:
        for number, commit in enumerate(commits[len(commits) // 2 :]):
            write(outside, table_id, commit)
            assert number % 12 or inexact(lake) == []
    assert inexact(lake) == []
    _agree(lake)


def _agree(lake: Lake) -> None:
    """What stands on the views agrees with the operations on the log."""
    execute = lake.connection.execute
    for table in lake.tables():
        version, key = table.version // 2, table.table_id
        totals = execute(f"SELECT files, bytes FROM table_metadata WHERE table_id = {key}").fetchone()
        spans = execute(
            f"SELECT path, dv_id FROM file_spans WHERE table_id = {key} AND begin_version <= {version} "
            f"AND (end_version > {version} OR end_version IS NULL)"
        ).fetchall()
        expected = [(file.path, file.deletion_vector_id) for file in table.files(version)]
        assert (totals, sorted(spans)) == (tuple(table.totals()), sorted(expected))


def test_views_are_exact_after_the_lakes_own_commits(lake: Lake) -> None:
    """Commits of the lake, a table that is made, and a conflict that is rolled back."""
    lake.create_views()
    table = lake.create_table("t", "somewhere", [PROTOCOL, METADATA, add("a"), add("b")])
    table.commit([remove("a"), add("c")], 0)
    with pytest.raises(proxydb.lake.errors.CommitConflict):
        table.commit([add("d")], 0)
    found = lake.connection.execute("SELECT path FROM active_files ORDER BY path").fetchall()
    assert (found, inexact(lake)) == ([("b",), ("c",)], [])


def test_a_cached_answer_from_a_view_is_never_stale(lake: Lake, outside: Session) -> None:
    """A count that is read from a view again and again follows each commit, whoever makes it."""
    lake.create_views()
    table = next(Fleet(300, seed=3).tables())
    table_id, seen = new_table(outside, table), []
    for commit in table.commits():
        write(outside, table_id, commit)
        for _ in range(12):
            [(count,)] = lake.connection.execute("SELECT COUNT(*) FROM active_files").fetchall()
        seen.append(count)
    expected = [len(lake.tables()[0].files(version)) for version in range(len(seen))]
    assert (seen, len(set(seen)) > 2) == (expected, True)


SEARCHED = {
    "active_files": ["table_id = 1", "table_id = 1 AND path = 'x'", "table_id = 1 AND partition_date = 'x'"],
    "tombstones": ["table_id = 1", "table_id = 1 AND path = 'x'"],
    "file_spans": ["table_id = 1", "table_id = 1 AND begin_version <= 7"],
    "txn_heads": ["table_id = 1", "table_id = 1 AND app_id = 'x'"],
    "partition_stats": ["table_id = 1"],
    "commit_statistics": ["table_id = 1", "table_id = 1 AND version = 7"],
    "table_metadata": ["table_id = 1", "name = 'x'"],
}


@pytest.mark.parametrize("name", SEARCHED)
def test_readers_scan_nothing(sqlite_lake: Lake, name: str) -> None:
    """The rows of a table, and those of a key or of a promoted value, are searched for by an index."""
    sqlite_lake.create_views([Promoted("partition", ("date",))])
    for condition in SEARCHED[name]:
        text = f"EXPLAIN QUERY PLAN SELECT * FROM {name} WHERE {condition}"
        plan = [row[3] for row in sqlite_lake.connection.execute(text)]
        assert [step for step in plan if step.startswith("SCAN")] == []


def test_a_promoted_column_has_an_index(sqlite_lake: Lake) -> None:
    """The files of one value are found by it."""
    load_fleet(sqlite_lake, Fleet(1500))
    sqlite_lake.create_views([Promoted("partition", ("date",))])
    text = "EXPLAIN QUERY PLAN SELECT * FROM active_files WHERE table_id = 1 AND partition_date = 'x'"
    [(*_, step)] = sqlite_lake.connection.execute(text).fetchall()
    assert "_reader0" in step


def test_views_are_made_once(lake: Lake) -> None:
    """A second call changes nothing, and one with other columns is refused with the way out."""
    assert lake.create_views(PROMOTED) == lake.create_views(PROMOTED)
    with pytest.raises(ProgrammingError, match="with other columns: call drop_views"):
        lake.create_views()


LEFT = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type IN ('view', 'trigger')",
    "postgresql": "SELECT viewname FROM pg_views WHERE schemaname = current_schema() UNION ALL "
    "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal",
}


def test_views_are_removed_without_a_trace(lake: Lake) -> None:
    """After drop_views nothing of the views is left but the list, and they can be made again; twice is no error."""
    lake.create_views()
    lake.drop_views()
    lake.drop_views()
    left = lake.connection.execute(LEFT[lake.system]).fetchall()
    assert (left, lake.connection.proxydb.views.list(), lake.create_views()) == ([], [], tuple(NAMES))


def test_a_name_that_is_taken_leaves_nothing_behind(lake: Lake) -> None:
    """When one view cannot be made, those before it are removed again."""
    lake.connection.execute("CREATE TABLE partition_stats (n INTEGER)")
    with pytest.raises(ProgrammingError, match="partition_stats"):
        lake.create_views()
    assert lake.connection.proxydb.views.list() == []


def test_an_open_transaction_is_refused(lake: Lake) -> None:
    """Views are made in transactions of their own."""
    lake.connection.execute("BEGIN")
    with pytest.raises(ProgrammingError, match="commit or roll back first"):
        lake.create_views()


def test_a_plain_connection_is_refused() -> None:
    """A connection of the plain driver cannot make views."""
    with closing(sqlite3.connect(":memory:")) as connection, pytest.raises(TargetError, match="made by proxydb"):
        proxydb.lake.open(connection).create_views()


def test_views_in_memory() -> None:
    """A lake in memory has views too."""
    with proxydb.lake.open(":memory:") as opened:
        opened.create_views()
        opened.create_table("t", "somewhere", [PROTOCOL, METADATA, add("a")])
        assert (opened.connection.execute("SELECT files FROM table_metadata").fetchall(), inexact(opened)) == (
            [(1,)],
            [],
        )
