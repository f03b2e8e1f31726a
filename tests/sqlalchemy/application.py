"""A small application on SQLAlchemy's ORM: authors, their books, and the books' tags."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Column, ForeignKey, Table, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, joinedload, mapped_column, relationship, selectinload

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

AUTHORS, BOOKS_EACH, TAGS = 10, 5, 4


class Base(DeclarativeBase):
    """The base of the application's classes."""


tagged = Table(
    "tagged",
    Base.metadata,
    Column("book_id", ForeignKey("book.id"), primary_key=True),
    Column("tag_id", ForeignKey("tag.id"), primary_key=True),
)


class Author(Base):
    """One author of many books."""

    __tablename__ = "author"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    books: Mapped[list[Book]] = relationship(back_populates="author", order_by="Book.id", cascade="all, delete-orphan")


class Book(Base):
    """A book of one author, with many tags."""

    __tablename__ = "book"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    price: Mapped[int]
    author_id: Mapped[int] = mapped_column(ForeignKey("author.id"))
    author: Mapped[Author] = relationship(back_populates="books")
    tags: Mapped[list[Tag]] = relationship(secondary=tagged, order_by="Tag.id")


class Tag(Base):
    """A tag of many books."""

    __tablename__ = "tag"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


def fill(session: Session) -> None:
    """The application's first rows."""
    tags = [Tag(name=f"tag {number}") for number in range(TAGS)]
    for author in range(AUTHORS):
        books = [
            Book(title=f"book {author}.{number}", price=10 * author + number, tags=tags[: number % TAGS])
            for number in range(BOOKS_EACH)
        ]
        session.add(Author(name=f"author {author}", books=books))
    session.commit()


def shelf(session: Session) -> list[tuple[str, list[tuple[str, int, list[str]]]]]:
    """Every author with all books and their tags, by one statement and two `selectinload`."""
    whole = select(Author).order_by(Author.id).options(selectinload(Author.books).selectinload(Book.tags))
    return [
        (author.name, [(book.title, book.price, [tag.name for tag in book.tags]) for book in author.books])
        for author in session.scalars(whole)
    ]


def prices(session: Session) -> list[tuple[str, int, int]]:
    """What each author's books cost, by a join and a group."""
    total = select(Author.name, func.count(Book.id), func.sum(Book.price)).join(Author.books)
    return [tuple(row) for row in session.execute(total.group_by(Author.id, Author.name).order_by(Author.id))]


def lazy_titles(session: Session) -> list[str]:
    """The titles of the first author's books, loaded when they are looked at."""
    author = session.scalars(select(Author).order_by(Author.id).limit(1)).one()
    return [book.title for book in author.books]


def joined(session: Session) -> list[tuple[str, str]]:
    """Each book with its author in one statement."""
    both = select(Book).order_by(Book.id).options(joinedload(Book.author, innerjoin=True))
    return [(book.title, book.author.name) for book in session.scalars(both)]


READS = (shelf, prices, lazy_titles, joined)
