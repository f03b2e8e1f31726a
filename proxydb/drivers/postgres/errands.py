"""What has to be done before the application's next statement on a connection, whichever it is and whoever sends it.

psycopg calls `_start_query` of the connection before it sends a statement. Only a connection that has an errand has
one of ours, as an attribute of its own, so all others pay nothing.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import ref

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxydb.drivers.base import Operation

    Errand = Callable[[Any], Operation | None]


def before_next(connection: Any, errand: Errand) -> None:
    """Have `errand` done before the next statement, once.

    Parameters
    ----------
    connection
        The psycopg connection, whose lock is held or which nobody else uses.
    errand
        Called with the connection; gives an operation to wait for, or none.
    """
    hook = connection.__dict__.get("_start_query")
    if hook is None:
        hook = connection._start_query = partial(_start_after, [], ref(connection))
    if errand not in hook.args[0]:
        hook.args[0].append(errand)


def _start_after(errands: list[Errand], reference: Callable[[], Any]) -> Operation:
    """The driver's own start of a statement, after the errands."""
    connection = reference()
    del connection._start_query
    for errand in errands:
        if operation := errand(connection):
            yield from operation
    yield from connection._start_query()
