"""What names the result of a Postgres statement: what would be sent, and how the result would be shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from psycopg.adapt import Transformer

from proxydb.drivers.postgres.wording import TIMELY

if TYPE_CHECKING:
    from collections.abc import Hashable

_REPORTED: Final = (b"TimeZone", b"DateStyle", b"IntervalStyle", b"client_encoding")


class Unnamed(Exception):
    """What a statement would give has no name; the message is the reason."""


def sending(plan: Any, cursor: Any, parameters: Any) -> Hashable:
    """What would be sent: the statement, and its parameters as psycopg dumps them.

    Raises
    ------
    Unnamed
        The parameters cannot be sent, or mean something else at another time.
    """
    try:
        if not parameters:
            return plan.form, parameters is None, cursor._query_cls
        query = cursor._query_cls(Transformer(cursor))
        query.convert(plan.sql, parameters)
    except Exception as error:  # the driver raises it again, to the application
        raise Unnamed("parameters that cannot be sent") from error
    sent = tuple(map(_frozen, query.params or ()))
    for value in sent or (query.query,):
        if value and TIMELY.search(value):
            raise Unnamed("a parameter such as 'now'")
    form = plan.form if sent else query.query
    return form, sent, query.types, tuple(query.formats or ()), cursor._query_cls


def shown_by(settings: bytes | None, connection: Any) -> tuple[Any, ...]:
    """What decides how a result looks: the settings that the last look showed, and those that the server reports.

    The server reports a setting when something else comes from it, so this is current only after a look.
    """
    return (settings, *map(connection.pgconn.parameter_status, _REPORTED))


def _frozen(value: Any) -> bytes | None:
    return None if value is None else bytes(value)
