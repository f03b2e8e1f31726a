"""A session knows what its connection has going on: whether it may be served, and under what key."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

import proxydb
import proxydb.sqlite3
from proxydb.config import Config
from proxydb.drivers.sqlite.session import shape_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SELECT, OTHER = "SELECT a FROM t", "SELECT b FROM u"
CACHED = Config(admission=0)


@pytest.fixture(params=["delete", "wal"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A database with two tables, in each journal mode."""
    path = tmp_path / f"{request.param}.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA journal_mode = {request.param}")
        connection.executescript(
            "CREATE TABLE t (a); CREATE TABLE u (b); INSERT INTO t VALUES (1); INSERT INTO u VALUES (1)"
        )
    return path


@pytest.fixture
def connection(path: Path) -> Iterator[Any]:
    """A connection whose reads of both tables are kept."""
    with closing(proxydb.connect(path, config=CACHED, timeout=0)) as connection:
        for sql in (SELECT, OTHER):
            for _ in range(2):
                connection.execute(sql).fetchall()
        assert _hits(connection) == 2
        yield connection


@pytest.fixture
def beside(path: Path) -> Iterator[sqlite3.Connection]:
    """Another program's connection."""
    with closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as connection:
        yield connection


def _hits(connection: Any) -> int:
    return int(connection.proxydb.stats().hits)


def _is_hit(connection: Any, sql: str) -> bool:
    """Whether the statement is answered from memory now."""
    before = _hits(connection)
    connection.execute(sql).fetchall()
    return _hits(connection) > before


def test_own_commit_leaves_other_tables(connection: Any) -> None:
    """After a commit of its own what was read from other tables is still served."""
    connection.execute("INSERT INTO t VALUES (2)")
    connection.commit()
    assert [_is_hit(connection, SELECT), _is_hit(connection, OTHER)] == [False, True]


def test_own_autocommit_leaves_other_tables(path: Path) -> None:
    """The same goes for a statement that commits by itself."""
    with closing(proxydb.connect(path, config=CACHED, isolation_level=None)) as connection:
        for sql in (SELECT, OTHER):
            connection.execute(sql).fetchall()
        connection.execute("INSERT INTO t VALUES (2)")
        assert [_is_hit(connection, SELECT), _is_hit(connection, OTHER)] == [False, True]


def test_foreign_commit_leaves_nothing(connection: Any, beside: sqlite3.Connection) -> None:
    """After another program's commit nothing is served that was read before."""
    beside.execute("INSERT INTO t VALUES (2)")
    assert [_is_hit(connection, SELECT), _is_hit(connection, OTHER)] == [False, False]


def test_rows_after_a_foreign_commit(connection: Any, beside: sqlite3.Connection) -> None:
    """What another program committed is read."""
    beside.execute("INSERT INTO t VALUES (2)")
    assert connection.execute(SELECT).fetchall() == [(1,), (2,)]


def test_commit_of_another_connection_of_ours(connection: Any, path: Path) -> None:
    """A commit of another proxied connection leaves other tables, too."""
    with closing(proxydb.connect(path, config=CACHED)) as other, other:
        other.execute("INSERT INTO t VALUES (2)")
    assert [_is_hit(connection, SELECT), _is_hit(connection, OTHER)] == [False, True]


def test_foreign_commit_between_ours(connection: Any, beside: sqlite3.Connection) -> None:
    """When another program commits before our own commit does, nothing is served that was read before."""
    beside.execute("INSERT INTO u VALUES (2)")
    connection.execute("INSERT INTO t VALUES (2)")
    connection.commit()
    assert connection.execute(OTHER).fetchall() == [(1,), (2,)]


def test_rollback_leaves_everything(connection: Any) -> None:
    """After a rollback everything is served as before."""
    connection.execute("DELETE FROM t")
    connection.rollback()
    assert [_is_hit(connection, SELECT), _is_hit(connection, OTHER)] == [True, True]


def test_transaction_that_has_written_is_not_served(connection: Any) -> None:
    """A transaction reads its own writes from the database."""
    connection.execute("DELETE FROM t")
    assert (connection.execute(SELECT).fetchall(), connection.execute(OTHER).fetchall()) == ([], [(1,)])


def test_transaction_that_reads_is_served(connection: Any) -> None:
    """A transaction that has written nothing is served at its own snapshot."""
    connection.execute("BEGIN")
    assert _is_hit(connection, SELECT)


def test_transaction_stays_at_its_snapshot(path: Path) -> None:
    """Within a transaction the same rows are served, whatever others commit meanwhile."""
    with closing(sqlite3.connect(path)) as beside, closing(proxydb.connect(path, config=CACHED)) as connection:
        beside.execute("PRAGMA journal_mode = wal").fetchall()
        connection.execute("BEGIN")
        first = connection.execute(SELECT).fetchall()
        beside.execute("INSERT INTO t VALUES (2)")
        beside.commit()
        during = connection.execute(SELECT).fetchall()
        connection.execute("COMMIT")
        assert (first, during, connection.execute(SELECT).fetchall()) == ([(1,)], [(1,)], [(1,), (2,)])


