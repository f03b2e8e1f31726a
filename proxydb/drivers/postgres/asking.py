"""Sends questions of proxydb's own on the application's connection, in its transaction."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg import errors, generators, pq

from proxydb.drivers.postgres import questions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg.pq.abc import PGresult

    from proxydb.drivers.base import Operation, Steps

_IDLE, _INTRANS, _INERROR = pq.TransactionStatus.IDLE, pq.TransactionStatus.INTRANS, pq.TransactionStatus.INERROR
_COMMAND_OK, _TUPLES_OK = pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK
_AT_REST: Final = (_IDLE, _INTRANS)
_NUMBERS: Final = count()


class Asking:
    """What one connection knows of the questions that were put on it: the name under which the label's is prepared.

    The steps raise `psycopg.Error` with what the server said; the application's own statement would have met the same.
    """

    __slots__ = ("prepared",)

    def __init__(self) -> None:
        self.prepared = b""

    def forget(self) -> None:
        """The server's prepared statements were taken away, or may have been: the next has a name that is new."""
        self.prepared = b""

    def withdraw(self, connection: Any) -> Operation | None:
        """Take the prepared question back, so that nobody finds it among what the session has prepared, if possible."""
        if not self.prepared or connection._pipeline or connection.pgconn.transaction_status not in _AT_REST:
            return None
        connection.pgconn.send_query(b"DEALLOCATE " + self.prepared)
        self.forget()
        taking: Operation = generators.execute(connection.pgconn)
        return taking

    def at_once(self, connection: Any) -> Operation | None:
        """The operation that asks for the label; none when something would have to be sent before it."""
        pgconn = connection.pgconn
        is_begun = connection._autocommit or pgconn.transaction_status != _IDLE
        if not (is_begun and self.prepared) or connection._prepared.prepare_threshold is None:
            return None
        pgconn.send_query_prepared(self.prepared, [])
        operation: Operation = generators.execute(pgconn)
        return operation

    def label(self, connection: Any) -> Steps[PGresult]:
        """What label.sql gives now."""
        if connection.prepare_threshold is None:
            return (yield from self.ask(connection, questions.LABEL, None))
        if not connection._autocommit and connection.pgconn.transaction_status == _IDLE:
            yield connection._start_query()
        if not self.prepared:
            yield from self.prepare(connection)
        connection.pgconn.send_query_prepared(self.prepared, [])
        return self.checked((yield generators.execute(connection.pgconn)), connection)

    def ask(self, connection: Any, sql: bytes, values: Sequence[bytes] | None) -> Steps[PGresult]:
        """What a question gives, with text parameters."""
        if not connection._autocommit and connection.pgconn.transaction_status == _IDLE:
            yield connection._start_query()
        connection.pgconn.send_query_params(sql, values)
        return self.checked((yield generators.execute(connection.pgconn)), connection)

    def rows(self, connection: Any, sql: bytes, values: Sequence[bytes]) -> Steps[list[tuple[bytes | None, ...]]]:
        """The rows that a question gives, which may not be allowed."""
        result = yield from self._ask_in_savepoint(connection, sql, values)
        return [
            tuple(result.get_value(row, column) for column in range(result.nfields)) for row in range(result.ntuples)
        ]

    def value(self, connection: Any, sql: bytes) -> Steps[bytes]:
        """The single value that a question gives; empty when it may not be asked."""
        try:
            result = yield from self._ask_in_savepoint(connection, sql, [])
        except psycopg.Error:
            if connection.pgconn.transaction_status not in _AT_REST:
                raise
            return b""
        return value_of(result, 0)

    def prepare(self, connection: Any) -> Steps[None]:
        """Prepare the question for the label."""
        pgconn = connection.pgconn
        name = b"_proxydb_label_%d" % next(_NUMBERS)
        pgconn.send_prepare(name, questions.LABEL)
        (result,) = yield generators.execute(pgconn)
        if result.status == pq.ExecStatus.FATAL_ERROR:
            raise errors.error_from_result(result, encoding=pgconn._encoding)
        self.prepared = name

    def checked(self, results: list[PGresult], connection: Any) -> PGresult:
        """The last of the results, which must be rows."""
        result = results[-1]
        if result.status != _TUPLES_OK:
            self.forget()
            raise errors.error_from_result(result, encoding=connection.pgconn._encoding)
        return result

    def _ask_in_savepoint(self, connection: Any, sql: bytes, values: Sequence[bytes]) -> Steps[PGresult]:
        """Ask what may fail without failing the application's transaction."""
        yield connection._start_query()
        if connection.pgconn.transaction_status != _INTRANS:
            return (yield from self.ask(connection, sql, values))
        yield from _command(connection, b"SAVEPOINT _proxydb")
        try:
            result = yield from self.ask(connection, sql, values)
        except psycopg.Error:
            if connection.pgconn.transaction_status == _INERROR:
                yield from _command(connection, b"ROLLBACK TO SAVEPOINT _proxydb")
                yield from _command(connection, b"RELEASE SAVEPOINT _proxydb")
            raise
        yield from _command(connection, b"RELEASE SAVEPOINT _proxydb")
        return result


def _command(connection: Any, sql: bytes) -> Steps[None]:
    connection.pgconn.send_query(sql)
    result = (yield generators.execute(connection.pgconn))[-1]
    if result.status != _COMMAND_OK:
        raise errors.error_from_result(result, encoding=connection.pgconn._encoding)


def value_of(result: PGresult, column: int) -> bytes:
    """The first row's value in a column; empty for NULL."""
    return result.get_value(0, column) or b""
