"""A view on Postgres that is no longer kept says so, and is made again; what fails halfway leaves nothing."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

import proxydb
from proxydb.errors import ProgrammingError
from tests.views.postgres_shop import VIEWS, differences

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxydb.views.api import Views

HARMS = {
    "a trigger is disabled": "ALTER TABLE sale DISABLE TRIGGER USER",
    "a trigger fires no longer for replicas": "ALTER TABLE sale ENABLE TRIGGER proxydb_v1_changed0_insert",
    "a trigger is dropped": "DROP TRIGGER proxydb_v1_changed0_update ON sale",
    "a function is replaced": "CREATE OR REPLACE FUNCTION proxydb.v1_changed0() RETURNS trigger LANGUAGE plpgsql "
    "AS 'BEGIN RETURN NULL; END'",
    "the view is dropped": "DROP VIEW v",
    "a table of ours is dropped": "DROP TABLE proxydb.v1_a0_log CASCADE",
    "the table is renamed": "ALTER TABLE sale RENAME TO sold; CREATE VIEW sale AS SELECT * FROM sold; "
    "DROP VIEW sale; ALTER TABLE sold RENAME TO sale; ALTER TABLE sale ADD COLUMN more integer",
    "row-level security comes": "ALTER TABLE sale ENABLE ROW LEVEL SECURITY; ALTER TABLE sale DISABLE TRIGGER USER; "
    "ALTER TABLE sale DISABLE ROW LEVEL SECURITY",
}


@pytest.fixture
def views(postgres_empty: psycopg.Connection[Any], postgres_dsn: str) -> Iterator[Views]:
    """The views of a shop with a few sales."""
    sales = "(1, 'a', 3, 1), (2, 'a', 4, 2), (3, 'b', 5, 3)"
    postgres_empty.execute(f"INSERT INTO sale (id, shop, amount, day) VALUES {sales}")
    with proxydb.database(postgres_dsn) as database:
        yield database.views


@pytest.mark.parametrize("harm", HARMS)
def test_harm(harm: str, views: Views, postgres_empty: psycopg.Connection[Any]) -> None:
    """A view that lost what keeps it is disabled, is not refreshed, and is exact after its repair."""
    views.create("v", "SELECT shop, max(amount) AS m FROM sale GROUP BY shop")
    assert views.list()[0].state == "fresh"
    postgres_empty.execute(HARMS[harm])
    assert views.list()[0].state == "disabled"
    with pytest.raises(ProgrammingError, match="repair"):
        views.refresh("v")
    assert [view.name for view in views.repair()] == ["v"]
    postgres_empty.execute("INSERT INTO sale (id, shop, amount) VALUES (9, 'b', 50)")
    assert views.check("v").is_exact
    assert views.list()[0].state == "overlay"
    assert views.repair() == []


def test_a_new_partition(views: Views, postgres_empty: psycopg.Connection[Any]) -> None:
    """A partition that is attached disables the view until it is made again."""
    views.create("v", "SELECT kind, count(*) AS n FROM event GROUP BY kind")
    postgres_empty.execute("CREATE TABLE event_far PARTITION OF event FOR VALUES FROM (100) TO (200)")
    assert views.list()[0].state == "disabled"
    views.repair("v")
    postgres_empty.execute("INSERT INTO event_far VALUES (150, 'far', 1)")
    assert views.check("v").is_exact


def test_states(views: Views, postgres_empty: psycopg.Connection[Any]) -> None:
    """A log makes a view one that is read together with it, a refresh takes it in."""
    views.create("v", "SELECT shop, sum(amount) AS s FROM sale GROUP BY shop")
    postgres_empty.execute("UPDATE sale SET label = 'unread'")
    assert views.list()[0].state == "fresh"
    postgres_empty.execute("UPDATE sale SET amount = amount + 1")
    assert views.list()[0].state == "overlay"
    assert views.refresh("v").state == "fresh"
    assert postgres_empty.execute("SELECT sum(s) FROM v").fetchone() == (15,)


def test_full(views: Views, postgres_empty: psycopg.Connection[Any]) -> None:
    """A view that is kept by refresh alone is a native materialized view."""
    views.create("v", "SELECT shop, random() < 2 AS yes FROM sale", maintenance="full")
    postgres_empty.execute("CREATE UNIQUE INDEX ON v (shop, yes) NULLS NOT DISTINCT WHERE false")
    postgres_empty.execute("INSERT INTO sale (id, shop) VALUES (5, 'e')")
    assert not views.check("v").is_exact
    views.refresh("v")
    assert views.check("v").is_exact


def test_nothing_is_left(postgres_views: Views, postgres_plain: psycopg.Connection[Any]) -> None:
    """Dropped views leave nothing behind but the empty catalogue."""
    for name in reversed(VIEWS):
        postgres_views.drop(name)
    left = "SELECT relname FROM pg_class WHERE relnamespace = 'proxydb'::regnamespace AND relkind IN ('r', 'v')"
    assert postgres_plain.execute(left).fetchall() == [("views",)]
    assert postgres_plain.execute("SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal").fetchone() == (0,)
    assert postgres_plain.execute("SELECT proname FROM pg_proc WHERE proname LIKE 'v%changed%'").fetchall() == []


KILLED = """
import sys, proxydb
with proxydb.database(sys.argv[1]) as database:
    print("ready", flush=True)
    getattr(database.views, sys.argv[2])(*sys.argv[3:])
