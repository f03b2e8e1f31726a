"""A lending library: relations of every kind, and fields whose values the drivers convert."""

from __future__ import annotations

from django.db import models


class Author(models.Model):
    """Who wrote books."""

    name = models.CharField(max_length=100)
    born = models.DateField(null=True)

    def __str__(self) -> str:
        return self.name


class Tag(models.Model):
    """What a book is about."""

    word = models.CharField(max_length=30, unique=True)


class Book(models.Model):
    """A book, with a field for each kind of value."""

    title = models.CharField(max_length=200)
    author = models.ForeignKey(Author, models.CASCADE, related_name="books")
    tags = models.ManyToManyField(Tag)
    price = models.DecimalField(max_digits=8, decimal_places=2)
    printed = models.DateTimeField()
    number = models.UUIDField(unique=True)
    pages = models.PositiveIntegerField()
    available = models.BooleanField(default=True)
    details = models.JSONField(default=dict)
    cover = models.BinaryField(null=True)
    reading_time = models.DurationField(null=True)
    weight = models.FloatField(null=True)

    def __str__(self) -> str:
        return self.title


class Member(models.Model):
    """Who borrows books, and pays for it."""

    name = models.CharField(max_length=100)
    credit = models.DecimalField(max_digits=8, decimal_places=2)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(credit__gte=0), name="no_debts")]


class Loan(models.Model):
    """That a member has a book."""

    book = models.ForeignKey(Book, models.PROTECT)
    member = models.ForeignKey(Member, models.CASCADE)
    since = models.DateTimeField(auto_now_add=True)
