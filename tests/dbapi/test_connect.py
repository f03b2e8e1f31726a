"""`parse_target` tells SQLite from Postgres, and `connect` opens what it found."""

from __future__ import annotations

import builtins
import sqlite3
from contextlib import closing
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import proxydb
import proxydb.psycopg
import proxydb.sqlite3
from proxydb.dbapi.connect import ACCEPTED, Target, parse_target
from proxydb.errors import InterfaceError, MissingExtra, TargetError

if TYPE_CHECKING:
    from collections.abc import Callable

SQLITE = {
    "application.db": "application.db",
    "/var/lib/application.db": "/var/lib/application.db",
    "./a b.db": "./a b.db",
    "C:\\data\\application.db": "C:\\data\\application.db",
    "C:/data/application.db": "C:/data/application.db",
    "žluťoučký.db": "žluťoučký.db",
    ":memory:": ":memory:",
    "sqlite://": ":memory:",
    "sqlite:///": ":memory:",
    "sqlite:///:memory:": ":memory:",
    "sqlite:///relative.db": "relative.db",
    "sqlite:////absolute.db": "/absolute.db",
    "SQLite:///relative.db": "relative.db",
    "sqlite:///with%20space.db": "with space.db",
}
POSTGRES = [
    "postgresql://",
    "postgresql://localhost",
    "postgresql://user:secret@host:5433/dbname?sslmode=require",
    "postgres://user@host/dbname",
    "PostgreSQL://host/dbname",
    "dbname=app",
    "host=/var/run/postgresql dbname=app user=me",
    "host = localhost  dbname = 'two words' password='it\\'s'",
    "  dbname=app  ",
    "service=app",
    "dbname=",
]
REFUSED = {
    "": "a connection target is",
    "a\0b": "a connection target is",
    "mysql://host/db": "the URL scheme 'mysql' is not known",
    "http://host/app.db": "the URL scheme 'http' is not known",
    "sqlite://host/app.db": "a sqlite URL has no host",
    "sqlite://app.db": "a sqlite URL has no host",
}
WRONG_TYPES = [None, 5, 1.5, object(), ["a.db"], {"dbname": "app"}, bytearray(b"a.db")]


@pytest.mark.parametrize(("target", "address"), SQLITE.items())
def test_sqlite_targets(target: str, address: str) -> None:
    """A path, ``:memory:`` or a sqlite URL is a SQLite file."""
    assert Target("sqlite", address) == parse_target(target)


@pytest.mark.parametrize("target", ["file:app.db", "file:/tmp/app.db?mode=ro", "file::memory:?cache=shared"])
def test_file_uris(target: str) -> None:
    """A ``file:`` URI is handed to SQLite as a URI."""
    assert Target("sqlite", target, uri=True) == parse_target(target)


@pytest.mark.parametrize("target", POSTGRES)
def test_postgres_targets(target: str) -> None:
    """A postgresql URL or a libpq conninfo is handed to psycopg as it is."""
    assert Target("postgresql", target) == parse_target(target)


def test_path_object() -> None:
    """A path object is a SQLite file, whatever it looks like."""
    assert Target("sqlite", "dbname=app") == parse_target(PurePosixPath("dbname=app"))


def test_bytes() -> None:
    """A path may be given in bytes, as to `sqlite3.connect`."""
    assert Target("sqlite", "app.db") == parse_target(b"app.db")


@pytest.mark.parametrize(("target", "message"), REFUSED.items())
def test_refusals(target: str, message: str) -> None:
    """What names neither kind of database is refused with a reason."""
    with pytest.raises(TargetError, match=message):
        parse_target(target)


@pytest.mark.parametrize("target", ["", "mysql://host/db"])
def test_refusals_say_what_is_accepted(target: str) -> None:
    """A refusal lists the accepted forms."""
    with pytest.raises(TargetError) as refused:
        parse_target(target)
    assert str(refused.value).endswith(f"a connection target is {ACCEPTED}")


@pytest.mark.parametrize("target", WRONG_TYPES, ids=lambda target: type(target).__name__)
def test_wrong_types(target: Any) -> None:
    """A target of another type is refused by the name of its type."""
    with pytest.raises(TargetError, match=f"not {type(target).__name__}$"):
        parse_target(target)


@pytest.mark.parametrize("kind", [InterfaceError, ValueError])
def test_refusals_are_caught_as(kind: type[Exception]) -> None:
    """A refusal is an `InterfaceError` of the error tree and a `ValueError`."""
    with pytest.raises(kind):
        parse_target("")


@pytest.mark.parametrize(
    "target", ["mysql://user:hunter2@host/db", "sqlite://user:hunter2@host/app.db", "hunter2\0", "x-hunter2+y\0://"]
)
def test_no_secret_in_refusals(target: str) -> None:
    """A refusal does not repeat what may hold a password."""
    with pytest.raises(TargetError) as refused:
        parse_target(target)
    assert "hunter2" not in str(refused.value)


