"""`install` and `uninstall`: every way to `connect` is found and given back, and the application sees no difference."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import traceback
import types
from contextlib import closing
from typing import TYPE_CHECKING, Any

import psycopg
import psycopg_pool
import pytest
import sqlalchemy

import proxydb
from proxydb.config import Config
from proxydb.dbapi import postgres, postgres_async, sqlite
from proxydb.observe.profile import profiling

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from proxydb.observe.profile import Profile

PLAIN = sqlite3.connect, psycopg.connect, psycopg.Connection.__dict__["connect"]
RECORDING = Config(cache="off")


@pytest.fixture
def profile() -> Iterator[Profile]:
    """Installed for recording only."""
    yield proxydb.install(RECORDING)
    proxydb.uninstall()


def calls(profile: Profile) -> dict[str, int]:
    """How often each statement was executed."""
    return {each.fingerprint: each.calls for each in profile.report().statements}


def plain_now() -> tuple[Any, ...]:
    """What `PLAIN` is made of, as it is now."""
    return sqlite3.connect, psycopg.connect, psycopg.Connection.__dict__["connect"]


def ours(connection: Any) -> bool:
    """Whether a connection is proxied."""
    return isinstance(connection, (sqlite.Connection, postgres.Connection, postgres_async.AsyncConnection))


def test_everything_is_given_back() -> None:
    """After `uninstall` every name is the very object that it was; twice installed is once installed."""
    proxydb.install(RECORDING)
    proxydb.install(RECORDING)
    assert all(now is not before for now, before in zip(plain_now(), PLAIN, strict=True))
    proxydb.uninstall()
    assert all(now is before for now, before in zip(plain_now(), PLAIN, strict=True))
    proxydb.uninstall()


def test_names_imported_before() -> None:
    """A module and a class that took the name before `install` have the patched one until `uninstall`."""
    module = types.ModuleType("an_application")
    exec(
        "from sqlite3 import connect\nclass Store:\n    raw, connect = connect, staticmethod(connect)",
        vars(module),
    )
    sys.modules[module.__name__] = module
    names: Callable[[], list[Any]] = lambda: [module.connect, module.Store.connect, vars(module.Store)["raw"]]  # type: ignore[attr-defined]  # noqa: E731
    try:
        before = names()
        proxydb.install(RECORDING)
        store = module.Store()  # type: ignore[attr-defined]
        for connect in (module.connect, store.connect, store.raw):  # type: ignore[attr-defined]
            with closing(connect(":memory:")) as connection:
                assert ours(connection)
        proxydb.uninstall()
        assert all(now is then for now, then in zip(names(), before, strict=True))
    finally:
        del sys.modules[module.__name__]


@pytest.mark.parametrize("order", ["driver first", "install first", "both", "reinstalled"])
def test_the_order_of_imports_does_not_matter(order: str, tmp_path: Path) -> None:
    """In a new process the driver is patched, whichever is imported first."""
    install, driver = "import proxydb; proxydb.install(proxydb.Config(cache='off'))", "from sqlite3 import connect"
    lines = {
        "driver first": [driver, install],
        "install first": [install, driver],
        "both": [install, driver, install],
        "reinstalled": [install, "proxydb.uninstall()", driver, install],
    }[order]
    lines.append("print(type(connect(':memory:')).__mro__[1].__module__)")
    done = subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=True)
    assert done.stdout == "proxydb.dbapi.sqlite\n"


def test_the_patched_function_looks_like_the_drivers(profile: Profile) -> None:
    """It is equal to it, of its type, and has its name."""
    assert (sqlite3.connect == PLAIN[0], isinstance(sqlite3.connect, types.BuiltinFunctionType)) == (True, True)
    assert (sqlite3.connect.__name__, sqlite3.connect.__doc__) == ("connect", PLAIN[0].__doc__)


def test_a_connection_goes_by_the_drivers_names(profile: Profile) -> None:
    """Classes are shown as the driver's."""
    with closing(sqlite3.connect(":memory:")) as connection:
        assert repr(connection).startswith("<sqlite3.Connection object at")
        assert repr(connection.cursor()).startswith("<sqlite3.Cursor object at")


class Mine(sqlite3.Connection):
    """An application's own connection."""

    def answer(self) -> int:
        """What a connection of its own can do."""
        return int(self.execute("SELECT 42").fetchone()[0])


class Counting(sqlite3.Cursor):
    """An application's own cursor."""

    executed = 0

    def execute(self, *args: Any) -> Any:
        self.executed += 1
        return super().execute(*args)


