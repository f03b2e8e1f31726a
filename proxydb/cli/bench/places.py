"""The databases of a benchmark: a synthetic fleet without and with hand-made indexes, on SQLite or on Postgres."""

from __future__ import annotations

import os
import shutil
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import proxydb.lake
from proxydb.cli.plain_driver import open_plain, system_of, with_database
from proxydb.errors import TargetError
from proxydb.lake.synthetic import load_fleet

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from proxydb.cli.screen import Progress
    from proxydb.lake import ParameterRanges
    from proxydb.lake.setup import Indexes
    from proxydb.lake.synthetic import Fleet


@dataclass(frozen=True, slots=True)
class Place:
    """Where the operations run.

    Parameters
    ----------
    system
        ``"sqlite"`` or ``"postgresql"``.
    server
        The database program with its version.
    plain, indexed
        The same lake in two databases, without and with hand-made indexes.
    """

    system: str
    server: str
    plain: str
    indexed: str

    def ranges(self, tables: int | None = None) -> tuple[ParameterRanges, ...]:
        """What parameters are drawn from, for the first tables or for all, the largest first."""
        with closing(open_plain(self.plain)) as connection:
            return tuple(table.parameter_ranges() for table in proxydb.lake.open(connection).tables()[:tables])


@contextmanager
def sqlite_place(fleet: Fleet, progress: Progress) -> Iterator[Place]:
    """Two files in WAL mode, in a temporary directory."""
    with TemporaryDirectory(prefix="proxydb-bench-") as directory:
        plain, indexed = (str(Path(directory) / f"{name}.db") for name in ("plain", "indexed"))
        _execute(plain, "PRAGMA journal_mode = WAL")
        _load(plain, fleet, progress)
        shutil.copy(plain, indexed)
        yield _finished("sqlite", plain, indexed)


@contextmanager
def postgres_place(server: str, fleet: Fleet, progress: Progress) -> Iterator[Place]:
    """Two databases that are made on a server and dropped again.

    Parameters
    ----------
    server
        The conninfo or URL of a role that may create databases.
    """
    if system_of(server) != "postgresql":
        raise TargetError("--postgres takes postgresql://… or a libpq conninfo")
    names = [f"proxydb_bench_{os.getpid()}_{kind}" for kind in ("plain", "indexed")]
    plain, indexed = (with_database(server, name) for name in names)
    try:
        _execute(server, f"CREATE DATABASE {names[0]}")
        _load(plain, fleet, progress)
        _execute(server, f"CREATE DATABASE {names[1]} TEMPLATE {names[0]}")
        yield _finished("postgresql", plain, indexed)
    finally:
        for name in names:
            _execute(server, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _load(target: str, fleet: Fleet, progress: Progress) -> None:
    with closing(open_plain(target)) as connection:
        load_fleet(
            proxydb.lake.open(connection),
            fleet,
            progress=lambda done, total: progress(f"loading {system_of(target)}", done, total),
        )


def _finished(system: str, plain: str, indexed: str) -> Place:
    _finish(plain, None)
    _finish(indexed, "hand")
    with closing(open_plain(plain)) as connection:
        [(server,)] = connection.execute(_VERSION[system]).fetchall()
    return Place(system, server, plain, indexed)


_VERSION = {"sqlite": "SELECT 'SQLite ' || sqlite_version()", "postgresql": "SELECT split_part(version(), ' on ', 1)"}


def _finish(target: str, indexes: Indexes | None) -> None:
    """Make the indexes, and let the database know its statistics."""
    with closing(open_plain(target)) as connection:
        lake = proxydb.lake.open(connection, indexes=indexes)
        connection.execute("VACUUM ANALYZE" if lake.system == "postgresql" else "ANALYZE")


def _execute(target: str, statement: str) -> None:
    with closing(open_plain(target)) as connection:
        connection.execute(statement)


def add_place_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments that say where a benchmark runs."""
    parser.add_argument(
        "--postgres",
        dest="target",
        metavar="CONNINFO",
        help="a Postgres server too; databases are made there and dropped again",
    )
    parser.add_argument("--no-sqlite", action="store_true", help="leave SQLite out")


def places(arguments: argparse.Namespace, fleet: Fleet, progress: Progress) -> Iterator[AbstractContextManager[Place]]:
    """The places that the arguments ask for, each made when it is entered."""
    if arguments.no_sqlite and not arguments.target:
        raise TargetError("there is nothing to measure: leave --no-sqlite out, or give --postgres")
    if not arguments.no_sqlite:
        yield sqlite_place(fleet, progress)
    if arguments.target:
        yield postgres_place(arguments.target, fleet, progress)
