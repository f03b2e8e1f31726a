"""What the checks have in common: some books, reads that are repeated, and notes of what was seen."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import connection
from django.test import SimpleTestCase, TransactionTestCase
from library.models import Author, Book, Member, Tag
from recording import NOTES

if TYPE_CHECKING:
    from collections.abc import Callable

PRINTED = datetime(2020, 3, 1, 12, 30, 15, 250000, tzinfo=UTC)
TITLES = ["Dune", "Emma", "Ион", 'It\'s "100%" s?', "Ulysses", "Vita Nuova"]


class Repeated(SimpleTestCase):
    """Reads that are asked several times."""

    databases = {"default"}

    def note(self, value: Any) -> None:
        """Write down what was seen, to be compared with what the raw driver showed."""
        NOTES.setdefault(self.id(), []).append(repr(value))

    def read(self, query: Callable[[], Any], times: int = 4) -> Any:
        """Ask several times for what nobody changes meanwhile; each answer is the same, the last ones from memory."""
        answers = [repr(query()) for _ in range(times)]
        self.assertEqual([answers[0]] * times, answers)
        self.note(answers[0])
        return query()

    def assertServed(self, query: Callable[[], Any]) -> None:
        """A query that is repeated comes from memory, where there is any."""
        before = hits()
        self.read(query)
        if before is not None:
            self.assertGreater(hits(), before)


class Case(Repeated, TransactionTestCase):
    """A check whose writes are committed, so that what it reads may come from memory."""

    available_apps = ["library"]  # only their tables are emptied after a check

    def setUp(self) -> None:
        fill()


def fill() -> None:
    """Two authors and six books, with the values that are hardest on drivers."""
    authors = Author.objects.bulk_create([Author(name="Ada", born=date(1815, 12, 10)), Author(name="Borges")])
    tags = Tag.objects.bulk_create([Tag(word=word) for word in ("old", "new", "long")])
    books = Book.objects.bulk_create(_book(number, title, authors) for number, title in enumerate(TITLES))
    for number, book in enumerate(books):
        book.tags.set(tags[: number % 4])
    Member.objects.bulk_create([Member(name="Rich", credit=Decimal("10.00")), Member(name="Poor", credit=Decimal("1"))])


def _book(number: int, title: str, authors: list[Author]) -> Book:
    return Book(
        title=title,
        author=authors[number % 2],
        price=Decimal("9.90") + number,
        printed=PRINTED + timedelta(days=40 * number),
        number=UUID(int=number),
        pages=100 * (number + 1),
        available=number != 3,
        details={"shelf": number, "langs": ["ro", None][: number % 3], "nested": {"t": True, "f": 0.5}},
        cover=bytes(range(number)) or None,
        reading_time=timedelta(hours=number, microseconds=1) if number else None,
        weight=number / 3 if number != 2 else None,
    )


def hits() -> int | None:
    """How many reads have come from memory; none where the driver is raw."""
    connection.ensure_connection()
    database = getattr(connection.connection, "proxydb", None)
    return None if database is None else database.stats().hits
