"""What the admin site shows."""

from __future__ import annotations

from django.contrib import admin

from library.models import Book


@admin.register(Book)
class BookAdmin(admin.ModelAdmin):
    """Books, with a list that searches and filters."""

    list_display = ("title", "author", "price")
    list_filter = ("available", "author")
    search_fields = ("title",)
    date_hierarchy = "printed"
