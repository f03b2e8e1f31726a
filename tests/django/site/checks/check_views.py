"""Requests through Django's test client: each opens its connection, and most a transaction."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.management import call_command
from library.models import Book, Loan, Member

from checks.beside import in_process
from checks.cases import Case


class Views(Case):
    """What visitors see."""

    def seen(self, path: str) -> tuple[int, bytes]:
        response = self.client.get(path)
        return response.status_code, getattr(response, "content", None) or b"".join(response)

    def test_read(self) -> None:
        self.assertServed(lambda: self.seen("/authors/"))

    def test_read_after_another_process_wrote(self) -> None:
        before = self.read(lambda: self.seen("/authors/"))
        in_process("UPDATE library_book SET pages = 9")
        self.assertNotEqual(before, self.read(lambda: self.seen("/authors/")))

    def test_stream(self) -> None:
        self.read(lambda: self.seen("/books/export/"))

    def lend(self, title: str, name: str) -> tuple[int, bytes]:
        book, member = Book.objects.get(title=title), Member.objects.get(name=name)
        response = self.client.post(f"/books/{book.pk}/lend/{member.pk}/")
        return response.status_code, response.content

    def state(self) -> object:
        members = list(Member.objects.order_by("pk").values_list("name", "credit"))
        return members, Loan.objects.count(), Book.objects.filter(available=True).count()

    def test_write(self) -> None:
        self.read(self.state)
        self.assertEqual((200, b"8.50"), self.lend("Dune", "Rich"))
        self.read(self.state)

    def test_request_that_is_rolled_back(self) -> None:
        before = self.read(self.state)
        self.assertEqual((400, b"Poor has lent 1 and no credit"), self.lend("Dune", "Poor"))
        self.assertEqual(before, self.read(self.state))


class AdminSite(Case):
    """The list of the admin site, with its search, filters and dates."""

    available_apps = None

    def setUp(self) -> None:
        super().setUp()
        self.client.force_login(User.objects.create_superuser("root"))

    def titles(self, query: str) -> list[str]:
        response = self.client.get(f"/admin/library/book/?{query}")
        return [str(book) for book in response.context["cl"].result_list]

    def test_lists(self) -> None:
        for query in ("", "q=u", "available__exact=1", "printed__year=2020", "o=-1"):
            self.read(lambda query=query: self.titles(query))

    def test_list_after_a_change(self) -> None:
        self.read(lambda: self.titles("q=Emma"))
        Book.objects.filter(title="Emma").update(title="Emma II")
        self.assertEqual(["Emma II"], self.read(lambda: self.titles("q=Emma")))


class DatabaseCache(Case):
    """Django's cache in a table."""

    available_apps = None

    def test_values(self) -> None:
        call_command("createcachetable", verbosity=0)
        for value in (1, "two", None):
            cache.set("key", value)
            self.assertEqual(value, self.read(lambda: cache.get("key", "?")))
        cache.delete("key")
        self.assertEqual("?", self.read(lambda: cache.get("key", "?")))
