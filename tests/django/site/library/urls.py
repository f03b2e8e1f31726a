"""The addresses of the sample."""

from __future__ import annotations

from django.contrib import admin
from django.urls import path

from library import views

urlpatterns = [
    path("admin/", admin.site.urls),
    path("authors/", views.authors),
    path("books/export/", views.export),
    path("books/<int:book>/lend/<int:member>/", views.lend),
]
