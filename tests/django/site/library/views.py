"""The views: one that reads, one that writes in the request's transaction, one that streams outside of it."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Avg, Count, Sum
from django.http import HttpResponse, HttpResponseBadRequest, JsonResponse, StreamingHttpResponse

from library.models import Author, Book, Loan, Member

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.http import HttpRequest

FEE = Decimal("1.50")


def authors(_request: HttpRequest) -> JsonResponse:
    """Authors with how much they wrote."""
    rows = Author.objects.annotate(count=Count("books"), pages=Sum("books__pages"), price=Avg("books__price"))
    return JsonResponse({"authors": list(rows.order_by("name").values("name", "born", "count", "pages", "price"))})


def lend(_request: HttpRequest, book: int, member: int) -> HttpResponse:
    """Lend a book; what was written before the request fails is taken back with the request's transaction."""
    borrower = Member.objects.select_for_update().get(pk=member)
    Loan.objects.create(book_id=book, member=borrower)
    Book.objects.filter(pk=book).update(available=False)
    if borrower.credit < FEE:
        refusal = f"{borrower.name} has lent {Loan.objects.count()} and no credit"
        transaction.set_rollback(True)
        return HttpResponseBadRequest(refusal)
    borrower.credit -= FEE
    borrower.save()
    return HttpResponse(f"{borrower.credit}")


@transaction.non_atomic_requests
def export(_request: HttpRequest) -> StreamingHttpResponse:
    """All titles, read in chunks while they are sent."""

    def lines() -> Iterator[str]:
        for book in Book.objects.order_by("pk").iterator(chunk_size=2):
            yield f"{book.title};{book.price}\n"

    return StreamingHttpResponse(lines(), content_type="text/plain")