def test_others_lock_keeps_nobody_from_the_answer(connection: Any, beside: sqlite3.Connection) -> None:
    """While another holds the file, a read is answered or is locked out, as on the driver."""
    beside.execute("BEGIN EXCLUSIVE")
    beside.execute("DELETE FROM t")
    try:
        rows = connection.execute(SELECT).fetchall()
    except sqlite3.OperationalError as error:
        rows = str(error)
    assert rows in ([(1,)], "database is locked")


def test_ddl_leaves_nothing(connection: Any) -> None:
    """After a change of the schema a read sees the new one."""
    connection.execute("DROP TABLE t")
    connection.execute("CREATE TABLE t (a DEFAULT 5, more)")
    connection.execute("INSERT INTO t (more) VALUES (1)")
    connection.commit()
    assert connection.execute(SELECT).fetchall() == [(5,)]


def test_view_in_the_place_of_a_table(connection: Any, beside: sqlite3.Connection) -> None:
    """A statement whose table became a view reads the view's tables, and their changes show."""
    beside.executescript("DROP TABLE t; CREATE VIEW t AS SELECT b AS a FROM u")
    for _ in range(3):
        connection.execute(SELECT).fetchall()
    connection.execute("INSERT INTO u VALUES (7)")
    connection.commit()
    assert connection.execute(SELECT).fetchall() == [(1,), (7,)]


def test_first_write_after_a_trigger_was_made(connection: Any, beside: sqlite3.Connection) -> None:
    """What a trigger writes shows, also when nothing was planned between its creation and the write."""
    connection.execute("INSERT INTO u VALUES (8)")
    connection.commit()
    beside.executescript("CREATE TRIGGER x AFTER INSERT ON u BEGIN INSERT INTO t VALUES (new.b); END")
    connection.execute("SELECT max(a) FROM t WHERE a > 0").fetchall()
    rows = [_first_write(connection, value) for value in (9, 10)]
    assert rows == [[(1,), (9,)], [(1,), (9,), (10,)]]


def _first_write(connection: Any, value: int) -> Any:
    """The rows of one table after a write to the other, by a text that is new."""
    connection.execute(f"INSERT INTO u VALUES ({value})")
    connection.commit()
    return connection.execute(SELECT).fetchall()


def test_trigger_of_a_write(connection: Any, beside: sqlite3.Connection) -> None:
    """What a trigger writes shows."""
    beside.executescript("CREATE TRIGGER x AFTER INSERT ON u BEGIN INSERT INTO t VALUES (new.b); END")
    for _ in range(2):
        connection.execute(SELECT).fetchall()
    connection.execute("INSERT INTO u VALUES (9)")
    connection.commit()
    assert connection.execute(SELECT).fetchall() == [(1,), (9,)]


def test_table_that_is_joined_by_name(connection: Any) -> None:
    """What is written to a table that a read joins by its column's name shows."""
    connection.execute("ALTER TABLE t ADD COLUMN b")
    connection.execute("UPDATE t SET b = 5")
    connection.commit()
    for _ in range(3):
        connection.execute("SELECT t.a FROM t JOIN u USING (b)").fetchall()
    connection.execute("INSERT INTO u VALUES (5)")
    connection.commit()
    assert connection.execute("SELECT t.a FROM t JOIN u USING (b)").fetchall() == [(1,)]


def test_write_with_returning(connection: Any) -> None:
    """A write that returns rows commits when they are fetched, and shows."""
    connection.execute("INSERT INTO t VALUES (2) RETURNING a").fetchall()
    connection.commit()
    assert connection.execute(SELECT).fetchall() == [(1,), (2,)]


def test_executemany_shows(connection: Any) -> None:
    """What `executemany` wrote shows."""
    connection.executemany("INSERT INTO t VALUES (?)", [(2,), (3,)])
    connection.commit()
    assert connection.execute(SELECT).fetchall() == [(1,), (2,), (3,)]


def test_executescript_shows(connection: Any) -> None:
    """What `executescript` wrote shows."""
    connection.executescript("INSERT INTO t VALUES (2); DELETE FROM u")
    assert (connection.execute(SELECT).fetchall(), connection.execute(OTHER).fetchall()) == ([(1,), (2,)], [])


def test_failing_executemany_shows(path: Path) -> None:
    """What `executemany` wrote before it failed shows."""
    with closing(proxydb.connect(path, config=CACHED, isolation_level=None)) as connection:
        connection.execute("CREATE UNIQUE INDEX i ON t (a)")
        for _ in range(3):
            connection.execute(SELECT).fetchall()
        with pytest.raises(sqlite3.IntegrityError):
            connection.executemany("INSERT INTO t VALUES (?)", [(2,), (1,)])
        assert connection.execute(SELECT).fetchall() == [(1,), (2,)]


