"""Cases of the lake's views: what they cost a commit, and what they save a reader, on the plain driver."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

from psycopg import sql

import proxydb
import proxydb.lake
from perf.hot_path.case import Case, judged_line
from perf.hot_path.goals import AtMost, Faster
from proxydb.cli.plain_driver import open_plain, with_database
from proxydb.lake import Promoted, queries
from proxydb.lake.json_paths import partition_expressions
from proxydb.lake.synthetic import Fleet, load_fleet
from proxydb.lake.views import lake_views
from tests.postgres_search import find_all
from tests.postgres_server import Cluster

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from perf.hot_path.case import Line
    from perf.hot_path.goals import Goal
    from proxydb.lake import Table

PROMOTED = (
    Promoted("partition", ("date",)),
    Promoted("min", ("event_id",), numeric=True),
    Promoted("max", ("event_id",), numeric=True),
)
OPTIMIZED, REPLACED = 500, 10
Question = Callable[["Table"], list[Any]]


class Goals(NamedTuple):
    """How many times longer a commit and OPTIMIZE may take with views, and how many times faster a count must be."""

    commit: float
    optimize: float
    count: float


GOALS = {"sqlite": Goals(6, 12, 200), "postgresql": Goals(2.5, 12, 80)}
_NUMBERS = count()


class Sides(NamedTuple):
    """The same lake without and with its views, and the database of the latter."""

    bare: Table
    viewed: Table
    target: str


@contextmanager
def sqlite_sides(actions: int) -> Iterator[Sides]:
    """Two files in WAL mode, with hand-made indexes, on connections of the plain driver."""
    with TemporaryDirectory(prefix="proxydb-views-") as directory:
        bare, viewed = (str(Path(directory) / f"{name}.db") for name in ("bare", "viewed"))
        _load(bare, actions)
        shutil.copy(bare, viewed)
        with _opened(bare, viewed) as made:
            for table in made[:2]:
                for setting in ("journal_mode = WAL", "synchronous = NORMAL", "cache_size = -200000"):
                    table.session.connection.execute(f"PRAGMA {setting}")
            yield made


@contextmanager
def postgres_sides(actions: int) -> Iterator[Sides]:
    """Two databases of a server of our own."""
    server = Cluster(find_all()[0])
    try:
        own = server.start().dsn()
        for setting in ("fsync = on", "autovacuum = on", "max_wal_size = '8GB'"):
            server.execute(sql.SQL(f"ALTER SYSTEM SET {setting}"))
        server.execute(sql.SQL("SELECT pg_reload_conf()"))
        bare, viewed = (with_database(own, name) for name in ("bare", "viewed"))
        with closing(open_plain(own)) as connection:
            connection.execute("CREATE DATABASE bare")
            _load(bare, actions)
            connection.execute("CREATE DATABASE viewed TEMPLATE bare")
        with _opened(bare, viewed) as made:
            yield made
    finally:
        server.stop()


def _load(target: str, actions: int) -> None:
    with proxydb.lake.open(target) as lake:
        load_fleet(lake, Fleet(actions))
    proxydb.lake.open(target, indexes="hand").close()
    with closing(open_plain(target)) as connection:
        connection.execute("ANALYZE")


@contextmanager
def _opened(bare: str, viewed: str) -> Iterator[Sides]:
    with proxydb.lake.open(viewed) as lake:
        lake.create_views(PROMOTED)
    with closing(open_plain(bare)) as one, closing(open_plain(viewed)) as other:
        yield Sides(proxydb.lake.open(one).tables()[0], proxydb.lake.open(other).tables()[0], viewed)


def lines(sides: Callable[[int], AbstractContextManager[Sides]], actions: int, rounds: int) -> Iterator[list[Line]]:
    """Every case at a number of file actions; reads come right after a refresh, which takes in what writers logged."""
    with sides(actions) as made:
        goals = GOALS[made.bare.session.system]
        yield _commits(made, goals).measure(rounds)
        yield [_optimize(made, goals)]
        yield [_refresh(made, actions // 100)]
        yield _count(made, goals).measure(min(rounds, 11))
        yield _partition(made).measure(min(rounds, 11))


def _commits(made: Sides, goals: Goals) -> Case:
    return Case(
        "commit of 5 adds, all lake views",
        lambda: _commit(made.bare, _adds(5)),
        lambda: _commit(made.viewed, _adds(5)),
        AtMost(goals.commit),
        lambda: "",
        (),
    )


def _optimize(made: Sides, goals: Goals) -> Line:
    """OPTIMIZE of files that were just added, which is not timed."""
    times: dict[str, list[float]] = {"bare": [], "viewed": []}
    for _ in range(5):
        for name, table in (("bare", made.bare), ("viewed", made.viewed)):
            added = _adds(OPTIMIZED)
            _commit(table, added)
            removes = [_removed(action) for action in added]
            times[name].append(_timed(lambda table=table, removes=removes: _commit(table, removes + _adds(REPLACED))))
    bare, viewed = (median(found) for found in times.values())
    return judged_line(f"OPTIMIZE of {OPTIMIZED} files, all lake views", bare, viewed, AtMost(goals.optimize))


def _count(made: Sides, goals: Goals) -> Case:
    view = "SELECT files, bytes FROM table_metadata WHERE table_id = :table_id"
    return _reading(
        made,
        "count and bytes of the active files, from a view",
        lambda table: table.session.rows(queries.COUNT_AND_BYTES_AT_HEAD, table_id=1),
        lambda table: table.session.rows(view, table_id=1),
        Faster(goals.count),
    )


def _partition(made: Sides) -> Case:
    [operation] = [each for each in proxydb.lake.OPERATIONS if each.number == "08"]
    ranges = made.bare.parameter_ranges()
    day = ranges.partition_values[len(ranges.partition_values) // 2]
    log = operation.sql.replace("{partition}", partition_expressions((ranges.partition_column,), _system(made))[0])
    view = "SELECT path, dv_id, size_bytes FROM active_files WHERE table_id = :table_id AND partition_date = :partition"
    return _reading(
        made,
        "files of a partition, from a promoted column",
        lambda table: table.session.rows(log, table_id=1, partition=day),
        lambda table: table.session.rows(view, table_id=1, partition=day),
        Faster(10),
    )


def _reading(made: Sides, title: str, log: Question, view: Question, goal: Goal) -> Case:
    """A question to the log, and the same to a view; both are asked of the lake with views to compare the rows."""
    return Case(
        title,
        lambda: log(made.bare),
        lambda: view(made.viewed),
        goal,
        lambda: _difference(log(made.viewed), view(made.viewed)),
        (),
    )


def _system(made: Sides) -> str:
    return made.bare.session.system


def _difference(expected: list[Any], found: list[Any]) -> str:
    if not expected:
        return "there are no rows"
    return "" if sorted(expected) == sorted(found) else "the view has other rows"


def _refresh(made: Sides, changed: int) -> Line:
    """What a change of one file in a hundred costs the views, their refreshes included, beside computing them anew."""
    if _system(made) == "postgresql":
        _refresh_all(made)  # what earlier cases have logged
    bare = _timed(lambda: _commit(made.bare, _adds(changed)))
    viewed = _timed(lambda: _commit(made.viewed, _adds(changed)))
    taken_in = 0.0
    if _system(made) == "postgresql":
        taken_in = _timed(lambda: _refresh_all(made))
    whole = _native(made) if taken_in else _timed(lambda: _refresh_all(made))
    title = f"upkeep for {changed:,} adds, and taking it in, against computing the views anew"
    return judged_line(title, whole, viewed - bare + taken_in, Faster(20))


def _refresh_all(made: Sides) -> None:
    with proxydb.database(made.target) as database:
        for view in database.views.list():
            database.views.refresh(view.name)


def _native(made: Sides) -> float:
    """Microseconds in which Postgres computes its own materialized views of the same queries, with the same indexes."""
    connection, spent = made.bare.session.connection, 0.0
    for view in lake_views("postgresql", PROMOTED):
        if view.kept:
            connection.execute(f"CREATE MATERIALIZED VIEW native_{view.name} AS {view.sql}")
            for columns in view.indexes:
                connection.execute(f"CREATE INDEX ON native_{view.name} ({', '.join(columns)})")
            spent += _timed(lambda name=view.name: connection.execute(f"REFRESH MATERIALIZED VIEW native_{name}"))
            connection.execute(f"DROP MATERIALIZED VIEW native_{view.name}")
    return spent


def _commit(table: Table, actions: list[dict[str, Any]]) -> None:
    table.commit(actions, table.version)


def _adds(number: int) -> list[dict[str, Any]]:
    stats = '{"numRecords":10,"minValues":{"event_id":1},"maxValues":{"event_id":2},"nullCount":{"event_id":0}}'
    same = {"partitionValues": {"date": "2024-01-31"}, "size": 1024, "modificationTime": 0, "dataChange": True}
    return [{"add": {"path": f"views-{next(_NUMBERS)}.parquet", "stats": stats, **same}} for _ in range(number)]


def _removed(added: dict[str, Any]) -> dict[str, Any]:
    return {"remove": {"path": added["add"]["path"], "deletionTimestamp": 1, "dataChange": False}}


def _timed(call: Callable[[], object]) -> float:
    """Microseconds of one call."""
    started = perf_counter()
    call()
    return (perf_counter() - started) * 1e6
