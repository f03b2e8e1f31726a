"""There is one `Database` for a file and a process: it is shared, outlives nobody, and is told apart by the file."""

from __future__ import annotations

import gc
import os
import sqlite3
import subprocess
import sys
import threading
import warnings
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

import proxydb
from proxydb.config import Config
from proxydb.errors import TargetError

if TYPE_CHECKING:
    from pathlib import Path

CACHED = Config(admission=0)
SELECT = "SELECT a FROM t"


@pytest.fixture
def path(sqlite_path: Path) -> Path:
    """A database with one row."""
    with closing(sqlite3.connect(sqlite_path)) as connection:
        connection.executescript("CREATE TABLE t (a); INSERT INTO t VALUES (1)")
    return sqlite_path


def _open(path: Any) -> Any:
    return closing(proxydb.connect(path, config=CACHED))


def test_connections_share_it(path: Path) -> None:
    """Connections to one file have one database."""
    with _open(path) as one, _open(path) as other:
        assert one.proxydb is other.proxydb


def test_names_of_one_file_share_it(path: Path, tmp_path: Path) -> None:
    """A file is one database under all its names."""
    (tmp_path / "link.db").symlink_to(path)
    with _open(path) as one, _open(tmp_path / "link.db") as other, _open(f"{path.as_uri()}?mode=rw") as third:
        assert one.proxydb is other.proxydb is third.proxydb


