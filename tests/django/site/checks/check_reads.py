"""Reads of every kind that the ORM knows, each asked several times."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.contrib.postgres.aggregates import ArrayAgg
from django.core.management import call_command
from django.db import connection
from django.db.models import (
    Avg,
    Case,
    Count,
    Exists,
    F,
    Max,
    OuterRef,
    Prefetch,
    Q,
    StdDev,
    Subquery,
    Sum,
    Value,
    When,
    Window,
)
from django.db.models.functions import Coalesce, ExtractYear, Lower, Rank, RowNumber, TruncMonth, Upper
from library.models import Author, Book, Loan, Tag

from checks import cases

if TYPE_CHECKING:
    from collections.abc import Callable


def books() -> Any:
    """A new query for all books, which has no rows of its own yet."""
    return Book.objects.order_by("pk")


def raw_cursor(sql: str, *parameters: Any) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql, *parameters)
        return [column[0] for column in cursor.description], cursor.fetchall()


def values_of_every_type() -> Any:
    return [{k: bytes(v) if isinstance(v, memoryview) else v for k, v in row.items()} for row in books().values()]


READS: dict[str, Callable[[], Any]] = {
    "every_type": values_of_every_type,
    "all": lambda: [str(book) for book in books()],
    "get": lambda: books().get(number="00000000-0000-0000-0000-000000000004").title,
    "first_and_last": lambda: (books().first().title, books().last().title),
    "exists": lambda: (books().filter(pages=100).exists(), books().filter(pages=1).exists()),
    "count": lambda: books().count(),
    "slice": lambda: list(books().values_list("title", flat=True)[1:4]),
    "none_found": lambda: list(books().filter(title="?")),
    "in_list": lambda: list(books().filter(pages__in=[100, 300]).values_list("title", flat=True)),
    "in_bulk": lambda: sorted(str(book) for book in books().in_bulk([100, 300], field_name="pk").values()),
    "like": lambda: list(books().filter(title__icontains="100%").values_list("title")),
    "starts_with": lambda: list(books().filter(title__istartswith="u").values_list("title")),
    "regular_expression": lambda: list(books().filter(title__regex="^[DE]").values_list("title")),
    "unicode": lambda: books().get(title="Ион").pages,
    "range_of_dates": lambda: books().filter(printed__range=(cases.PRINTED, datetime(2020, 6, 1, tzinfo=UTC))).count(),
    "year": lambda: list(books().filter(printed__year=2020).values_list("title", flat=True)),
    "negation": lambda: list(books().exclude(Q(available=True) & ~Q(pages=500)).values_list("title")),
    "select_related": lambda: [(b.title, b.author.name, b.author.born) for b in books().select_related("author")],
    "prefetch_related": lambda: [
        (b.title, sorted(t.word for t in b.tags.all())) for b in books().prefetch_related("tags")
    ],
    "prefetch_with_query": lambda: [
        (author.name, [book.title for book in author.dear])
        for author in Author.objects.order_by("pk").prefetch_related(
            Prefetch("books", books().filter(price__gt=Decimal("11")), to_attr="dear")
        )
    ],
    "reverse_relation": lambda: sorted(Author.objects.get(name="Ada").books.values_list("title", flat=True)),
    "many_to_many_backwards": lambda: sorted(Tag.objects.filter(book__pages__gt=200).values_list("word", flat=True)),
    "aggregate": lambda: books().aggregate(Sum("price"), Avg("pages"), Max("printed"), Count("author", distinct=True)),
    "aggregate_of_nothing": lambda: Loan.objects.aggregate(Count("pk"), Sum("book__price")),
    "deviation": lambda: round(books().aggregate(d=StdDev("pages"))["d"], 6),
    "annotate": lambda: list(Author.objects.annotate(n=Count("books")).order_by("name").values_list("name", "n")),
    "having": lambda: list(
        Tag.objects.annotate(n=Count("book")).filter(n__gt=1).order_by("word").values_list("word", "n")
    ),
    "values_and_group": lambda: list(books().order_by("available").values("available").annotate(p=Sum("price"))),
    "expression": lambda: list(books().annotate(x=F("price") * 2 - F("pages") / 100).values_list("x", flat=True)),
    "case_when": lambda: list(
        books().annotate(size=Case(When(pages__gt=300, then=Value("long")), default=Value("short"))).values_list("size")
    ),
    "subquery": lambda: list(
        Author.objects.order_by("pk")
        .annotate(newest=Subquery(Book.objects.filter(author=OuterRef("pk")).order_by("-printed").values("title")[:1]))
        .values_list("name", "newest")
    ),
    "exists_subquery": lambda: list(
        Author.objects.filter(Exists(Book.objects.filter(author=OuterRef("pk"), pages__gt=500))).values_list("name")
    ),
    "window": lambda: list(
        books()
        .annotate(
            rank=Window(Rank(), partition_by="author", order_by=F("price").desc()),
            row=Window(RowNumber(), order_by="pk"),
        )
        .values_list("title", "rank", "row")
    ),
    "union": lambda: list(
        Author.objects.values_list("name").union(Tag.objects.values_list("word"), all=True).order_by("name")
    ),
    "distinct": lambda: list(Book.objects.order_by("available").values_list("available", flat=True).distinct()),
    "functions": lambda: list(
        books()
        .annotate(u=Upper("title"), l=Lower("title"), w=Coalesce("weight", 0.0), y=ExtractYear("printed"))
        .values_list("u", "l", "w", "y")
    ),
    "truncated_dates": lambda: list(
        Book.objects.annotate(m=TruncMonth("printed"))
        .values("m")
        .annotate(n=Count("pk"))
        .order_by("m")
        .values_list("m", "n")
    ),
    "dates": lambda: list(Author.objects.filter(born__isnull=False).dates("born", "year")),
    "datetimes": lambda: list(Book.objects.datetimes("printed", "day")),
    "compare_a_date": lambda: list(Author.objects.filter(born__lt=date(1900, 1, 1)).values_list("name", "born")),
    "json_key": lambda: list(books().filter(details__shelf__gte=3).values_list("details__nested__f", "details__langs")),
    "json_changes_are_the_readers_own": lambda: [book.details.popitem() for book in books()],
    "defer_and_only": lambda: [(b.title, sorted(b.get_deferred_fields())) for b in books().only("title")],
    "raw_query": lambda: [
        b.title for b in Book.objects.raw("SELECT id, title FROM library_book WHERE pages > %s ORDER BY id", [300])
    ],
    "cursor": lambda: raw_cursor('SELECT title, pages AS "Pages" FROM library_book ORDER BY id'),
    "cursor_with_parameters": lambda: raw_cursor(
        "SELECT title FROM library_book WHERE pages = %s OR title = %s", [100, "Emma"]
    ),
    "cursor_with_names": lambda: raw_cursor("SELECT title FROM library_book WHERE pages = %(pages)s", {"pages": 200}),
    "cursor_with_percent": lambda: raw_cursor(
        "SELECT title FROM library_book WHERE title LIKE '%%100%%' AND pages > %s", [1]
    ),
    "cursor_without_parameters": lambda: raw_cursor("SELECT title FROM library_book WHERE title LIKE '%100%'"),
    "iterator": lambda: [book.title for book in books().iterator(chunk_size=2)],
    "iterator_with_prefetch": lambda: [
        len(b.tags.all()) for b in books().prefetch_related("tags").iterator(chunk_size=4)
    ],
    "explain": lambda: bool(books().explain()),
}


class Reads(cases.Repeated):
    """Each read gives the same each time, and the same as with the raw driver."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cases.fill()

    @classmethod
    def tearDownClass(cls) -> None:
        call_command("flush", interactive=False, verbosity=0)
        super().tearDownClass()


