"""Runs a statement whose rows may be kept: at first only to learn its cost, then between two looks at the label."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from time import perf_counter_ns as now
from typing import TYPE_CHECKING, Any, Final

from psycopg import Pipeline, pq
from psycopg._preparing import Prepare
from psycopg.adapt import Transformer

from proxydb.drivers.base import Filled
from proxydb.drivers.postgres.keys import shown_by
from proxydb.drivers.postgres.rows import PostgresRows

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult

    from proxydb.drivers.base import Operation, Steps
    from proxydb.drivers.postgres.asking import Asking
    from proxydb.drivers.postgres.catalog import Verdict
    from proxydb.drivers.postgres.labels import Labels

_TUPLES_OK: Final = pq.ExecStatus.TUPLES_OK


class _Trial:
    """Stands for rows that were only timed."""

    size = 0

    def get(self) -> None:
        """There are none."""


class _Probe:
    """Takes the result of a look at the label from a pipeline, in the place of a cursor."""

    result: PGresult | None = None

    def _check_results(self, _results: list[Any]) -> None:
        """If the application's statement failed, so did what came after it in the pipeline; it is the one to raise."""

    def _set_results(self, results: list[Any]) -> None:
        self.result = results[-1] if results[-1].status == _TUPLES_OK else None


class Filling:
    """The runs of one connection.

    Parameters
    ----------
    asking, labels
        The connection's questions, and its looks at the label.
    """

    __slots__ = ("_asking", "_labels")

    def __init__(self, asking: Asking, labels: Labels) -> None:
        self._asking = asking
        self._labels = labels

    def timed(self, cursor: Any, sql: str, arguments: Any, *, refused: bool) -> Steps[Filled]:
        """Run the statement as it is."""
        yield from self._labels.learn_cost(cursor._conn)
        started = now()
        yield execution(cursor, sql, arguments)
        return Filled(None if refused else _Trial(), None, now() - started)

    def labelled(
        self, cursor: Any, sql: str, arguments: Any, verdict: Verdict, key_state: tuple[Any, ...], largest: int
    ) -> Steps[Filled]:
        """Run the statement between two looks at the label.

        The label was read before the rows; only if it still stands after them is it theirs.
        """
        connection, labels = cursor._conn, self._labels
        started = now()
        run = self._in_one_trip if self._may_pipe(cursor, sql, arguments) else self._in_turn
        before, after = yield from run(cursor, sql, arguments)
        cost = max(1, now() - started - labels.check_cost)
        if cursor.pgresult is None or cursor.pgresult.status != _TUPLES_OK or before is None or after is None:
            return Filled(None, None, cost)
        first = labels.usable(labels.seen(before), connection)
        last = labels.seen(after)
        rows = PostgresRows(cursor.pgresult, cursor._query, verdict)
        if rows.size > largest:
            return Filled(None, None, cost)
        labels.ran_at(last.label)
        same = first is not None and first == last and shown_by(labels.settings, connection) == key_state
        return Filled(rows, first.label if same and first else None, cost)

    def _in_turn(self, cursor: Any, sql: str, arguments: Any) -> Steps[tuple[PGresult, PGresult]]:
        """Look, run, look: three round trips."""
        before = yield from self._asking.label(cursor._conn)
        yield execution(cursor, sql, arguments)
        after = yield from self._asking.label(cursor._conn)
        return before, after

    def _in_one_trip(self, cursor: Any, sql: str, arguments: Any) -> Steps[tuple[PGresult | None, PGresult | None]]:
        """Look, run, look, in one round trip."""
        connection = cursor._conn
        yield connection._start_query()
        if not self._asking.prepared:
            yield from self._asking.prepare(connection)
        before, after = _Probe(), _Probe()
        pipeline = connection._pipeline = Pipeline(connection)
        try:
            yield from _piped(pipeline, self._probed(pipeline, before, execution(cursor, sql, arguments), after))
        finally:
            connection._pipeline = None
        return before.result, after.result

    def _probed(self, pipeline: Pipeline, before: _Probe, run: Operation, after: _Probe) -> Steps[None]:
        self._queue(pipeline, before)
        yield run
        self._queue(pipeline, after)

    def _queue(self, pipeline: Pipeline, probe: _Probe) -> None:
        pipeline.command_queue.append(partial(pipeline.pgconn.send_query_prepared, self._asking.prepared, []))
        pipeline.result_queue.append((probe, None))  # type: ignore[arg-type]

    @staticmethod
    def _may_pipe(cursor: Any, sql: str, arguments: Any) -> bool:
        """Whether libpq has pipelines, the session prepared statements, and psycopg would not prepare this one now.

        Should preparing fail in a pipeline, psycopg would not notice.
        """
        if not Pipeline.is_supported() or cursor._conn.prepare_threshold is None:
            return False
        parameters, prepare, _ = arguments
        query = cursor._query_cls(Transformer(cursor))
        query.convert(sql, parameters)
        return cursor._get_prepared(query, prepare)[0] is not Prepare.SHOULD


def _piped(pipeline: Pipeline, steps: Steps[None]) -> Steps[None]:
    """Take steps within a pipeline, which is left whatever comes of them, as psycopg's context manager does."""
    yield pipeline._enter_gen()
    try:
        yield from steps
        yield pipeline._exit_gen()
    except BaseException as error:
        if pipeline.result_queue and not isinstance(error, GeneratorExit):
            with suppress(Exception):  # what came after the error was not done; the error itself says why
                yield pipeline._exit_gen()
        pipeline._exit(error)
        raise
    pipeline._exit(None)


def execution(cursor: Any, sql: str, arguments: Any) -> Operation:
    """The driver's own `execute`, without its lock."""
    parameters, prepare, binary = arguments
    operation: Operation = cursor._execute_gen(sql, parameters, prepare=prepare, binary=binary)
    return operation
