"""What a dialect of ours can do is what SQLAlchemy's own can, again and again, on both systems."""

from __future__ import annotations

import inspect
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine, event, pool

from proxydb import psycopg, sqlite3
from tests.sqlalchemy.conftest import hits

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sqlalchemy.conftest import Pair

DRIVERS = {"sqlite": sqlite3, "postgresql": psycopg}
DIFFERENT = {"driver", "__doc__", "__module__", "__firstlineno__", "__static_attributes__"}
"""Attributes that name the dialect's class or its driver."""

metadata = sa.MetaData()
city = sa.Table(
    "city",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(50), nullable=False, unique=True),
    sa.Column("facts", sa.JSON),
    sa.Column("founded", sa.Date),
    sa.Column("area", sa.Numeric(10, 2)),
    sa.Column("code", sa.Uuid),
    sa.Column("kind", sa.Enum("town", "village", name="city_kind")),
    sa.Index("city_by_kind", "kind", "name"),
    sa.CheckConstraint("area > 0", name="has_area"),
)


def test_engine(engine: Engine) -> None:
    """The URL is enough: the engine's driver is the drop-in, and its connections are proxydb's."""
    assert engine.driver == "proxydb"
    assert engine.dialect.dbapi is DRIVERS[engine.name]
    with engine.connect() as connection:
        assert isinstance(connection.connection.driver_connection, DRIVERS[engine.name].Connection)


def test_capabilities(pair: Pair) -> None:
    """After the first connection every plain attribute of the dialect is the one of SQLAlchemy's own."""
    kinds = (bool, int, str, tuple, frozenset, type(None))

    def plain(engine: Engine) -> dict[str, Any]:
        engine.connect().close()
        found = dict(inspect.getmembers_static(engine.dialect)) | vars(engine.dialect)
        return {name: value for name, value in found.items() if isinstance(value, kinds) and name not in DIFFERENT}

    assert len(pair.agree(plain, times=1)) > 80


def test_isolation_levels(pair: Pair) -> None:
    """Every level can be set, and read back; AUTOCOMMIT leaves no transaction open."""

    def levels(engine: Engine) -> list[Any]:
        with engine.connect() as connection:
            allowed = engine.dialect.get_isolation_level_values(connection.connection.dbapi_connection)
        found = []
        for level in allowed:
            with engine.connect().execution_options(isolation_level=level) as connection:
                connection.execute(sa.text("SELECT 1"))
                found.append((level, connection.get_isolation_level()))
        return found

    assert "AUTOCOMMIT" in dict(pair.agree(levels))


def test_autocommit_reads_hit(engine: Engine) -> None:
    """Reads without a transaction are answered from memory, and are fresh after each write."""
    metadata.create_all(engine)
    free = engine.execution_options(isolation_level="AUTOCOMMIT")
    with free.connect() as connection:
        for number in range(1, 4):
            connection.execute(city.insert(), {"name": f"city {number}"})
            counts = [connection.scalar(sa.select(sa.func.count()).select_from(city)) for _ in range(5)]
            assert counts == [number] * 5
    assert hits(engine) > 5


def test_many_values_in_one_insert(pair: Pair) -> None:
    """`insertmanyvalues` gives the keys back in the order of the parameters, and what was inserted can be read."""

    def inserted(engine: Engine) -> Any:
        metadata.drop_all(engine)
        metadata.create_all(engine)
        rows = [{"name": f"city {number}", "facts": {"n": number}} for number in range(1500)]
        with engine.begin() as connection:
            returning = city.insert().returning(city.c.id, city.c.name, sort_by_parameter_order=True)
            keys = connection.execute(returning, rows).all()
            return keys, connection.execute(sa.select(city.c.name, city.c.facts).order_by(city.c.id)).all()

    keys, rows = pair.agree(inserted, times=2)
    assert [key.name for key in keys] == [row.name for row in rows]
    assert len(rows) == 1500


def test_reflection(pair: Pair) -> None:
    """A reflected schema is the same, also after it has been changed."""
    for engine in pair:
        metadata.create_all(engine)

    def reflected(engine: Engine) -> Any:
        inspector = sa.inspect(engine)
        columns = [{**column, "type": str(column["type"])} for column in inspector.get_columns("city")]
        rules = (inspector.get_check_constraints, inspector.get_unique_constraints, inspector.get_pk_constraint)
        return columns, inspector.get_indexes("city"), [rule("city") for rule in rules], inspector.get_table_names()

    before = pair.agree(reflected)
    for engine in pair:
        with engine.begin() as connection:
            connection.execute(sa.text("ALTER TABLE city ADD COLUMN mayor VARCHAR(20)"))
    assert len(pair.agree(reflected)[0]) == len(before[0]) + 1


