"""Statements that change much, and refreshes that take them in: what readers see meanwhile, and what a kill leaves."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.views.postgres_shop import VIEWS, differences
from tests.views.test_postgres_health import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxydb.views.api import Views

MANY = 3000
BULK = (
    "INSERT INTO bag SELECT 'k', i % 9 FROM generate_series(1, 3000) i; UPDATE bag SET number = number + 1; "
    "DELETE FROM bag WHERE number % 3 = 0"
)
WRITER = """
import sys, psycopg
with psycopg.connect(sys.argv[1]) as connection:
    for statement in sys.argv[2].split("; "):
        connection.execute(statement)
"""


def test_a_statement_that_changes_most_of_a_table(
    postgres_plain: psycopg.Connection[Any], postgres_views: Views
) -> None:
    """Views are exact while its changes are in the log, and after they were taken in."""
    for statement in BULK.split("; "):
        postgres_plain.execute(statement)
        assert differences(postgres_plain) == []
    for name, (maintenance, _) in VIEWS.items():
        if maintenance != "immediate":
            postgres_views.refresh(name)
    assert differences(postgres_plain) == []
    assert (postgres_plain.execute("SELECT count(*) FROM part_of_a_bag").fetchone() or (0,))[0] > MANY // 2


def test_much_is_computed_anew(postgres_plain: psycopg.Connection[Any], postgres_views: Views) -> None:
    """When a fifth of a table was logged, a refresh computes the view anew; else it does not."""
    postgres_plain.execute(f"INSERT INTO bag SELECT 'k', i FROM generate_series(1, {MANY}) i")
    postgres_views.refresh("of_a_bag")
    postgres_plain.execute("ANALYZE bag")
    postgres_plain.execute("UPDATE proxydb.views SET refills = '{SELECT 1 / 0}' WHERE name = 'of_a_bag'")
    postgres_plain.execute("UPDATE bag SET item = 'l' WHERE number = 5")
    assert postgres_views.refresh("of_a_bag").state == "fresh"
    postgres_plain.execute("UPDATE bag SET item = 'm'")
    with pytest.raises(psycopg.errors.DivisionByZero):
        postgres_views.refresh("of_a_bag")


@pytest.mark.parametrize("victim", ["client", "server process"])
def test_killed(victim: str, postgres_shop_dsn: str, postgres_plain: psycopg.Connection[Any]) -> None:
    """A writer that is killed while a view's trigger runs leaves the views as they were, or does all."""
    with psycopg.connect(postgres_shop_dsn) as holder:
        (log,) = holder.execute("SELECT logs[1] FROM proxydb.views WHERE name = 'joined_total'").fetchone() or ("",)
        (bag,) = holder.execute("SELECT logs[2] FROM proxydb.views WHERE name = 'joined'").fetchone() or ("",)
        holder.execute(f"LOCK TABLE {log}, {bag} IN EXCLUSIVE MODE")
        with subprocess.Popen([sys.executable, "-c", WRITER, postgres_shop_dsn, BULK]) as process:
            wait_for(postgres_plain, "EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
            if victim == "client":
                process.send_signal(signal.SIGKILL)
            else:
                postgres_plain.execute("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE NOT granted")
        holder.rollback()
        wait_for(postgres_plain, "NOT EXISTS (SELECT FROM pg_locks WHERE mode = 'RowExclusiveLock')")
    assert differences(postgres_plain) == []


@pytest.fixture
def full(postgres_views: Views, postgres_plain: psycopg.Connection[Any]) -> Iterator[str]:
    """A view that is computed by refresh alone, and whose rows a unique index tells apart."""
    postgres_views.create("whole", "SELECT id, amount FROM sale", maintenance="full")
    postgres_plain.execute("CREATE UNIQUE INDEX ON whole (id)")
    postgres_plain.execute("INSERT INTO sale (id, shop, amount, day) VALUES (90, 'a', 5, 90)")
    yield "SELECT count(*) FROM whole"


def test_a_reader_before_a_whole_refresh(full: str, postgres_shop_dsn: str, postgres_views: Views) -> None:
    """A reader whose transaction is open does not keep a refresh waiting, and reads the same again."""
    with psycopg.connect(postgres_shop_dsn) as reader:
        reader.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        before = reader.execute(full).fetchone()
        postgres_views.refresh("whole")
        assert reader.execute(full).fetchone() == before
        reader.commit()
        assert reader.execute(full).fetchone() != before


def test_a_reader_during_a_whole_refresh(full: str, postgres_shop_dsn: str) -> None:
    """A reader that comes before a refresh has ended reads the old content, and does not wait."""
    import proxydb

    with proxydb.connect(postgres_shop_dsn) as refreshing, psycopg.connect(postgres_shop_dsn) as reader:
        before = refreshing.execute(full).fetchone()
        refreshing.execute("REFRESH INCREMENTAL MATERIALIZED VIEW whole")
        reader.execute("SET statement_timeout = '20s'")
        assert reader.execute(full).fetchone() == before
        refreshing.commit()
        assert reader.execute(full).fetchone() != before