ODD = st.one_of(
    st.text(),
    st.from_regex(r"[a-z]{0,8}:/{0,4}[^\n]{0,20}", fullmatch=True),
    st.from_regex(r"( ?[a-z]{1,8} ?= ?('[^']{0,5}'|[^ ]{0,5})){1,4}", fullmatch=True),
)


@given(ODD)
@example("a" * 5000 + "=")
@example("a=" * 2000)
@example("a= " * 2000 + "'")
@example("\ud800")
def test_any_text_is_a_target_or_a_target_error(target: str) -> None:
    """No text makes `parse_target` raise anything but `TargetError`, or take long."""
    try:
        assert parse_target(target).system in ("sqlite", "postgresql")
    except TargetError as refused:
        assert "connection target is" in str(refused) or "sqlite URL" in str(refused)


@given(st.binary())
def test_any_bytes_are_a_target_or_a_target_error(target: bytes) -> None:
    """No bytes make `parse_target` raise anything but `TargetError`."""
    try:
        assert parse_target(target).system in ("sqlite", "postgresql")
    except TargetError as refused:
        assert repr(target) not in str(refused)


def _forms_of(path: Path) -> dict[str, Any]:
    url = f"sqlite:///{path.as_posix()}"
    return {"path": path, "text": str(path), "bytes": bytes(path), "url": url, "uri": path.as_uri()}


@pytest.mark.parametrize("form", ["path", "text", "bytes", "url", "uri"])
def test_connect_opens_the_file(sqlite_path: Path, form: str) -> None:
    """Each form of a SQLite target opens the same file."""
    with closing(sqlite3.connect(sqlite_path)) as beside:
        beside.execute("CREATE TABLE here (x)")
    with closing(proxydb.connect(_forms_of(sqlite_path)[form])) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("here",)]


def test_connect_gives_our_class(sqlite_path: Path) -> None:
    """A SQLite target gives a connection of the drop-in's class."""
    with closing(proxydb.connect(sqlite_path)) as connection:
        assert isinstance(connection, proxydb.sqlite3.Connection)


def test_connect_passes_options_on(sqlite_path: Path) -> None:
    """What is not ours is an option of the driver."""
    with closing(proxydb.connect(sqlite_path, isolation_level=None)) as connection:
        assert connection.isolation_level is None


def test_connect_read_only_uri(sqlite_path: Path) -> None:
    """The query of a ``file:`` URI is obeyed."""
    read_only = closing(proxydb.connect(f"{sqlite_path.as_uri()}?mode=ro"))
    with read_only as connection, pytest.raises(sqlite3.OperationalError, match="readonly"):
        connection.execute("CREATE TABLE refused (x)")


def test_connect_keeps_the_drivers_error(tmp_path: Path) -> None:
    """A file that cannot be opened is the driver's own error."""
    with pytest.raises(sqlite3.OperationalError, match="unable to open"):
        proxydb.connect(tmp_path / "no such directory" / "app.db")


def _as_url(dsn: str) -> str:
    where = psycopg.conninfo.conninfo_to_dict(dsn)
    user = ":".join(where[part] for part in ("user", "password") if where.get(part))
    return f"postgresql://{user}@/{where['dbname']}?host={where['host']}&port={where.get('port', 5432)}"


@pytest.mark.parametrize("form", [str, _as_url], ids=["conninfo", "url"])
def test_connect_opens_postgres(postgres_dsn: str, form: Callable[[str], str]) -> None:
    """A conninfo and a URL open the same Postgres database."""
    with proxydb.connect(form(postgres_dsn)) as connection:
        dbname = psycopg.conninfo.conninfo_to_dict(postgres_dsn)["dbname"]
        assert (dbname,) == connection.execute("SELECT current_database()").fetchone()


def test_connect_to_postgres_gives_our_class(postgres_dsn: str) -> None:
    """A Postgres target gives a connection of the drop-in's class."""
    with proxydb.connect(postgres_dsn) as connection:
        assert isinstance(connection, proxydb.psycopg.Connection)


def test_connect_passes_options_on_to_psycopg(postgres_dsn: str) -> None:
    """What is not ours is an option of psycopg."""
    with proxydb.connect(postgres_dsn, autocommit=True) as connection:
        assert connection.autocommit is True


def test_connect_without_psycopg(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Postgres target without psycopg is an error that names the extra."""
    real = builtins.__import__

    def without_postgres(name: str, namespace: Any = None, local: Any = None, names: Any = (), level: int = 0) -> Any:
        if name == "proxydb.dbapi" and "postgres" in names:
            raise ImportError("No module named 'psycopg'")
        return real(name, namespace, local, names, level)

    monkeypatch.setattr(builtins, "__import__", without_postgres)
    with pytest.raises(MissingExtra, match=r"pip install 'proxydb\[postgres\]'"):
        proxydb.connect("dbname=app")
