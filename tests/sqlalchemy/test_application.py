"""An ORM application's repeated reads are answered from memory, and are fresh whoever writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event, select, update
from sqlalchemy.orm import Session

from tests.sqlalchemy.application import AUTHORS, READS, Author, Base, Book, fill, prices, shelf
from tests.sqlalchemy.conftest import KEEP_ALL, Pair, opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Engine

ROUNDS = 5


@pytest.fixture(params=["as it comes", "snapshots"])
def isolation(request: pytest.FixtureRequest) -> str:
    """SQLAlchemy's own transactions, or those that read one snapshot from their first statement to their end."""
    return request.param


@pytest.fixture
def application(target: str, isolation: str) -> Iterator[Pair]:
    """The application's database through a foreign raw engine and through ours."""
    on_sqlite = "=" not in target
    options = {"isolation_level": "REPEATABLE READ"} if isolation == "snapshots" and not on_sqlite else {}
    with opened(target, "raw", {}) as raw, opened(target, "proxydb", KEEP_ALL, **options) as proxied:
        if isolation == "snapshots" and on_sqlite:
            begin_at_once(proxied)
            with raw.connect() as connection:
                connection.exec_driver_sql("PRAGMA journal_mode = WAL")
        Base.metadata.create_all(raw)
        with Session(raw) as session:
            fill(session)
        yield Pair(raw, proxied)


def begin_at_once(engine: Engine) -> None:
    """Let a transaction on SQLite begin with BEGIN, where the driver would begin it at the first write.

    The recipe of https://docs.sqlalchemy.org/dialects/sqlite.html, for Python before 3.12.
    """

    @event.listens_for(engine, "connect")
    def connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def begun(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN")


def everything(engine: Engine) -> list[Any]:
    """What each read of the application gives in a session of its own."""
    found = []
    for read in READS:
        with Session(engine) as session:
            found.append(read(session))
    return found


def same_on_both(application: Pair) -> list[Any]:
    """Reads are repeated through ours, and are each time what a foreign connection sees."""
    expected = everything(application.raw)
    for _ in range(ROUNDS):
        assert everything(application.proxied) == expected
    return expected


def test_repeated_reads_hit(application: Pair) -> None:
    """Each statement of a read is answered from memory once it has been kept."""
    same_on_both(application)
    before = application.hits
    everything(application.proxied)
    assert application.hits - before == 7, "three statements of the shelf, two of the titles, one each of the others"


def raise_prices(session: Session) -> None:
    session.execute(update(Book).values(price=Book.price + 1))


def rename_author(session: Session) -> None:
    session.scalars(select(Author).order_by(Author.id).limit(1)).one().name += " the first"


def move_a_book(session: Session) -> None:
    first, second = session.scalars(select(Author).order_by(Author.id).limit(2)).all()
    second.books.append(first.books[0])


def delete_an_author(session: Session) -> None:
    session.delete(session.scalars(select(Author).order_by(Author.id.desc()).limit(1)).one())


def add_an_author(session: Session) -> None:
    session.add(Author(name="new", books=[Book(title="new", price=1)]))


CHANGES = (raise_prices, rename_author, move_a_book, add_an_author, delete_an_author)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
@pytest.mark.parametrize("writer", ["our session", "a foreign connection"])
def test_fresh_after_a_commit(application: Pair, writer: str, change: Callable[[Session], None]) -> None:
    """What another session of ours, or a connection that knows nothing of proxydb, commits is read at once."""
    before = same_on_both(application)
    engine = application.proxied if writer == "our session" else application.raw
    with Session(engine) as session, session.begin():
        change(session)
    hits = application.hits
    assert same_on_both(application) != before
    assert application.hits > hits


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_fresh_within_the_session(application: Pair, change: Callable[[Session], None]) -> None:
    """A session reads what it has flushed; after its rollback everybody reads what stood before."""
    before = same_on_both(application)
    with Session(application.proxied) as session:
        change(session)
        session.flush()
        session.expire_all()
        assert shelf(session) != before[0] or prices(session) != before[1]
        session.rollback()
        assert shelf(session) == before[0]
    assert same_on_both(application) == before


def test_sessions_beside_each_other(application: Pair) -> None:
    """What one session has not committed, another does not see; once it has, the next transaction does."""
    before = same_on_both(application)
    with Session(application.proxied) as reader, Session(application.proxied) as writer:
        raise_prices(writer)
        assert [prices(reader) for _ in range(3)] == [before[1]] * 3
        reader.rollback()
        writer.commit()
        assert [prices(reader) for _ in range(3)] == [[(name, n, cost + n) for name, n, cost in before[1]]] * 3


def test_a_snapshot_stays(application: Pair, isolation: str) -> None:
    """A transaction with a snapshot reads that, whoever commits; one without reads what is committed."""
    before = same_on_both(application)
    with Session(application.proxied) as reader:
        assert prices(reader) == before[1]
        with Session(application.raw) as writer, writer.begin():
            raise_prices(writer)
        stays = isolation == "snapshots"
        assert [prices(reader) == before[1] for _ in range(4)] == [stays] * 4
        reader.rollback()
        assert prices(reader) != before[1]


def test_identity_and_lazy_loads(application: Pair) -> None:
    """Objects from memory are a session's own: changing them changes nothing for the next session."""
    for _ in range(ROUNDS):
        with Session(application.proxied) as session:
            authors = session.scalars(select(Author).order_by(Author.id)).all()
            assert len(authors) == AUTHORS
            authors[0].name = "never committed"
            authors[0].books.clear()
    assert same_on_both(application)[0][0][0] == "author 0"