def test_own_classes_are_honoured(profile: Profile) -> None:
    """A factory is mixed with ours, for connections and for cursors; both are recorded."""
    with closing(sqlite3.connect(":memory:", factory=Mine)) as connection:
        cursor = connection.cursor(Counting)
        assert (connection.answer(), cursor.execute("SELECT 1").fetchall(), cursor.executed) == (42, [(1,)], 1)
        assert (type(connection).__name__, isinstance(connection, Mine), ours(connection)) == ("Mine", True, True)
    assert calls(profile) == {"select ?": 2}


def test_a_class_that_cannot_be_mixed_stays_as_it_is(profile: Profile) -> None:
    """Slots that do not go together with ours leave the cursor unrecorded, and working."""

    class Slotted(sqlite3.Cursor):
        __slots__ = ("mine",)

    with closing(sqlite3.connect(":memory:")) as connection:
        assert connection.cursor(Slotted).execute("SELECT 1").fetchall() == [(1,)]


def test_proxydb_itself_stays_raw(profile: Profile, tmp_path: Path) -> None:
    """With the cache on our own connections to the file are the driver's: nothing is recorded twice."""
    proxydb.install(Config(admission=0))
    with closing(sqlite3.connect(tmp_path / "a.db")) as connection:
        connection.execute("CREATE TABLE t (a)")
        for _ in range(5):
            connection.execute("SELECT a FROM t").fetchall()
        assert connection.proxydb.stats().hits == 4  # type: ignore[attr-defined]
    assert calls(profile) == {"create table t(a)": 1, "select a from t": 5}


def test_connections_of_drop_ins_are_in_the_profile(profile: Profile) -> None:
    """A connection that was opened through proxydb counts, too."""
    with closing(proxydb.connect(":memory:")) as connection:
        connection.execute("SELECT 1")
    assert calls(profile) == {"select ?": 1}


@pytest.mark.parametrize("cache", ["off", "strict"])
@pytest.mark.parametrize(
    "fault",
    [
        lambda one: one.cursor().execute("SELEC"),
        lambda one: one.execute("SELEC"),
        lambda one: one.execute("SELECT ?"),
        lambda one: one.cursor().execute("SELECT 1", 1, 2),
        lambda one: one.cursor().execute(),
        lambda one: one.cursor().execute(sql="SELECT 1"),
        lambda one: one.cursor().execute([]),
        lambda one: one.execute("SELECT 1", None),
        lambda one: one.executemany("SELECT ?", [(1,)]),
        lambda one: one.executescript("SELEC"),
        lambda one: one.cursor().fetchall(1),
        lambda one: one.cursor().fetchmany(size="x"),
        lambda one: (one.close(), one.commit()),
        lambda one: (one.close(), one.execute("SELECT 1")),
        lambda one: setattr(one, "isolation_level", "SOMETIMES"),
        lambda one: one.backup(one),
        lambda one: (one.execute("SELECT abs('a') UNION SELECT 1 / 0").fetchall(), one.cursor().close(1)),
    ],
)
def test_errors_are_the_drivers(fault: Callable[[Any], Any], cache: Any, profile: Profile) -> None:
    """The class is that of the plain driver, and the traceback ends in the application's own line."""
    with closing(sqlite3.Connection(":memory:")) as plain, pytest.raises(Exception) as expected:
        fault(plain)
    proxydb.install(Config(cache=cache, admission=0))
    with closing(sqlite3.connect(":memory:")) as connection, pytest.raises(type(expected.value)) as caught:
        fault(connection)
    files = [entry.filename for entry in traceback.extract_tb(caught.value.__traceback__)]
    assert files == [entry.filename for entry in traceback.extract_tb(expected.value.__traceback__)]
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    "fault",
    [
        lambda one: one.cursor().execute("SELEC"),
        lambda one: one.execute("SELECT ?"),
        lambda one: one.cursor().execute("SELECT 1", 1, 2),
        lambda one: one.cursor().execute(),
        lambda one: one.cursor().execute(sql="SELECT 1"),
        lambda one: one.cursor().execute([]),
    ],
)
def test_words_of_errors_are_the_drivers(fault: Callable[[Any], Any], profile: Profile) -> None:
    """What `execute` refuses, it refuses in the words of the plain driver."""
    with closing(sqlite3.Connection(":memory:")) as plain, pytest.raises(Exception) as expected:
        fault(plain)
    with closing(sqlite3.connect(":memory:")) as connection, pytest.raises(type(expected.value)) as caught:
        fault(connection)
    assert str(caught.value) == str(expected.value)


def test_a_connection_that_cannot_be_opened(profile: Profile, tmp_path: Path) -> None:
    """The error of `connect` points to the application's line."""
    with pytest.raises(sqlite3.OperationalError, match="unable to open") as caught:
        sqlite3.connect(tmp_path / "nowhere" / "a.db")
    assert traceback.extract_tb(caught.value.__traceback__)[-1].filename == __file__


