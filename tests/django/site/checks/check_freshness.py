"""After a write of any kind, whoever wrote, the next read is what the database holds."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction
from django.db.models import Count, F, Sum
from library.models import Author, Book, Tag

from checks.beside import in_plain_connection, in_process, in_thread, plain_rows
from checks.cases import PRINTED, Case

if TYPE_CHECKING:
    from collections.abc import Callable

BOOKS = "SELECT id, title, pages, author_id FROM library_book ORDER BY id"
TAGS = "SELECT book_id, tag_id FROM library_book_tags ORDER BY 1, 2"
UPDATE = "UPDATE library_book SET pages = pages + 7"


def seen() -> Any:
    """What the ORM reads."""
    books = list(Book.objects.order_by("pk").values_list("pk", "title", "pages", "author_id"))
    tags = list(Book.tags.through.objects.order_by("book_id", "tag_id").values_list("book_id", "tag_id"))
    return books, tags


def told() -> Any:
    """What a plain connection reads."""
    return plain_rows(BOOKS), plain_rows(TAGS)


def totals() -> Any:
    """What depends on several tables."""
    return list(
        Author.objects.order_by("pk").annotate(n=Count("books"), p=Sum("books__pages")).values_list("pk", "n", "p")
    )


def execute(sql: str, *parameters: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, *parameters)


def executemany() -> None:
    with connection.cursor() as cursor:
        cursor.executemany("UPDATE library_book SET pages = %s WHERE title = %s", [(1, "Dune"), (2, "Emma")])


def save() -> None:
    book = Book.objects.get(title="Dune")
    book.pages = 1
    book.save()


def save_new() -> None:
    Author.objects.get(name="Ada").books.create(
        title="New", price=Decimal("1"), printed=PRINTED, number="f" * 32, pages=3
    )


def bulk_update() -> None:
    books = list(Book.objects.order_by("pk"))
    for book in books:
        book.pages += 1
    Book.objects.bulk_update(books, ["pages"], batch_size=4)


def bulk_upsert() -> None:
    book = Book.objects.get(title="Emma")
    book.pk, book.pages = None, 5
    Book.objects.bulk_create([book], update_conflicts=True, update_fields=["pages"], unique_fields=["number"])


def committed_with_a_savepoint_rolled_back() -> None:
    with transaction.atomic():
        Book.objects.filter(title="Dune").update(pages=11)
        try:
            with transaction.atomic():
                Book.objects.filter(title="Emma").update(pages=12)
                raise LookupError
        except LookupError:
            pass


def rolled_back() -> None:
    try:
        with transaction.atomic():
            Book.objects.update(pages=13)
            seen()
            raise LookupError
    except LookupError:
        pass


def update_or_create() -> None:
    Book.objects.update_or_create(title="Dune", defaults={"pages": 99})


def get_or_create() -> None:
    tag, _ = Tag.objects.get_or_create(word="fresh")
    Book.objects.get(title="Dune").tags.add(tag)


WRITES: dict[str, Callable[[], Any]] = {
    "save": save,
    "save_new": save_new,
    "update": lambda: Book.objects.filter(pages__gt=100).update(pages=F("pages") + 1),
    "update_or_create": update_or_create,
    "get_or_create": get_or_create,
    "delete": lambda: Book.objects.get(title="Dune").delete(),
    "delete_with_what_depends_on_it": lambda: Author.objects.get(name="Ada").delete(),
    "bulk_update": bulk_update,
    "bulk_upsert": bulk_upsert,
    "add_relation": lambda: Book.objects.get(title="Dune").tags.add(Tag.objects.get(word="long")),
    "set_relation": lambda: Book.objects.get(title="Ulysses").tags.set([]),
    "move_in_relation": lambda: Author.objects.get(name="Borges").books.set(Book.objects.all()),
    "cursor": lambda: execute(UPDATE),
    "cursor_with_parameters": lambda: execute("DELETE FROM library_book_tags WHERE book_id > %s", [2]),
    "executemany": executemany,
    "rolled_back": rolled_back,
    "committed_with_a_savepoint_rolled_back": committed_with_a_savepoint_rolled_back,
    "another_thread": lambda: in_thread(save),
    "plain_connection": lambda: in_plain_connection(UPDATE),
    "another_process": lambda: in_process(UPDATE),
}


class Freshness(Case):
    """A read after a write shows it, although the same read came from memory before it."""

    def follow(self, write: Callable[[], Any]) -> None:
        """Read, write, read."""
        self.read(seen)
        self.read(totals)
        write()
        self.assertEqual(told(), seen())
        self.read(totals)
        self.assertEqual(told(), self.read(seen))

    def test_written_inside_a_transaction(self) -> None:
        self.read(seen)
        with transaction.atomic():
            self.read(seen)
            Book.objects.filter(title="Dune").update(pages=11)
            self.assertEqual(11, self.read(lambda: Book.objects.get(title="Dune").pages))

    def test_every_commit_of_another_process(self) -> None:
        for _ in range(3):
            in_process(UPDATE)
            self.assertEqual(told(), self.read(seen, times=2))


def add_check(name: str, write: Callable[[], Any]) -> None:
    def check(self: Freshness) -> None:
        self.follow(write)

    setattr(Freshness, f"test_{name}", check)


for each in WRITES.items():
    add_check(*each)
