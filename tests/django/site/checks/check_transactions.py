"""Transactions, savepoints, locks, hooks, and the isolation of Django's own test cases."""

from __future__ import annotations

from decimal import Decimal

from django.db import DatabaseError, IntegrityError, OperationalError, connection, transaction
from django.test import TestCase
from library.models import Author, Book, Member

from checks.beside import in_thread
from checks.cases import Case, fill


def pages() -> list[int]:
    return list(Book.objects.order_by("pk").values_list("pages", flat=True))


class Transactions(Case):
    """What Django promises of `atomic`."""

    def test_commit(self) -> None:
        with transaction.atomic():
            self.read(pages)
            Book.objects.update(pages=1)
            self.read(pages)
        self.read(pages)

    def test_rollback(self) -> None:
        before = self.read(pages)
        with self.assertRaises(LookupError), transaction.atomic():
            Book.objects.update(pages=1)
            raise LookupError
        self.assertEqual(before, self.read(pages))

    def test_savepoints(self) -> None:
        with transaction.atomic():
            Book.objects.update(pages=1)
            mark = connection.savepoint()
            Book.objects.update(pages=2)
            connection.savepoint_rollback(mark)
            self.read(pages)
        self.assertEqual([1] * 6, self.read(pages))

    def test_constraint(self) -> None:
        with self.assertRaises(IntegrityError) as caught, transaction.atomic():
            Member.objects.update(credit=Decimal("-1"))
        self.note(type(caught.exception.__cause__))
        self.read(lambda: list(Member.objects.order_by("pk").values_list("credit")))

    def test_broken_transaction(self) -> None:
        with self.assertRaises(transaction.TransactionManagementError), transaction.atomic():
            try:
                with transaction.atomic(savepoint=False):
                    Book.objects.create(title="incomplete")
            except IntegrityError:
                pages()

    def test_hooks(self) -> None:
        done: list[str] = []
        with transaction.atomic():
            transaction.on_commit(lambda: done.append(str(pages())))
            Book.objects.update(pages=4)
        self.note(done)

    def test_without_autocommit(self) -> None:
        transaction.set_autocommit(False)
        try:
            before = self.read(pages)
            Book.objects.update(pages=5)
            transaction.rollback()
            self.assertEqual(before, self.read(pages))
        finally:
            transaction.rollback()
            transaction.set_autocommit(True)

    def test_error_in_a_statement(self) -> None:
        with self.assertRaises(DatabaseError) as caught, connection.cursor() as cursor:
            cursor.execute("SELECT nothing FROM nowhere")
        self.note((str(caught.exception), type(caught.exception.__cause__)))
        self.read(pages)


class Locks(Case):
    """Rows that `select_for_update` has locked, where the database locks rows."""

    def lock(self, **options: bool) -> str:
        try:
            with transaction.atomic():
                return str(list(Book.objects.select_for_update(**options).order_by("pk").values_list("title")))
        except OperationalError as error:
            return type(error.__cause__).__name__

    def test_locks(self) -> None:
        self.read(self.lock)
        if not connection.features.has_select_for_update_skip_locked:
            return
        with transaction.atomic():
            list(Book.objects.select_for_update().filter(pages__lt=300))
            self.assertEqual("LockNotAvailable", in_thread(lambda: self.lock(nowait=True)))
            self.note(in_thread(lambda: self.lock(skip_locked=True)))

    def test_needs_a_transaction(self) -> None:
        if connection.features.has_select_for_update:
            with self.assertRaises(transaction.TransactionManagementError):
                list(Book.objects.select_for_update())


class Isolated(TestCase):
    """Django's own test case keeps its rows in a transaction that it rolls back."""

    @classmethod
    def setUpTestData(cls) -> None:
        fill()
        cls.author = Author.objects.get(name="Ada")

    def test_one(self) -> None:
        self.author.books.all().delete()
        self.assertEqual(3, Book.objects.count())

    def test_other(self) -> None:
        self.assertEqual(3, self.author.books.count())
        self.assertEqual(6, Book.objects.count())
