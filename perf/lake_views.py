"""Cases of the lake's views: what they cost a commit, and what they save a reader, on the plain driver."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

import proxydb
import proxydb.lake
from perf.hot_path.case import Case, judged_line
from perf.hot_path.goals import AtMost, Faster
from proxydb.lake import Promoted, queries
from proxydb.lake.statement import bind, render
from proxydb.lake.synthetic import Fleet, load_fleet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from perf.hot_path.case import Line
    from perf.hot_path.goals import Goal
    from proxydb.lake import Table

PROMOTED = (
    Promoted("partition", ("date",)),
    Promoted("min", ("event_id",), numeric=True),
    Promoted("max", ("event_id",), numeric=True),
)
OPTIMIZED, REPLACED = 500, 10
Question = tuple[str, tuple[Any, ...]]
_NUMBERS = count()


class Sides(NamedTuple):
    """The same lake without and with its views, and the path of the latter."""

    bare: Table
    viewed: Table
    path: Path


@contextmanager
def sides(actions: int) -> Iterator[Sides]:
    """Two files in WAL mode, with hand-made indexes, on connections of the plain driver."""
    with TemporaryDirectory(prefix="proxydb-views-") as directory:
        bare, viewed = (Path(directory) / f"{name}.db" for name in ("bare", "viewed"))
        with proxydb.lake.open(bare) as lake:
            load_fleet(lake, Fleet(actions))
        proxydb.lake.open(bare, indexes="hand").close()
        shutil.copy(bare, viewed)
        with proxydb.lake.open(viewed) as lake:
            lake.create_views(PROMOTED)
        tables = [proxydb.lake.open(_plain(path)).tables()[0] for path in (bare, viewed)]
        yield Sides(*tables, viewed)
        for table in tables:
            table.session.connection.close()


def _plain(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    for setting in ("journal_mode = WAL", "synchronous = NORMAL", "cache_size = -200000"):
        connection.execute(f"PRAGMA {setting}")
    connection.execute("ANALYZE")
    return connection


def lines(actions: int, rounds: int) -> Iterator[list[Line]]:
    """Every case at a number of file actions."""
    with sides(actions) as made:
        yield _commits(made).measure(rounds)
        yield [_optimize(made)]
        yield _count(made).measure(min(rounds, 11))
        yield _partition(made).measure(min(rounds, 11))
        yield [_refresh(made, actions // 100)]


def _commits(made: Sides) -> Case:
    return Case(
        "commit of 5 adds, all lake views",
        lambda: _commit(made.bare, _adds(5)),
        lambda: _commit(made.viewed, _adds(5)),
        AtMost(6),
        lambda: "",
        (),
    )


def _optimize(made: Sides) -> Line:
    """OPTIMIZE of files that were just added, which is not timed."""
    times: dict[str, list[float]] = {"bare": [], "viewed": []}
    for _ in range(5):
        for name, table in (("bare", made.bare), ("viewed", made.viewed)):
            added = _adds(OPTIMIZED)
            _commit(table, added)
            removes = [_removed(action) for action in added]
            times[name].append(_timed(lambda table=table, removes=removes: _commit(table, removes + _adds(REPLACED))))
    bare, viewed = (median(found) for found in times.values())
    return judged_line(f"OPTIMIZE of {OPTIMIZED} files, all lake views", bare, viewed, AtMost(12))


def _count(made: Sides) -> Case:
    log = render(queries.COUNT_AND_BYTES_AT_HEAD, "sqlite")
    parameters = bind(queries.COUNT_AND_BYTES_AT_HEAD, {"table_id": made.bare.table_id})
    view = "SELECT files, bytes FROM table_metadata WHERE table_id = ?"
    return _reading(
        made, "count and bytes of the active files, from a view", (log, parameters), (view, (1,)), Faster(200)
    )


def _partition(made: Sides) -> Case:
    [operation] = [each for each in proxydb.lake.OPERATIONS if each.number == "08"]
    ranges = made.bare.parameter_ranges()
    day = ranges.partition_values[len(ranges.partition_values) // 2]
    log = (operation.statement("sqlite", ranges), bind(operation.sql, {"table_id": 1, "partition": day}))
    view = "SELECT path, dv_id, size_bytes FROM active_files WHERE table_id = ? AND partition_date = ?"
    return _reading(made, "files of a partition, from a promoted column", log, (view, (1, day)), Faster(10))


def _reading(made: Sides, title: str, log: Question, view: Question, goal: Goal) -> Case:
    """A question to the log, and the same to a view; both are asked of the lake with views to compare the rows."""
    return Case(
        title,
        lambda: _rows(made.bare, *log),
        lambda: _rows(made.viewed, *view),
        goal,
        lambda: _difference(_rows(made.viewed, *log), _rows(made.viewed, *view)),
        (),
    )


def _difference(expected: list[Any], found: list[Any]) -> str:
    if not expected:
        return "there are no rows"
    return "" if sorted(expected) == sorted(found) else "the view has other rows"


def _refresh(made: Sides, changed: int) -> Line:
    """What a change of one file in a hundred costs the views, beside computing them as a whole."""
    bare = _timed(lambda: _commit(made.bare, _adds(changed)))
    viewed = _timed(lambda: _commit(made.viewed, _adds(changed)))
    with proxydb.connect(made.path, isolation_level=None) as connection:
        views = connection.proxydb.views
        whole = _timed(lambda: [views.refresh(view.name) for view in views.list()])
    connection.close()
    return judged_line(f"upkeep for {changed:,} adds against refresh", whole, viewed - bare, Faster(20))


def _commit(table: Table, actions: list[dict[str, Any]]) -> None:
    table.commit(actions, table.version)


def _adds(number: int) -> list[dict[str, Any]]:
    stats = '{"numRecords":10,"minValues":{"event_id":1},"maxValues":{"event_id":2},"nullCount":{"event_id":0}}'
    same = {"partitionValues": {"date": "2024-01-31"}, "size": 1024, "modificationTime": 0, "dataChange": True}
    return [{"add": {"path": f"views-{next(_NUMBERS)}.parquet", "stats": stats, **same}} for _ in range(number)]


def _removed(added: dict[str, Any]) -> dict[str, Any]:
    return {"remove": {"path": added["add"]["path"], "deletionTimestamp": 1, "dataChange": False}}


def _rows(table: Table, text: str, parameters: tuple[Any, ...]) -> list[Any]:
    rows: list[Any] = table.session.connection.execute(text, parameters).fetchall()
    return rows


def _timed(call: Callable[[], object]) -> float:
    """Microseconds of one call."""
    started = perf_counter()
    call()
    return (perf_counter() - started) * 1e6
