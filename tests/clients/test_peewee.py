"""peewee on proxied connections does what it does on raw ones, and reads from memory."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

import peewee
import psycopg
import pytest
from peewee import fn
from psycopg.conninfo import conninfo_to_dict

import proxydb.psycopg
import proxydb.sqlite3
from tests.clients.stories import tell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.postgres_server import PostgresServer


class Author(peewee.Model):
    """Who wrote books."""

    name = peewee.CharField(unique=True)
    born = peewee.DateField(null=True)


class Book(peewee.Model):
    """A book, with a field for each kind of value."""

    title = peewee.CharField()
    author = peewee.ForeignKeyField(Author, backref="books", on_delete="CASCADE")
    price = peewee.DecimalField(max_digits=8, decimal_places=2)
    printed = peewee.DateTimeField()
    number = peewee.UUIDField(unique=True)
    pages = peewee.IntegerField(index=True)
    available = peewee.BooleanField(default=True)
    weight = peewee.FloatField(null=True)
    cover = peewee.BlobField(null=True)


class Shop(peewee.Model):
    """Where books are sold; on Postgres a table with a time of day is read past the cache."""

    opens = peewee.TimeField()


MODELS = [Author, Book, Shop]


class Adapter(peewee.Psycopg3Adapter):
    """peewee's way to psycopg 3, with proxied connections."""

    def connect(self, db: Any, **params: Any) -> Any:
        connection = proxydb.psycopg.connect(dbname=db.database, **params)
        connection._config = proxydb.Config(admission=0)
        return connection


class Proxied(peewee.PostgresqlDatabase):
    """peewee's database with that way."""

    psycopg3_adapter = Adapter


class Connection(proxydb.sqlite3.Connection):
    """A proxied connection that keeps everything."""

    _config = proxydb.Config(admission=0)


class Client:
    """A peewee database, and the statement that another program runs on the same data."""

    def __init__(self, database: Any, elsewhere: Callable[[str], None]) -> None:
        self.database = database
        self.elsewhere = elsewhere

    @property
    def hits(self) -> int:
        return int(self.database.connection().proxydb.stats().hits)


def fill(_client: Client) -> Any:
    authors = [Author.create(name=name, born=born) for name, born in (("Ada", date(1815, 12, 10)), ("Borges", None))]
    rows = [
        {
            "title": title,
            "author": authors[number % 2],
            "price": Decimal("9.90") + number,
            "printed": datetime(2020, 1 + number, 2, 3, 4, 5, 600 * number),
            "number": UUID(int=number),
            "pages": 100 * number,
            "available": number != 1,
            "weight": number / 3 if number else None,
            "cover": bytes(range(number)),
        }
        for number, title in enumerate(["Dune", "Emma", "Ион", "100% 's?"])
    ]
    return Book.insert_many(rows).execute() is not None and Shop.create(opens=time(8, 30)).opens


def rolled_back(client: Client) -> None:
    with client.database.atomic() as transaction:
        Book.update(pages=1).execute()
        list(Book.select())
        transaction.rollback()


def savepoints(client: Client) -> None:
    with client.database.atomic():
        Book.update(pages=Book.pages + 1).execute()
        with client.database.atomic() as inner:
            Book.delete().execute()
            inner.rollback()


def save(_client: Client) -> Any:
    book = Book.get(Book.title == "Dune")
    book.pages = 77
    return book.save()


def write_elsewhere(client: Client) -> None:
    client.elsewhere("UPDATE book SET pages = pages + 5")


def reconnect(client: Client) -> Any:
    client.database.close()
    return client.database.connect()


def as_rows(query: Any) -> list[Any]:
    return [
        {key: bytes(cell) if isinstance(cell, memoryview) else cell for key, cell in row.items()}
        for row in query.dicts()
    ]


