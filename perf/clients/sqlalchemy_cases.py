"""SQLAlchemy's ORM on its own dialects and on ours: each call is a session that reads objects."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from perf.hot_path.case import Case
from perf.hot_path.complaints import mostly_hits_from_now_on, no_hits
from perf.hot_path.goals import AtMost, Faster
from tests.sqlalchemy.urls import url_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Engine, Select

    from perf.hot_path.goals import Goal


class Base(DeclarativeBase):
    """The base of the mapped class."""


class File(Base):
    """A row of the table that the hot path's cases read."""

    __tablename__ = "files"

    file_id: Mapped[int] = mapped_column(primary_key=True)
    table_id: Mapped[int]
    path: Mapped[str]
    size_bytes: Mapped[int]
    partition_value: Mapped[str]
    stats: Mapped[str]


LARGEST = select(File).order_by(File.size_bytes.desc(), File.file_id).limit(100)
BY_INDEX = select(File).where(File.table_id == 7).order_by(File.path).limit(100)
BY_KEY = select(File).where(File.file_id == 4711)
NEVER_KEPT = {"proxydb_admission": "1000000"}


class Measured(NamedTuple):
    """A case before it has its engines.

    Parameters
    ----------
    title, goal
        As in `Case`.
    statement
        What each session reads.
    options
        Options of our URL.
    complaint
        Whether it measured what its title says.
    """

    title: str
    statement: Select[Any]
    options: dict[str, str]
    goal: Goal
    complaint: Callable[[Any], Callable[[], str]]


CASES = (
    Measured("100 largest of 20,000, hit", LARGEST, {}, Faster(2), mostly_hits_from_now_on),
    Measured("100 by an index, hit", BY_INDEX, {"proxydb_admission": "0"}, AtMost(1.05), mostly_hits_from_now_on),
    Measured("100 by an index, not cached", BY_INDEX, NEVER_KEPT, AtMost(1.05), no_hits),
    Measured("1 by its key, not cached", BY_KEY, NEVER_KEPT, AtMost(1.05), no_hits),
)


def cases(system: str, target: str) -> Iterator[Case]:
    """The cases on a database that holds the table, each with engines of its own."""
    for measured in CASES:
        yield _case(f"{system}, SQLAlchemy: {measured.title}", measured, target)


def _case(title: str, measured: Measured, target: str) -> Case:
    stack = ExitStack()
    raw, proxied = (
        create_engine(url) for url in (url_of(target, "raw"), url_of(target, "proxydb", **measured.options))
    )
    watched = proxied.raw_connection()  # one more connection, whose counters are those of the database
    for close in (raw.dispose, proxied.dispose, watched.close):
        stack.callback(close)
    calls = _reading(raw, measured.statement), _reading(proxied, measured.statement)
    return Case(title, *calls, measured.goal, measured.complaint(watched.driver_connection), (stack,))


def _reading(engine: Engine, statement: Select[Any]) -> Callable[[], object]:
    def read() -> object:
        with Session(engine) as session:
            return session.scalars(statement).all()

    return read
