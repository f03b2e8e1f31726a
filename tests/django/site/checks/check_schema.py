"""Migrations forwards and backwards, the schema editor, and what is read back from the catalog."""

from __future__ import annotations

from io import StringIO
from typing import Any

from django.core.management import call_command
from django.db import connection, models
from django.db.migrations.executor import MigrationExecutor
from library.models import Author, Book

from checks.cases import Case


def migrate(name: str) -> Any:
    """Bring the tables to the state of a migration; the models of then."""
    executor = MigrationExecutor(connection)
    executor.migrate([("library", name)])
    return MigrationExecutor(connection).loader.project_state([("library", name)]).apps


class Migrations(Case):
    """A column that comes and goes under reads that were kept."""

    available_apps = None

    def test_there_and_back(self) -> None:
        weights = self.read(lambda: list(Book.objects.order_by("pk").values_list("weight")))
        then = migrate("0001_initial").get_model("library", "Book")
        self.read(lambda: list(then.objects.order_by("pk").values_list("title", "pages")))
        migrate("0002_weight")
        self.assertNotEqual(weights, self.read(lambda: list(Book.objects.order_by("pk").values_list("weight"))))

    def test_nothing_is_left_to_migrate(self) -> None:
        call_command("makemigrations", check_changes=True, verbosity=0)


class Schema(Case):
    """Tables that are made and changed while the program runs."""

    def test_editor(self) -> None:
        field = models.CharField(max_length=10, default="new")
        field.set_attributes_from_name("mood")
        rows = self.read(lambda: self.star("library_author"))
        with connection.schema_editor() as editor:
            editor.add_field(Author, field)
        self.assertNotEqual(rows, self.read(lambda: self.star("library_author")))
        with connection.schema_editor() as editor:
            editor.remove_field(Author, field)
        self.assertEqual(rows, self.read(lambda: self.star("library_author")))

    def star(self, table: str) -> Any:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM {table} ORDER BY id")
            return [column[0] for column in cursor.description], cursor.fetchall()

    def test_inspection(self) -> None:
        def models_of_tables() -> str:
            call_command("inspectdb", stdout=(out := StringIO()))
            return out.getvalue()

        self.read(models_of_tables)

    def test_flush(self) -> None:
        self.read(Book.objects.count)
        call_command("flush", interactive=False, verbosity=0)
        self.assertEqual(0, self.read(Book.objects.count))