STEPS: dict[str, Callable[[Client], Any]] = {
    "create tables": lambda client: client.database.create_tables(MODELS),
    "fill": fill,
    "save": save,
    "create twice": lambda _: Author.create(name="Ada"),
    "get or create": lambda _: Author.get_or_create(name="Woolf")[1],
    "update": lambda _: Book.update(price=Book.price * 2).where(Book.pages > 100).execute(),
    "upsert": lambda _: (
        Author.insert(name="Ada", born=date(1, 1, 1))
        .on_conflict(conflict_target=[Author.name], preserve=[Author.born])
        .execute()
    ),
    "bulk update": lambda _: Book.bulk_update(list(Book.select()), [Book.pages]),
    "rolled back": rolled_back,
    "savepoints": savepoints,
    "elsewhere": write_elsewhere,
    "raw statement": lambda client: client.database.execute_sql("UPDATE book SET pages = 1 WHERE id = 2").rowcount,
    "delete a book": lambda _: Book.delete().where(Book.title == "Dune").execute(),
    "delete an author": lambda _: Author.get(Author.name == "Borges").delete_instance(recursive=True),
    "add an index": lambda _: Book.add_index(Book.title) or Book.create_table(safe=True),
    "reconnect": lambda client: reconnect(client) is not None,
    "truncate": lambda _: Book.delete().execute(),
}
READS: dict[str, Callable[[Client], Any]] = {
    "dicts": lambda _: as_rows(Book.select().order_by(Book.number)),
    "tuples": lambda _: list(Author.select(Author.name, Author.born).order_by(Author.name).tuples()),
    "get": lambda _: Book.get(Book.title == "Emma").pages,
    "get or none": lambda _: Book.get_or_none(Book.title == "?"),
    "join": lambda _: [(b.title, b.author.name) for b in Book.select(Book, Author).join(Author).order_by(Book.number)],
    "prefetch": lambda _: [
        (a.name, [b.title for b in a.books])
        for a in peewee.prefetch(Author.select().order_by(Author.name), Book.select().order_by(Book.number))
    ],
    "aggregate": lambda _: Book.select(fn.COUNT(Book.id), fn.SUM(Book.pages), fn.MAX(Book.printed)).scalar(
        as_tuple=True
    ),
    "group": lambda _: list(
        Author.select(Author.name, fn.COUNT(Book.id).alias("n"))
        .join(Book, peewee.JOIN.LEFT_OUTER)
        .group_by(Author.name)
        .order_by(Author.name)
        .tuples()
    ),
    "count": lambda _: Book.select().where(Book.available).count(),
    "exists": lambda _: Book.select().where(Book.price > Decimal("11.5")).exists(),
    "window": lambda _: list(
        Book.select(Book.title, fn.RANK().over(order_by=[Book.price.desc()])).order_by(Book.number).tuples()
    ),
    "between dates": lambda _: (
        Book.select().where(Book.printed.between(datetime(2020, 2, 1), date(2021, 1, 1))).count()
    ),
    "part of a date": lambda _: list(Book.select(Book.printed.month).order_by(Book.number).tuples()),
    "like": lambda _: [book.title for book in Book.select().where(Book.title.contains("%"))],
    "iterator": lambda _: [book.title for book in Book.select().order_by(Book.number).iterator()],
    "only the first": lambda _: getattr(Book.select().order_by(Book.number).first(), "title", None),
    "subquery": lambda _: Book.select().where(Book.author.in_(Author.select().where(Author.name == "Ada"))).count(),
    "union": lambda _: sorted((Author.select(Author.name) | Book.select(Book.title)).tuples()),
    "times": lambda _: list(Shop.select(Shop.opens, Shop.opens < time(9, 0)).tuples()),
    "raw": lambda client: client.database.execute_sql("SELECT count(*), sum(pages) FROM book").fetchall(),
    "tables": lambda client: client.database.get_tables(),
    "columns": lambda client: [column.name for column in client.database.get_columns("book")],
}


@contextmanager
def told(database: Any, elsewhere: Callable[[str], None]) -> Iterator[Client]:
    """A client whose models are bound to a database."""
    with database.bind_ctx(MODELS), closing(database):
        database.connect()
        yield Client(database, elsewhere)


def answers(database: Any, elsewhere: Callable[[str], None], proxied: bool = False) -> tuple[list[Any], int]:
    """What a database answers to the story, and how often it did so from memory."""
    with told(database, elsewhere) as client:
        return tell(STEPS, READS, client), client.hits if proxied else 0


@pytest.mark.parametrize("pragmas", [{}, {"journal_mode": "wal", "foreign_keys": 1}], ids=["delete", "wal"])
def test_sqlite(tmp_path: Path, pragmas: dict[str, Any]) -> None:
    """On SQLite a `factory` is all that peewee is given, and each outcome is the same."""

    def elsewhere(path: Path) -> Callable[[str], None]:
        def run(sql: str) -> None:
            with closing(sqlite3.connect(path)) as plain:
                plain.execute(sql)
                plain.commit()

        return run

    raw, proxied = tmp_path / "raw.db", tmp_path / "proxied.db"
    expected, _ = answers(peewee.SqliteDatabase(raw, pragmas), elsewhere(raw))
    with proxydb.database(proxied):
        database = peewee.SqliteDatabase(proxied, pragmas, factory=Connection)
        actual, hits = answers(database, elsewhere(proxied), proxied=True)
    assert expected == actual
    assert hits > 200, hits


def test_postgres(postgres_server: PostgresServer) -> None:
    """On Postgres peewee's adapter of psycopg 3 is subclassed, and each outcome is the same."""

    def elsewhere(dsn: str) -> Callable[[str], None]:
        def run(sql: str) -> None:
            with psycopg.connect(dsn) as plain:
                plain.execute(sql)

        return run

    with postgres_server.fresh_database() as raw, postgres_server.fresh_database() as proxied:
        expected, _ = answers(_database(peewee.PostgresqlDatabase, raw), elsewhere(raw))
        with proxydb.database(proxied):
            actual, hits = answers(_database(Proxied, proxied), elsewhere(proxied), proxied=True)
    assert expected == actual
    assert hits > 200, hits


def _database(kind: type[peewee.PostgresqlDatabase], dsn: str) -> peewee.PostgresqlDatabase:
    told = conninfo_to_dict(dsn)
    return kind(told.pop("dbname"), prefer_psycopg3=True, **told)