def test_errors(pair: Pair) -> None:
    """An error of the driver arrives in SQLAlchemy's class, with the same text and the driver's own exception."""
    for engine in pair:
        metadata.create_all(engine)
        with engine.begin() as connection:
            connection.execute(city.insert(), {"id": 1, "name": "one"})

    def refused(engine: Engine) -> Any:
        statements = (
            city.insert().values(id=1, name="again"),
            sa.text("SELECT * FROM nowhere"),
            sa.text("SELECT FROM WHERE"),
            sa.select(sa.cast("x", sa.Integer) / 0),
        )
        return [_refusal(engine, statement) for statement in statements]

    assert pair.agree(refused)[0][0] is sa.exc.IntegrityError


def _refusal(engine: Engine, statement: Any) -> Any:
    with engine.connect() as connection:
        try:
            return connection.execute(statement).all()
        except sa.exc.DBAPIError as error:
            return type(error), type(error.orig), str(error).split("[SQL", 1)[0]


def test_streamed_results(pair: Pair) -> None:
    """`stream_results` and `yield_per` give the same partitions."""
    for engine in pair:
        metadata.create_all(engine)
        with engine.begin() as connection:
            connection.execute(city.insert(), [{"name": f"city {number}"} for number in range(100)])

    def partitions(engine: Engine) -> Any:
        with engine.connect() as connection:
            result = connection.execution_options(yield_per=30).execute(sa.select(city.c.name).order_by(city.c.id))
            return [[tuple(row) for row in part] for part in result.partitions()]

    assert [len(part) for part in pair.agree(partitions)] == [30, 30, 30, 10]


def test_values_of_every_type(pair: Pair) -> None:
    """JSON, dates, decimals, UUIDs and enumerations come back as they were written."""
    row = {
        "name": "one",
        "facts": {"a": [1, None, "é"]},
        "founded": date(2024, 2, 29),
        "area": Decimal("12.50"),
        "code": UUID(int=7),
        "kind": "town",
    }
    for engine in pair:
        metadata.create_all(engine)
        with engine.begin() as connection:
            connection.execute(city.insert(), row)

    def read(engine: Engine) -> Any:
        with engine.connect() as connection:
            return dict(connection.execute(sa.select(city)).mappings().one())

    assert pair.agree(read) == {"id": 1, **row}
    assert pair.hits > 0


def test_a_changed_value_is_not_the_cache(engine: Engine) -> None:
    """A document that the application changes after reading it is read anew as it was written."""
    metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(city.insert(), {"name": "one", "facts": {"a": [1]}})
    for _ in range(4):
        with engine.connect() as connection:
            facts = connection.scalar(sa.select(city.c.facts))
            assert facts == {"a": [1]}
            facts["a"].append(2)


def _end_on_the_server(pid: int, engine: Engine) -> None:
    with engine.connect() as connection:
        connection.execute(sa.text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})


def test_pre_ping_replaces_a_lost_connection(postgres_pair: Pair) -> None:
    """With `pool_pre_ping` a connection that the server has ended is replaced before it is used."""
    own_pid = sa.text("SELECT pg_backend_pid()")

    def survived(engine: Engine) -> Any:
        checked = sa.create_engine(engine.url, pool_pre_ping=True)
        with checked.connect() as connection:
            pid = connection.scalar(own_pid)
        _end_on_the_server(pid, engine)
        with checked.connect() as connection:
            replaced = connection.scalar(own_pid) != pid
        checked.dispose()
        return replaced

    assert postgres_pair.agree(survived, times=2) is True


def test_a_lost_connection_is_noticed(postgres_pair: Pair) -> None:
    """Without it the statement fails once, the pool is emptied, and the next connection works."""

    def noticed(engine: Engine) -> Any:
        unchecked = sa.create_engine(engine.url)
        told = []
        event.listen(unchecked, "handle_error", lambda context: told.append(context.is_disconnect))
        with unchecked.connect() as connection:
            _end_on_the_server(connection.scalar(sa.text("SELECT pg_backend_pid()")), engine)
            with pytest.raises(sa.exc.OperationalError):
                connection.execute(sa.text("SELECT 1 FROM pg_class"))
            told.append(connection.invalidated)
        with unchecked.connect() as connection:
            told.append(connection.scalar(sa.text("SELECT 1")))
        unchecked.dispose()
        return told

    assert postgres_pair.agree(noticed, times=2) == [True, True, 1]


@pytest.mark.parametrize("kind", [pool.NullPool, pool.QueuePool, pool.StaticPool, pool.SingletonThreadPool])
def test_pools(engine: Engine, kind: Callable[..., Any]) -> None:
    """Each of SQLAlchemy's pools gives proxydb's connections, which end with it."""
    pooled = sa.create_engine(engine.url, poolclass=kind)
    metadata.create_all(pooled)
    for _ in range(4):
        with pooled.connect() as connection:
            assert connection.scalar(sa.select(sa.func.count()).select_from(city)) == 0
    pooled.dispose()