def test_served_rows_leave_no_frame(profile: Profile) -> None:
    """A cursor that gives rows from memory raises as a live one does."""
    proxydb.install(Config(admission=0))
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE t (a)")
        for _ in range(3):
            cursor = connection.execute("SELECT a FROM t")
            cursor.fetchall()
        assert connection.proxydb.stats().hits == 2  # type: ignore[attr-defined]
        with pytest.raises(TypeError) as caught:
            cursor.fetchmany("x")
        connection.close()
        with pytest.raises(sqlite3.ProgrammingError) as closed:
            cursor.fetchall()
    for error in (caught, closed):
        assert traceback.extract_tb(error.value.__traceback__)[-1].filename == __file__


def test_after_uninstall_open_connections_go_on(profile: Profile) -> None:
    """They work, and are not in the profile any more."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("SELECT 1")
        proxydb.uninstall()
        assert connection.execute("SELECT 2").fetchall() == [(2,)]
        with closing(sqlite3.connect(":memory:")) as plain:
            assert (profiling.current, ours(plain)) == (None, False)


def test_sqlalchemy_on_sqlite(profile: Profile, tmp_path: Path) -> None:
    """An engine that was made before, and holds the driver's module, opens recorded connections."""
    engine = sqlalchemy.create_engine(f"sqlite:///{tmp_path}/a.db")
    with engine.begin() as connection:
        for number in range(12):
            connection.execute(sqlalchemy.text("SELECT :number"), {"number": number})
    engine.dispose()
    report = profile.report()
    assert [(group.calls, group.site.rpartition(":")[0]) for group in report.repeated] == [(12, __file__)]


# Postgres ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


class MyConnection(psycopg.Connection[Any]):
    """An application's own connection."""


class MyCursor(psycopg.ClientCursor[Any]):
    """An application's own cursor."""


def test_every_way_to_postgres(profile: Profile, postgres_dsn: str) -> None:
    """The function, the class method, an own class, another kind of cursor: all are recorded by the driver's names."""
    from psycopg import connect

    opened: list[psycopg.Connection[Any]] = [
        connect(postgres_dsn),
        psycopg.Connection.connect(postgres_dsn),
        MyConnection.connect(postgres_dsn),
        psycopg.connect(postgres_dsn, cursor_factory=MyCursor),
    ]
    for connection in opened:
        with connection:
            assert (ours(connection), connection.execute("SELECT 1").fetchall()) == (True, [(1,)])
            connection.cursor_factory = psycopg.ClientCursor
            assert connection.cursor().execute("SELECT 1").fetchall() == [(1,)]
            with connection.cursor("named") as cursor:
                assert cursor.execute("SELECT 1").fetchall() == [(1,)]
    assert (isinstance(opened[2], MyConnection), repr(opened[0])[:19]) == (True, "<psycopg.Connection")
    [statement] = [each for each in profile.report().statements if each.kind == "read"]
    assert (statement.calls, statement.rows) == (12, 8)


def test_a_pool_of_postgres(profile: Profile, postgres_dsn: str) -> None:
    """Connections of a pool are recorded."""
    with psycopg_pool.ConnectionPool(postgres_dsn, min_size=1, open=True) as pool, pool.connection() as connection:
        connection.execute("SELECT 1")
        assert ours(connection)
    assert calls(profile)["select ?"] == 1


def test_asynchronous_connections(profile: Profile, postgres_dsn: str) -> None:
    """Those that are awaited are recorded, with their call sites."""

    async def work() -> bool:
        async with await psycopg.AsyncConnection.connect(postgres_dsn) as connection:
            for _ in range(12):
                await connection.execute("SELECT 1")
            return ours(connection)

    assert asyncio.run(work())
    [group] = profile.report().repeated
    assert (group.calls, group.site.rpartition(":")[0]) == (12, __file__)


def test_errors_of_postgres(profile: Profile, postgres_dsn: str) -> None:
    """The traceback has the driver's frames and none of ours; the error has no context."""
    with psycopg.connect(postgres_dsn) as connection:
        with pytest.raises(psycopg.errors.SyntaxError) as caught:
            connection.cursor().execute("SELEC")
        connection.rollback()
    files = [entry.filename for entry in traceback.extract_tb(caught.value.__traceback__)]
    assert (files[0], [file for file in files if "proxydb/dbapi" in file], caught.value.__context__) == (
        __file__,
        [],
        None,
    )


def test_passwords_stay_out(profile: Profile, postgres_dsn: str) -> None:
    """Neither the password of a connection nor that of a statement is in the report."""
    with psycopg.connect(postgres_dsn, password="hunter2") as connection:
        connection.execute("SELECT set_config('a.b', 'hunter2', true)")
    with closing(sqlite3.connect(":memory:")) as lite:
        lite.execute('PRAGMA key = "hunter2"')
    report = profile.report()
    assert "hunter2" not in report.to_json() + report.to_html() + str(report)