"""


@pytest.mark.parametrize(
    ("lock", "call"),
    [
        ("LOCK TABLE shop IN EXCLUSIVE MODE", ("create", "killed", "SELECT * FROM sale JOIN shop ON name = shop")),
        ("LOCK TABLE proxydb.views IN EXCLUSIVE MODE", ("refresh", "joined")),
        ("LOCK TABLE proxydb.views IN EXCLUSIVE MODE", ("drop", "joined")),
    ],
    ids=["create", "refresh", "drop"],
)
def test_killed(lock: str, call: tuple[str, ...], postgres_shop_dsn: str, postgres_views: Views) -> None:
    """A process that is killed in the middle leaves the views as they were."""
    with psycopg.connect(postgres_shop_dsn) as connection:
        connection.execute("INSERT INTO bag VALUES ('k', 5)")
        connection.commit()
        connection.execute(lock)
        command = [sys.executable, "-c", KILLED, postgres_shop_dsn, *call]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            wait_for(connection, "EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
            process.send_signal(signal.SIGKILL)
        connection.rollback()
        wait_for(connection, "(SELECT count(*) = 1 FROM pg_locks WHERE locktype = 'virtualxid')")
        assert differences(connection) == []
    assert {view.name for view in postgres_views.list()} == set(VIEWS)
    assert {view.state for view in postgres_views.list()} <= {"fresh", "overlay"}


def wait_for(connection: psycopg.Connection[Any], condition: str) -> None:
    """Until a condition holds."""
    deadline = time.monotonic() + 30
    while connection.execute(f"SELECT {condition}").fetchone() != (True,):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_column_that_may_hold_null(views: Views, postgres_empty: psycopg.Connection[Any]) -> None:
    """A key that could not be NULL, and is, fails for the writer, and is kept after a repair; it is never missed."""
    views.create("v", "SELECT shop, max(amount) AS m FROM sale GROUP BY shop")
    postgres_empty.execute("ALTER TABLE sale ALTER COLUMN shop DROP NOT NULL")
    assert views.list()[0].state == "disabled"
    with pytest.raises(psycopg.errors.NotNullViolation):
        postgres_empty.execute("INSERT INTO sale (id, amount) VALUES (9, 50)")
    views.repair("v")
    postgres_empty.execute("INSERT INTO sale (id, amount) VALUES (9, 50)")
    assert postgres_empty.execute("SELECT m FROM v WHERE shop IS NULL").fetchall() == [(50,)]


def test_a_column_that_is_renamed(views: Views, postgres_empty: psycopg.Connection[Any]) -> None:
    """A column that is renamed disables the view, and writing fails until it is dropped."""
    views.create("v", "SELECT shop, max(amount) AS m FROM sale GROUP BY shop")
    postgres_empty.execute("ALTER TABLE sale RENAME COLUMN shop TO store")
    assert views.list()[0].state == "disabled"
    with pytest.raises(psycopg.errors.UndefinedColumn):
        postgres_empty.execute("INSERT INTO sale (id, store) VALUES (9, 'e')")
    views.drop("v")
    views.create("v", "SELECT store, max(amount) AS m FROM sale GROUP BY store")
    postgres_empty.execute("INSERT INTO sale (id, store) VALUES (9, 'e')")
    assert views.check("v").is_exact


def test_a_repair_on_another_search_path(views: Views, postgres_empty: psycopg.Connection[Any]) -> None:
    """What a view's names mean does not change when it is made again by somebody with another search path."""
    views.create("v", "SELECT shop, max(amount) AS m FROM sale GROUP BY shop")
    postgres_empty.execute("CREATE SCHEMA other; CREATE TABLE other.sale (shop text, amount integer)")
    postgres_empty.execute("ALTER TABLE sale DISABLE TRIGGER USER")
    database = postgres_empty.info.dbname
    postgres_empty.execute(f"ALTER DATABASE {database} SET search_path = other, public")
    views.repair("v")
    assert postgres_empty.execute("SELECT count(*) FROM v").fetchone() == (2,)
