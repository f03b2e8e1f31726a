"""What only Postgres has works through our dialect as through SQLAlchemy's own: types, two-phase commit, cursors."""

from __future__ import annotations

import uuid
from datetime import date
from enum import Enum
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from tests.sqlalchemy.conftest import opened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from tests.sqlalchemy.conftest import Pair


class Mood(Enum):
    """A native enumeration."""

    SAD = "sad"
    HAPPY = "happy"


VALUES: dict[str, tuple[Any, Any]] = {
    "json": (pg.JSONB, {"a": [1, 2.5, None, "é"], "b": {"c": True}}),
    "integers": (pg.ARRAY(sa.Integer), [1, 2, 3]),
    "texts": (pg.ARRAY(sa.Text, dimensions=2), [["a", "b"], ["c", None]]),
    "span": (pg.INT4RANGE, pg.Range(1, 5)),
    "days": (pg.DATERANGE, pg.Range(date(2024, 1, 1), None, bounds="[)")),
    "spans": (pg.INT4MULTIRANGE, [pg.Range(1, 3), pg.Range(5, 8)]),
    "mood": (sa.Enum(Mood, name="mood"), Mood.HAPPY),
    "moods": (pg.ARRAY(sa.Enum(Mood, name="mood")), [Mood.SAD, Mood.HAPPY]),
    "code": (pg.UUID, uuid.UUID(int=2**64 + 7)),
    "bits": (pg.BIT(4), "1010"),
    "blob": (pg.BYTEA, b"\x00\xff"),
}


def table(columns: dict[str, Any]) -> sa.Table:
    """A table with these columns."""
    return sa.Table("t", sa.MetaData(), *(sa.Column(name, kind) for name, kind in columns.items()))


@pytest.mark.parametrize("name", VALUES)
def test_values(postgres_pair: Pair, name: str) -> None:
    """A value comes back as it was written, from the server and from memory."""
    kind, value = VALUES[name]
    held = table({"v": kind})

    def read(engine: Engine) -> Any:
        with engine.connect() as connection:
            return connection.execute(sa.select(held)).scalars().all()

    for engine in postgres_pair:
        held.metadata.create_all(engine)
        with engine.begin() as connection:
            connection.execute(held.insert(), [{"v": value}, {"v": None}])
    assert postgres_pair.agree(read) == [value, None]
    assert postgres_pair.hits > 0


def test_hstore(postgres_pair: Pair) -> None:
    """A dictionary in a column of type hstore is one again, once the extension is there."""
    held = table({"v": pg.HSTORE})
    try:
        for engine in postgres_pair:
            with engine.begin() as connection:
                connection.execute(sa.text("CREATE EXTENSION hstore"))
    except sa.exc.DBAPIError as error:
        pytest.skip(f"the server has no hstore: {error.orig}")

    def read(engine: Engine) -> Any:
        with engine.connect() as connection:
            return connection.execute(sa.select(held)).scalars().all()

    for engine in postgres_pair:
        engine.dispose()
    engines = [sa.create_engine(engine.url) for engine in postgres_pair]
    for engine in engines:
        held.metadata.create_all(engine)
        with engine.begin() as connection:
            connection.execute(held.insert(), [{"v": {"a": "1", "b": None}}])
    assert type(postgres_pair)(*engines).agree(read) == [{"a": "1", "b": None}]
    for engine in engines:
        engine.dispose()


def test_two_phase(postgres_pair: Pair) -> None:
    """A prepared transaction is listed, committed or rolled back, and read as the server has it."""
    held = table({"v": sa.Integer})
    for engine in postgres_pair:
        held.metadata.create_all(engine)

    def told(engine: Engine) -> Any:
        found: list[Any] = []
        with engine.connect() as connection:
            for end in ("commit", "rollback"):
                transaction = connection.begin_twophase()
                connection.execute(held.insert(), {"v": 1})
                transaction.prepare()
                getattr(transaction, end)()
                found.append(connection.scalar(sa.select(sa.func.count()).select_from(held)))
                connection.rollback()
            found.append(connection.recover_twophase())
        return found

    assert postgres_pair.agree(told, times=1) == [1, 1, []]


def test_server_side_cursors(postgres_pair: Pair) -> None:
    """`stream_results` opens a cursor on the server."""

    def streamed(engine: Engine) -> Any:
        with engine.connect().execution_options(stream_results=True) as connection:
            result = connection.execute(sa.text("SELECT g FROM generate_series(1, 1000) g"))
            return bool(result.cursor.name), len(result.all())

    assert postgres_pair.agree(streamed) == (True, 1000)


@pytest.fixture
def repeatable(postgres_dsn: str) -> Iterator[Engine]:
    """An engine whose transactions are REPEATABLE READ."""
    with opened(postgres_dsn, "proxydb", {"proxydb_admission": "0"}, isolation_level="REPEATABLE READ") as engine:
        yield engine


def test_repeatable_read(repeatable: Engine) -> None:
    """A transaction sees its snapshot whoever writes meanwhile; the next one sees what was written."""
    held = table({"v": sa.Integer})
    held.metadata.create_all(repeatable)
    count = sa.select(sa.func.count()).select_from(held)
    with repeatable.connect() as reading, repeatable.connect() as writing:
        for number in range(4):
            assert [reading.scalar(count) for _ in range(4)] == [number] * 4
            with writing.begin():
                writing.execute(held.insert(), {"v": number})
            assert [reading.scalar(count) for _ in range(4)] == [number] * 4
            reading.rollback()


def test_read_only_and_deferrable(postgres_pair: Pair) -> None:
    """`postgresql_readonly` and `postgresql_deferrable` reach the transaction."""

    def refused(engine: Engine) -> Any:
        options = {"isolation_level": "SERIALIZABLE", "postgresql_readonly": True, "postgresql_deferrable": True}
        with engine.connect().execution_options(**options) as connection:
            shown = [connection.scalar(sa.text(f"SHOW transaction_{name}")) for name in ("read_only", "deferrable")]
            with pytest.raises(sa.exc.InternalError):
                connection.execute(sa.text("CREATE TABLE nope (a int)"))
        return shown

    assert postgres_pair.agree(refused) == ["on", "on"]
