"""A Postgres server for tests: a cluster in a temporary directory, or one that the environment names."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.postgres_search import Found

SETTINGS = {"fsync": "off", "max_prepared_transactions": "10", "max_connections": "100", "timezone": "UTC"}
SETTINGS |= {"autovacuum": "off"}  # its commits change the label, and so what a test finds in memory
UNPRIVILEGED = ("postgres", "pgserver", "nobody", "daemon")
HAS_UNIX_SOCKETS = sys.platform != "win32"


class PostgresServer:
    """What every server offers: connection strings and fresh databases."""

    name: str
    _numbers = count(1)

    def dsn(self, dbname: str = "postgres") -> str:
        """The conninfo of one database."""
        raise NotImplementedError

    def start(self) -> PostgresServer:
        """Have it running; starting a running server does nothing."""
        return self

    def stop(self) -> None:
        """Have it gone, unless it is somebody else's."""

    @property
    def version(self) -> int:
        """The server's number as libpq gives it: 150004 is 15.4."""
        with psycopg.connect(self.dsn()) as connection:
            return connection.info.server_version

    def execute(self, statement: sql.Composed) -> None:
        """Run one statement that stands outside transactions, as those on whole databases do."""
        with psycopg.connect(self.dsn(), autocommit=True) as connection:
            connection.execute(statement)

    @contextmanager
    def fresh_database(self, template: str = "template0") -> Iterator[str]:
        """The conninfo of a new database, empty or a copy, which is dropped under whoever still uses it."""
        dbname = f"proxydb_test_{os.getpid()}_{next(self._numbers)}"
        names = sql.Identifier(dbname), sql.Identifier(template)
        self.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*names))
        try:
            yield self.dsn(dbname)
        finally:
            self._drop(dbname)

    def _drop(self, dbname: str) -> None:
        drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(dbname))
        try:
            self.execute(drop)
        except psycopg.errors.ObjectInUse:
            self._end_prepared_transactions(dbname)
            self.execute(drop)

    def _end_prepared_transactions(self, dbname: str) -> None:
        """What a failed test has prepared and not ended would keep its database for ever."""
        with psycopg.connect(self.dsn(dbname), autocommit=True) as connection:
            of_database = "SELECT gid FROM pg_prepared_xacts WHERE database = current_database()"
            for (gid,) in connection.execute(of_database).fetchall():
                connection.execute(sql.SQL("ROLLBACK PREPARED {}").format(sql.Literal(gid)))


class NamedServer(PostgresServer):
    """A running server that the environment names; it is neither started nor stopped here."""

    def __init__(self, conninfo: str) -> None:
        self.name = "named"
        self._conninfo = conninfo

    def dsn(self, dbname: str | None = None) -> str:
        return make_conninfo(self._conninfo, **({"dbname": dbname} if dbname else {}))

    def __str__(self) -> str:
        where = conninfo_to_dict(self._conninfo)
        return f"PROXYDB_TEST_DSN ({where.get('host', 'local socket')}:{where.get('port', 5432)})"