def add_check(name: str, query: Callable[[], Any]) -> None:
    def check(self: Reads) -> None:
        self.read(query)

    setattr(Reads, f"test_{name}", check)


for each in READS.items():
    add_check(*each)


class Served(cases.Case):
    """What Django typically asks comes from memory, inside and outside of transactions."""

    def test_orm(self) -> None:
        self.assertServed(lambda: [str(book) for book in books().select_related("author")])

    def test_prefetch(self) -> None:
        self.assertServed(lambda: [len(book.tags.all()) for book in books().prefetch_related("tags")])

    def test_dates_and_truths(self) -> None:
        self.assertServed(lambda: list(books().filter(available=True).values_list("printed", "available", "cover")))

    def test_cursor(self) -> None:
        self.assertServed(lambda: raw_cursor("SELECT sum(pages) FROM library_book WHERE pages > %s", [10]))

    def test_after_a_new_connection(self) -> None:
        self.assertServed(_count_on_a_new_connection)


def _count_on_a_new_connection() -> int:
    connection.close()
    return books().count()


class OnPostgres(cases.Case):
    """Reads that only Postgres knows."""

    def setUp(self) -> None:
        if connection.vendor != "postgresql":
            self.skipTest("needs Postgres")
        super().setUp()

    def test_array(self) -> None:
        self.assertServed(lambda: Author.objects.aggregate(names=ArrayAgg("name", order_by="name")))

    def test_distinct_on(self) -> None:
        self.read(lambda: list(Book.objects.order_by("author", "-pages").distinct("author").values_list("title")))