def test_blob_shows(connection: Any) -> None:
    """What was written into a blob shows."""
    connection.execute("INSERT INTO t VALUES (x'00')")
    connection.commit()
    for _ in range(2):
        connection.execute(SELECT).fetchall()
    with connection.blobopen("t", "a", 2) as blob:
        blob.write(b"x")
    connection.commit()
    assert connection.execute(SELECT).fetchall() == [(1,), (b"x",)]


def test_isolation_level_that_is_assigned(connection: Any) -> None:
    """Assigning None to `isolation_level` commits before 3.12, and what it commits shows."""
    connection.execute("INSERT INTO t VALUES (2)")
    connection.isolation_level = None
    assert connection.execute(SELECT).fetchall() == [(1,), (2,)]


KEYS: dict[str, tuple[Any, Any]] = {
    "other values": ((1,), (2,)),
    "other types": ((1,), (1.0,)),
    "truth": ((1,), (True,)),
    "signs of zero": ((0.0,), (-0.0,)),
    "text and bytes": (("a",), (b"a",)),
}


@pytest.mark.parametrize(("one", "other"), KEYS.values(), ids=KEYS)
def test_other_parameters_are_another_key(connection: Any, one: Any, other: Any) -> None:
    """Parameters that differ in value or type do not share rows."""
    sql = "SELECT typeof(?), a FROM t"
    for _ in range(2):
        connection.execute(sql, one).fetchall()
    assert not _is_hit_with(connection, sql, other)


def _is_hit_with(connection: Any, sql: str, parameters: Any) -> bool:
    before = _hits(connection)
    connection.execute(sql, parameters).fetchall()
    return _hits(connection) > before


SAME: dict[str, tuple[str, Any]] = {
    "list": ("SELECT a FROM t WHERE a = ?", [1]),
    "other white space": ("select  a\nfrom t where a = ?", (1,)),
}


@pytest.mark.parametrize(("sql", "parameters"), SAME.values(), ids=SAME)
def test_same_key(connection: Any, sql: str, parameters: Any) -> None:
    """A list and a tuple of the same parameters, and texts of one normal form, share rows."""
    connection.execute("SELECT a FROM t WHERE a = ?", (1,)).fetchall()
    connection.execute(sql, parameters).fetchall()
    assert _is_hit_with(connection, sql, parameters)


def test_named_parameters(connection: Any) -> None:
    """Named parameters are served, and each value has its own rows."""
    sql = "SELECT a FROM t WHERE a = :a"
    rows = [connection.execute(sql, {"a": value}).fetchall() for value in (1, 2, 1, 2)]
    assert (rows, _hits(connection)) == ([[(1,)], [], [(1,)], []], 4)


def test_surplus_names_do_not_hurt(connection: Any) -> None:
    """A dictionary with names that the statement does not use gives the same rows."""
    sql = "SELECT a FROM t WHERE a = :a"
    rows = [connection.execute(sql, {"a": 1, "b": value}).fetchall() for value in (1, 2, 3)]
    assert rows == [[(1,)]] * 3


class _Mapping(dict[str, int]):
    """A mapping of the application's own."""


class _Sequence(list[int]):
    """A sequence of the application's own."""


CONTAINERS: dict[str, Any] = {":a": _Mapping(a=1), "?": _Sequence([1])}


@pytest.mark.parametrize("placeholder", CONTAINERS)
def test_own_containers_are_not_served(connection: Any, placeholder: str) -> None:
    """Parameters in a container of the application's own go to the driver, which asks it for each."""
    sql, before = f"SELECT a FROM t WHERE a = {placeholder}", _hits(connection)
    rows = [connection.execute(sql, CONTAINERS[placeholder]).fetchall() for _ in range(3)]
    assert ([[(1,)]] * 3, before) == (rows, _hits(connection))


def test_adapted_parameters_are_not_served(connection: Any) -> None:
    """Parameters that have to be adapted go to the driver."""

    class Point:
        def __conform__(self, _protocol: Any) -> int:
            return 1

    rows = [connection.execute("SELECT a FROM t WHERE a = ?", (Point(),)).fetchall() for _ in range(3)]
    assert (
        rows,
        connection.proxydb.stats().bypasses,
    ) == ([[(1,)]] * 3, {"a parameter of a type that has to be adapted": 3})


SHAPES = {
    "plain": [("a",)],
    "several": [("a",), ("b",)],
    "quoted": [('a "quoted" name',)],
    "empty": [("",)],
    "expression": [("count(*)",)],
    "same twice": [("a",), ("a",)],
    "umlaut": [("ä",)],
}


@pytest.mark.parametrize("description", SHAPES.values(), ids=SHAPES)
def test_shape(description: list[tuple[str]]) -> None:
    """A shape is a statement without rows whose columns have just these names."""
    with closing(sqlite3.connect(":memory:")) as connection:
        cursor = connection.execute(shape_of(description))
        names = [column[:1] for column in cursor.description]
        assert (description, []) == (names, cursor.fetchall())