class Cluster(PostgresServer):
    """A server of our own: made by `start`, gone without a trace after `stop`."""

    def __init__(self, found: Found) -> None:
        self.name = found.name
        self.found = found
        self._bindir = found.bindir
        self._directory: Path | None = None
        self._owner = os.getpid()

    def __str__(self) -> str:
        return f"{self.name} ({self.found.bindir})"

    def dsn(self, dbname: str = "postgres") -> str:
        return make_conninfo("", host=self._host, port=self._port, user="postgres", dbname=dbname)

    @property
    def pid(self) -> int:
        """The process id of the postmaster."""
        return int((self._data / "postmaster.pid").read_text().split()[0])

    @property
    def log(self) -> str:
        """What the server has logged."""
        return (self._home / "log").read_text(errors="replace")

    def start(self) -> Cluster:
        """Make the cluster and start it, unless it is there already."""
        if self._directory is None:
            try:
                self._make()
                self._start()
            except BaseException:
                self.stop()
                raise
        return self

    def restart(self, immediate: bool = False) -> None:
        """Stop and start the server; `immediate` is a crash, after which it recovers from its log."""
        self._pg_ctl("stop", "-m", "immediate" if immediate else "fast")
        self._start()

    def stop(self) -> None:
        """Stop the server and remove its files; a forked child of the tests leaves both alone."""
        if self._directory is None or os.getpid() != self._owner:
            return
        if (self._data / "postmaster.pid").exists():
            self._pg_ctl("stop", "-m", "immediate")
        shutil.rmtree(self._directory, ignore_errors=True)
        self._directory = None

    @property
    def _home(self) -> Path:
        assert self._directory is not None, "the server has not been started"
        return self._directory

    @property
    def _data(self) -> Path:
        return self._home / "data"

    def _make(self) -> None:
        self._directory = _directory_for_server()
        self._bindir = _readable_bindir(self.found.bindir, self._directory)
        self._host, self._port = (str(self._directory), 5432) if HAS_UNIX_SOCKETS else ("127.0.0.1", _free_port())
        self._run("initdb", "-D", self._data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
        with (self._data / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in (SETTINGS | self._addresses()).items())

    def _addresses(self) -> dict[str, str]:
        """A Unix socket where there are any: it is closed to the network and never clashes."""
        sockets, hosts = (self._host, "") if HAS_UNIX_SOCKETS else ("", self._host)
        return {"port": str(self._port), "unix_socket_directories": sockets, "listen_addresses": hosts}

    def _start(self) -> None:
        self._pg_ctl("start", "-l", self._home / "log")

    def _pg_ctl(self, action: str, *options: Any) -> None:
        self._run("pg_ctl", action, "-D", self._data, "-w", "-s", *options)

    def _run(self, program: str, *arguments: Any) -> None:
        """Output goes to a file: a pipe would stay open as long as the server that inherits it."""
        output = self._home / f"{program}.out"
        with output.open("wb") as file:
            command = [str(self._bindir / program), *map(str, arguments)]
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, cwd=self._home, check=False, **_as_user()
            )
        if done.returncode:
            raise RuntimeError(f"{program} of {self} failed:\n{output.read_text(errors='replace')}")


def _as_user() -> dict[str, Any]:
    """What `subprocess` needs so that Postgres, which refuses to run as root, runs as somebody else."""
    if (account := _unprivileged()) is None:
        return {}
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _unprivileged() -> Any:
    """The account to run as, or None when the current one will do."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return None
    import pwd

    accounts = {account.pw_name: account for account in pwd.getpwall() if account.pw_uid != 0}
    named = [accounts[name] for name in UNPRIVILEGED if name in accounts]
    return (named or list(accounts.values()))[0]


def _directory_for_server() -> Path:
    """A short path, since a socket's path has at most 107 bytes, in a place that the server's user can enter."""
    parent = Path(tempfile.gettempdir())
    if HAS_UNIX_SOCKETS and (len(str(parent)) > 60 or not _enterable(parent)):
        parent = Path("/tmp")
    directory = Path(tempfile.mkdtemp(prefix="proxydb-pg-", dir=parent))
    if (account := _unprivileged()) is not None:
        os.chown(directory, account.pw_uid, account.pw_gid)
    return directory


def _readable_bindir(bindir: Path, directory: Path) -> Path:
    """`bindir`, or that of a copy of the installation when it lies where the server's user cannot read."""
    if _enterable(bindir):
        return bindir
    package = bindir.parent.parent
    copied = directory / package.name / bindir.parent.name
    shutil.copytree(bindir.parent, copied, symlinks=True)
    for libraries in package.parent.glob(f"{package.name}.libs"):  # a wheel's, found relative to its binaries
        shutil.copytree(libraries, directory / libraries.name)
    return copied / bindir.name


def _enterable(path: Path) -> bool:
    """Whether everybody may enter `path` and all that it lies in."""
    return _unprivileged() is None or all(place.stat().st_mode & 0o001 for place in (path, *path.parents))


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