def test_relative_path_shares_it(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative path names the same database, also after a change of directory."""
    monkeypatch.chdir(path.parent)
    with _open(path.name) as one:
        one.execute(SELECT).fetchall()
        monkeypatch.chdir("/")
        with _open(path) as other:
            assert one.proxydb is other.proxydb


def test_files_do_not_share_it(path: Path, tmp_path: Path) -> None:
    """Two files are two databases."""
    with _open(path) as one, _open(tmp_path / "other.db") as other:
        assert one.proxydb is not other.proxydb


def test_databases_in_memory_do_not_share_it() -> None:
    """Each database in memory is its own."""
    with _open(":memory:") as one, _open(":memory:") as other:
        assert one.proxydb is not other.proxydb


def test_new_file_in_the_place_of_an_old_one(path: Path, tmp_path: Path) -> None:
    """A file that took another's place is another database."""
    with _open(path) as old:
        old.execute(SELECT).fetchall()
        with closing(sqlite3.connect(tmp_path / "new.db")) as new:
            new.executescript("CREATE TABLE t (a); INSERT INTO t VALUES (2)")
        os.replace(tmp_path / "new.db", path)
        with _open(path) as after:
            rows = (old.execute(SELECT).fetchall(), after.execute(SELECT).fetchall())
            assert (*rows, old.proxydb is after.proxydb) == ([(1,)], [(2,)], False)


def test_first_connection_has_the_options(path: Path) -> None:
    """The options are those of the first connection."""
    with closing(proxydb.connect(path, config=Config(plans=5))) as one:
        assert one.proxydb.config.plans == 5
        with closing(proxydb.connect(path, config=Config(plans=6))) as other:
            assert other.proxydb.config.plans == 5


def test_cache_goes_with_the_last_connection(path: Path) -> None:
    """When the last connection is closed nothing is kept."""
    with _open(path) as connection:
        connection.execute(SELECT).fetchall()
        database = connection.proxydb
        assert len(database.cache) == 1
    assert len(database.cache) == 0


def test_cache_stays_with_another_connection(path: Path) -> None:
    """As long as a connection is open what was kept stays."""
    with _open(path) as kept:
        kept.execute("SELECT 1")
        with _open(path) as connection:
            connection.execute(SELECT).fetchall()
        kept.execute(SELECT).fetchall()
        assert kept.proxydb.stats().hits == 1


def test_cache_stays_with_a_handle(path: Path) -> None:
    """A handle keeps the database while connections come and go."""
    with proxydb.database(path, config=CACHED) as database:
        for _ in range(3):
            with _open(path) as connection:
                connection.execute(SELECT).fetchall()
        assert (database.stats().hits, database.stats().misses) == (2, 1)


def test_handle_is_the_connections_database(path: Path) -> None:
    """A handle is the database that connections have."""
    with proxydb.database(path, config=CACHED) as database, _open(path) as connection:
        assert connection.proxydb is database


def test_closed_handle_lets_go(path: Path) -> None:
    """When the handle is closed and no connection is left, nothing is kept and no file is open."""
    database = proxydb.database(path, config=CACHED)
    with _open(path) as connection:
        connection.execute(SELECT).fetchall()
    database.close()
    assert (0, [path.name]) == (len(database.cache), [file.name for file in path.parent.iterdir()])


def test_handle_to_a_database_in_memory() -> None:
    """There is no handle to a database in memory, which only its own connection sees."""
    with pytest.raises(TargetError, match="belongs to its connection"):
        proxydb.database(":memory:")


def test_collected_connection_lets_go(path: Path) -> None:
    """A connection that was garbage-collected without `close` keeps the database no longer than the next look at it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        connection = proxydb.connect(path, config=CACHED)
        connection.execute(SELECT).fetchall()
        database = connection.proxydb
        del connection
        gc.collect()
    with _open(path) as later:
        assert (later.proxydb is database, len(database.cache)) == (False, 0)


def test_connection_that_is_closed_twice(path: Path) -> None:
    """Closing a connection twice lets go of the database once."""
    with _open(path) as kept:
        kept.execute(SELECT).fetchall()
        connection = proxydb.connect(path, config=CACHED)
        connection.execute(SELECT).fetchall()
        connection.close()
        connection.close()
        assert len(kept.proxydb.cache) == 1


def test_repr(path: Path) -> None:
    """The repr names the system and the file."""
    with _open(path) as connection:
        assert repr(connection.proxydb) == f"<proxydb.Database sqlite {str(path)!r}>"


def test_plans_are_shared(path: Path) -> None:
    """A text is planned once for all connections."""
    with _open(path) as one, _open(path) as other:
        for connection in (one, other):
            connection.execute(SELECT).fetchall()
        assert one._context.statement(SELECT).plan is other._context.statement(SELECT).plan


def test_plans_are_shared_by_threads(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads that see a text for the first time at once plan it to one plan."""
    plans: list[Any] = []
    barrier = threading.Barrier(2, timeout=5)
    with _open(path) as kept:
        analyse = kept.proxydb.driver.analyse

        def analyse_together(*arguments: Any) -> Any:
            barrier.wait()
            return analyse(*arguments)

        monkeypatch.setattr(kept.proxydb.driver, "analyse", analyse_together)

        def run() -> None:
            with _open(path) as connection:
                plans.append(connection._context.statement(SELECT).plan)

        threads = [threading.Thread(target=run) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
    assert plans[0] is plans[1]


def test_plans_make_room(path: Path) -> None:
    """The table of plans stays within its size."""
    with closing(proxydb.connect(path, config=Config(plans=10))) as connection:
        for number in range(100):
            connection.execute(f"SELECT {number} FROM t").fetchall()
        assert len(connection.proxydb._plans) <= 10


def test_plan_of_a_fault(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of the planner does not break a statement: it is sent as it is, and nothing is kept."""

    def fail(*_arguments: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(sys.modules["proxydb.database"], "plan", fail)
    with _open(path) as connection:
        rows = [connection.execute(SELECT).fetchall() for _ in range(3)]
        assert (rows, len(connection.proxydb.cache)) == ([[(1,)]] * 3, 0)


def test_reason_of_a_fault(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`explain` tells of a fault of the planner."""

    def fail(*_arguments: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(sys.modules["proxydb.database"], "plan", fail)
    with _open(path) as connection:
        assert connection.proxydb.explain(SELECT).reason == "could not be planned: ZeroDivisionError"


def test_connections_of_threads(path: Path) -> None:
    """Connections may be opened, used and closed in many threads at once; none is left in the end."""
    with _open(path) as kept:
        kept.execute(SELECT).fetchall()

        def run() -> None:
            for _ in range(20):
                with _open(path) as connection:
                    connection.execute(SELECT).fetchall()

        threads = [threading.Thread(target=run) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert (kept.proxydb.is_last(), kept.proxydb.stats().statements) == (True, 81)


def test_statistics_of_a_closed_database_are_gone(path: Path) -> None:
    """A database that is opened again begins to count anew."""
    with _open(path) as connection:
        connection.execute(SELECT).fetchall()
    with _open(path) as connection:
        assert connection.proxydb.stats().statements == 0


def test_the_function_stays_after_its_modules_import() -> None:
    """`proxydb.database` is the function, whichever of it and the module of that name is loaded first."""
    first = "import proxydb.database, proxydb; print(proxydb.database.__module__)"
    later = "import proxydb; proxydb.database; import proxydb.database; print(proxydb.database.__module__)"
    for code in (first, later):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout == "proxydb.dbapi.connect\n"
