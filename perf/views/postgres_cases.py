"""Cases of views on Postgres: what they do to writers of a hot group, and what they save a reader and a refresh.

A twin stands beside ours that takes an exclusive lock on the whole view, as extensions do that maintain at once.
"""

from __future__ import annotations

import multiprocessing
from contextlib import contextmanager
from statistics import median
from time import monotonic, perf_counter
from typing import TYPE_CHECKING, Any

import psycopg

import proxydb
from perf.hot_path.case import Case, judged_line
from perf.hot_path.goals import AtMost, Faster

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perf.hot_path.case import Line

CLIENTS, SECONDS, TURNS = 4, 2.0, 5
SALES, READ = 20_000, 500_000

SCHEMA = """
CREATE TABLE shop (id integer PRIMARY KEY, country text NOT NULL);
CREATE TABLE sale (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, shop integer NOT NULL, amount integer NOT NULL);
INSERT INTO shop SELECT i, 'c' || i % 3 FROM generate_series(0, 4) AS i;
"""
GROUPS = "SELECT shop, count(*) AS n, sum(amount) AS s FROM sale GROUP BY shop"
JOIN = "SELECT sale.id, amount, country FROM sale JOIN shop ON shop.id = sale.shop"
TWIN = f"""
CREATE TABLE kept AS {GROUPS};
CREATE UNIQUE INDEX ON kept (shop);
CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  LOCK TABLE kept IN EXCLUSIVE MODE;
  INSERT INTO kept SELECT shop, count(*), sum(amount) FROM fresh GROUP BY shop
    ON CONFLICT (shop) DO UPDATE SET n = kept.n + excluded.n, s = kept.s + excluded.s;
  RETURN NULL;
END $$;
CREATE TRIGGER keep AFTER INSERT ON sale REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION keep();
"""
WAYS = {"none": "", "deferred": GROUPS, "overlay": JOIN, "immediate": GROUPS, "lock": TWIN}


def lines(rounds: int) -> Iterator[list[Line]]:
    """Every case."""
    with _server() as make:
        yield list(_writers({way: _made(make(way), way, SALES) for way in WAYS}))
        yield from _readers(make("read"), rounds)


@contextmanager
def _server() -> Iterator[Any]:
    """Makes databases on a server of the benchmark's own, which waits for the disk as one in use does."""
    from tests.postgres_search import find_all
    from tests.postgres_server import Cluster

    server = Cluster(find_all()[0])
    try:
        server.start()
        with psycopg.connect(server.dsn(), autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET fsync = on")
            connection.execute("ALTER SYSTEM SET autovacuum = on")
            connection.execute("SELECT pg_reload_conf()")

            def make(name: str) -> str:
                connection.execute(f'CREATE DATABASE "{name}"')
                return server.dsn(name)

            yield make
    finally:
        server.stop()


def _made(dsn: str, way: str, sales: int) -> str:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(SCHEMA)
        connection.execute(
            "INSERT INTO sale (shop, amount) SELECT i %% 5, i %% 100 FROM generate_series(1, %s) i", (sales,)
        )
        connection.execute("ANALYZE")
        if way == "lock":
            connection.execute(TWIN)
        elif WAYS[way]:
            with proxydb.database(dsn) as database:
                database.views.create("kept", WAYS[way], maintenance=way)  # type: ignore[arg-type]
    return dsn


# ── writers ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _writers(databases: dict[str, str]) -> Iterator[Line]:
    """Microseconds for a transaction of all clients together, each way in turn; the median of the turns."""
    turns = [{way: _turn(dsn) for way, dsn in databases.items()} for _ in range(TURNS)]
    for way, goal in (("deferred", AtMost(1 / 0.85)), ("overlay", AtMost(1 / 0.85)), ("immediate", AtMost(2))):
        yield _ratio(turns, f"{CLIENTS} writers of hot groups, {way}, beside no view", "none", way, goal)
    for way in ("deferred", "overlay"):
        yield _ratio(turns, f"the same, {way}, beside a lock on the view", "lock", way, Faster(2))


def _ratio(turns: list[dict[str, float]], title: str, raw: str, other: str, goal: Any) -> Line:
    """The turn whose ratio is the median."""
    chosen = sorted(turns, key=lambda turn: turn[other] / turn[raw])[len(turns) // 2]
    return judged_line(title, chosen[raw], chosen[other], goal)


def _turn(dsn: str) -> float:
    done: Any = multiprocessing.Queue()
    clients = [multiprocessing.Process(target=_client, args=(dsn, done)) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    return SECONDS * 1e6 / sum(done.get() for _ in clients)


def _client(dsn: str, done: Any) -> None:
    """Transactions that insert into a hot group, and then read something, as applications do."""
    with psycopg.connect(dsn) as connection:
        number, deadline = 0, monotonic() + SECONDS
        while monotonic() < deadline:
            connection.execute("INSERT INTO sale (shop, amount) VALUES (%s, %s)", (number % 5, number % 100))
            connection.execute("SELECT country FROM shop WHERE id = %s", (number % 5,))
            connection.commit()
            number += 1
    done.put(number)


# ── readers ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _readers(dsn: str, rounds: int) -> Iterator[list[Line]]:
    _made(dsn, "none", READ)
    with proxydb.database(dsn) as database, psycopg.connect(dsn, autocommit=True) as connection:
        for name, query in (("grouped", GROUPS), ("joined", JOIN)):
            connection.execute(f"CREATE MATERIALIZED VIEW native_{name} AS {query}")
            database.views.create(name, query)
        few = min(rounds, 9)
        yield _read(connection, f"groups of {READ:,} rows, from the view", GROUPS, "grouped", 80).measure(few)
        change = f"INSERT INTO sale (shop, amount) SELECT i % 5, i FROM generate_series(1, {READ // 100}) AS i"
        for _ in range(100):
            connection.execute("INSERT INTO sale (shop, amount) VALUES (1, 1)")
        yield _read(connection, "the same with 100 changes in the log", GROUPS, "grouped", 20).measure(few)
        for name in ("grouped", "joined"):
            yield [_refreshed(connection, database, name, change)]


def _read(connection: Any, title: str, query: str, name: str, goal: float) -> Case:
    return Case(
        title,
        lambda: connection.execute(query).fetchall(),
        lambda: connection.execute(f"SELECT * FROM {name}").fetchall(),
        Faster(goal),
        lambda: "",
        (),
    )


def _refreshed(connection: Any, database: Any, name: str, change: str) -> Line:
    """A refresh after a change of one row in a hundred, beside that of a native materialized view of the same query."""
    times: dict[str, list[float]] = {"native": [], "ours": []}
    for _ in range(5):
        connection.execute(change)
        started = perf_counter()
        connection.execute(f"REFRESH MATERIALIZED VIEW native_{name}")
        refreshed = perf_counter()
        database.views.refresh(name)
        times["native"].append(refreshed - started)
        times["ours"].append(perf_counter() - refreshed)
    title = f"a refresh after a change of 1 %: {name}, beside a native materialized view"
    return judged_line(title, median(times["native"]) * 1e6, median(times["ours"]) * 1e6, Faster(20))
