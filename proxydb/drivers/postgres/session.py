"""What a Postgres connection has going on: its label, its transaction, its settings.

The rules are those of `docs/explanation/freshness.md`. Every statement of the application passes `touched`, so what is
remembered of a transaction holds only as long as nothing but answers from memory came in between.
"""

from __future__ import annotations

from contextlib import nullcontext
from functools import partial
from itertools import count
from time import perf_counter_ns as now
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import psycopg
from psycopg import errors, generators, pq
from psycopg._preparing import Prepare

from proxydb.drivers.base import NOTHING, Filled
from proxydb.drivers.postgres import questions
from proxydb.drivers.postgres.catalog import Verdict, judge
from proxydb.drivers.postgres.rows import PostgresRows
from proxydb.drivers.postgres.wording import TIMELY

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from psycopg.pq.abc import PGresult

IDLE, INTRANS = pq.TransactionStatus.IDLE, pq.TransactionStatus.INTRANS
_TUPLES_OK: Final = pq.ExecStatus.TUPLES_OK
_OLDEST_SERVER: Final = 140000
_REPORTED: Final = (b"TimeZone", b"DateStyle", b"IntervalStyle", b"client_encoding")
_NUMBERS: Final = count()
_CHURN: Final = 3
_LOOKS: Final = 4
_SERVING_COST: Final = 30_000
"""Nanoseconds that it takes to find rows and to hand them over, beside the look at the label."""


class _Trial:
    """Stands for rows that were only timed."""

    size = 0

    def get(self) -> None:
        """There are none."""


class _Probe:
    """Takes the result of a look at the label from a pipeline, in the place of a cursor."""

    result: Any = None

    def _check_results(self, _results: list[Any]) -> None:
        """If the application's statement failed, so did what came after it in the pipeline; it is the one to raise."""

    def _set_results(self, results: list[Any]) -> None:
        self.result = results[-1] if results[-1].status == _TUPLES_OK else None


class State(NamedTuple):
    """The state of a session, as label.sql tells it.

    Parameters
    ----------
    settings
        Role and settings that a result depends on.
    obstacle
        Why nothing may be served or kept in it; empty when it may.
    repeatable
        Whether the transaction's later statements see the same snapshot.
    """

    settings: bytes
    obstacle: str
    repeatable: bool


class Seen(NamedTuple):
    """What one look at the label showed: incarnation and snapshot, and the session's state."""

    label: tuple[bytes, bytes]
    state: State


class PostgresSession:
    """The state of one connection that decides what it may be served.

    Parameters
    ----------
    verdicts
        What the catalog said of statements, by text and settings; shared by the process's connections.
    execute
        The driver's own way to run a statement: called with the cursor, the text and the arguments.
    private
        Why nothing may be served on this connection; empty when it may.
    """

    __slots__ = (
        "_churn",
        "_execute",
        "_incarnation",
        "_key_state",
        "_last_label",
        "_looks",
        "_obstacle",
        "_pinned",
        "_prepared",
        "_settings",
        "_state",
        "_told",
        "_verdicts",
        "check_cost",
        "private",
        "reason",
        "unchecked",
    )

    generation = 0
    late = False

    def __init__(self, verdicts: dict[Any, Verdict], execute: Callable[..., Any], private: str = "") -> None:
        self._verdicts = verdicts
        self._execute = execute
        self.private = private
        self.reason = ""
        self.check_cost = 0
        self.unchecked = False
        self._incarnation = b""
        self._settings: bytes | None = None
        self._key_state: tuple[Any, ...] = ()
        self._pinned: Seen | None = None
        self._obstacle = ""
        self._prepared = b""
        self._told: bytes | None = None
        self._state = State(b"", "", repeatable=False)
        self._churn = self._looks = 0
        self._last_label: tuple[bytes, bytes] | None = None

    # What the executor asks ───────────────────────────────────────────────────────────────────────────────────────

    def open(self, cursor: Any) -> bool:
        """Whether an answer from memory may be thought of; else there is a reason."""
        connection = cursor._conn
        if self.private or connection.closed or cursor.closed:
            return self._refused(self.private or "the connection or the cursor is closed")
        if connection._pipeline is not None:
            return self._refused("pipeline mode")
        if connection.pgconn.parameter_status(b"standard_conforming_strings") == b"off":
            return self._refused("standard_conforming_strings is off: texts do not mean what they seem to")
        status = connection.pgconn.transaction_status
        if status == IDLE:
            self._pinned, self._obstacle = None, ""
        elif status != INTRANS:
            return self._refused("the transaction has failed, or a statement is under way")
        return self._refused(self._obstacle) if self._obstacle else True

    def key(self, plan: Any, cursor: Any, arguments: Any) -> Hashable | None:
        """What names the result of a statement on this connection: what would be sent, and how it would be shown."""
        parameters, _, binary = arguments
        connection = cursor._conn
        if self._settings is None and not self._look(connection):
            return None
        sending = self._sending(plan, cursor, parameters)
        if sending is None:
            return None
        shown = cursor.format if binary is None else int(binary)
        self._key_state = self._shown_by(connection)
        return sending, shown, self._key_state

    def _shown_by(self, connection: Any) -> tuple[Any, ...]:
        """What decides how a result looks: the settings that the last look showed, and those that the server reports.

        The server reports a setting when something else comes from it, so this is current only after a look.
        """
        return (self._settings, *map(connection.pgconn.parameter_status, _REPORTED))

    def _sending(self, plan: Any, cursor: Any, parameters: Any) -> Hashable | None:
        """What would be sent: the statement, and its parameters as psycopg dumps them."""
        if not parameters:
            return plan.form, parameters is None, cursor._query_cls
        try:
            query = cursor._query_cls(psycopg.adapt.Transformer(cursor))
            query.convert(plan.sql, parameters)
        except Exception:  # the driver raises it again, to the application
            self.reason = "parameters that cannot be sent"
            return None
        sent = tuple(map(_frozen, query.params or ()))
        if any(TIMELY.search(value) for value in sent or (query.query,) if value):
            self.reason = "a parameter such as 'now'"
            return None
        form = plan.form if sent else query.query
        return form, sent, query.types, tuple(query.formats or ()), cursor._query_cls

    def confirms(self, entry: Any, _ticket: bool, cursor: Any) -> bool:
        """Whether a read now would give what the entry holds: the label is the same, and the verdict still stands."""
        if self._churn >= _CHURN and self._pinned is None:
            return False  # others commit all the time: spare the look, the run will look too
        seen = self._pinned or self._look(cursor._conn)
        if seen is None or self._shown_by(cursor._conn) != self._key_state:
            return False
        if seen.label != entry.label:
            self._churn += 1
            return False
        self._churn = 0
        verdict: Verdict = entry.rows.verdict
        return verdict.label == seen.label or self._still_stands(verdict, seen, cursor._conn)

    def serve(self, cursor: Any, _plan: Any, rows: Any) -> bool:
        """Let `cursor` give the kept rows."""
        cursor._serve(rows)
        return True

    def may_fill(self, _cursor: Any, _ticket: bool) -> bool:
        """Whether a run may fill the cache."""
        return not self._obstacle or self._refused(self._obstacle)

    def fill(self, cursor: Any, plan: Any, sql: str, arguments: Any, _ticket: bool, largest: int) -> Filled:
        """Run the statement: at first only to learn its cost, then between two looks at the label."""
        verdict = self._verdict(cursor._conn, plan) if plan.admission.promising else None
        if verdict is None or verdict.refusal:
            return self._timed(cursor, sql, arguments, refused=verdict is not None)
        return self._labelled(cursor, sql, arguments, verdict, largest)

    def explain(self, plan: Any, cursor: Any, parameters: Any) -> tuple[frozenset[str], str]:
        """What a read reads, and why it would not be kept; empty when it would."""
        if not (self.open(cursor) and self.key(plan, cursor, (parameters or None, None, None))):
            return NOTHING, self.reason
        verdict = self._verdict(cursor._conn, plan)
        return (NOTHING, self.reason) if verdict is None else (verdict.reads, verdict.refusal)

    def schema_generation(self) -> int:
        """Always the same: a verdict is checked against the catalog itself."""
        return self.generation

    # What the connection tells ────────────────────────────────────────────────────────────────────────────────────

    def touched(self) -> None:
        """The application sent something to the server."""
        self._pinned = None

    def ended(self) -> None:
        """A command began or ended a transaction, or a part of one."""
        self._pinned, self._obstacle = None, ""

    def forgot_prepared(self) -> None:
        """The server's prepared statements were taken away, or may have been: the next has a name that is new."""
        self._prepared = b""

    def hinder(self, _name: str, reason: str) -> None:
        """Serve nothing on this connection from now on."""
        self.private = self.private or reason

    def before_write(self, _connection: Any) -> None:
        """Nothing is to be seen before a write: what it commits shows in the label."""

    def after_write(self, _cursor: Any, _before: None, _analysis: Any, _generation: int) -> None:
        """Nothing more than `touched` is to be noted."""

    def write_failed(self, _connection: Any, _analysis: Any, _generation: int) -> None:
        """Nothing more than `touched` is to be noted."""

    def before_control(self, _connection: Any) -> None:
        """Nothing is to be seen before a transaction ends: what it commits shows in the label."""

    def after_control(self, _connection: Any, _before: None) -> None:
        """A statement began or ended a transaction, or a part of one."""
        self.ended()

    def before_unknown(self, plan: Any) -> None:
        """Forget the prepared question before a statement that may take it away."""
        if plan.first in ("deallocate", "discard"):
            self.forgot_prepared()

    def after_unknown(self, _connection: Any) -> None:
        """A statement may have done anything, but nothing that the next look at the label would not show."""
        self.ended()

    # Labels ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _look(self, connection: Any) -> Seen | None:
        """Look at the label; none, with a reason, when nothing may be served or kept now."""
        if not self._incarnation and not self._identify(connection):
            return None
        started = now()
        result = self._ask(connection, questions.LABEL, None)
        cost = now() - started
        if self._looks < _LOOKS:
            self._looks += 1
            self.check_cost = _SERVING_COST + min(self.check_cost - _SERVING_COST if self._looks > 1 else cost, cost)
        return self._usable(self._seen(result), connection)

    def _usable(self, seen: Seen, connection: Any) -> Seen | None:
        state = seen.state
        self._settings = state.settings
        if state.obstacle:
            self.reason = state.obstacle
            if connection.pgconn.transaction_status == INTRANS:
                self._obstacle = state.obstacle
            return None
        if state.repeatable and connection.pgconn.transaction_status == INTRANS:
            self._pinned = seen
        return seen

    def _seen(self, result: PGresult) -> Seen:
        told = result.get_value(0, 1)
        if told != self._told:
            self._told, self._state = told, _understood(told or b"")
        return Seen((self._incarnation, result.get_value(0, 0) or b""), self._state)

    def _identify(self, connection: Any) -> bool:
        """Learn which incarnation of which server this is, once for each connection."""
        pgconn = connection.pgconn
        if pgconn.server_version < _OLDEST_SERVER:
            self.private = "a server older than Postgres 14"
        elif pgconn.parameter_status(b"in_hot_standby") == b"on":
            self.private = "a hot standby, whose snapshots have no exact label"
        else:
            self._incarnation = self._ask_safely(connection, questions.INCARNATION)
            self.private = "" if self._incarnation else "the server does not tell which incarnation it is"
        return not self.private or self._refused(self.private)

    # Filling ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _timed(self, cursor: Any, sql: str, arguments: Any, *, refused: bool) -> Filled:
        """Run the statement as it is."""
        self._learn_check_cost(cursor._conn)
        started = now()
        self._execute(cursor, sql, arguments)
        return Filled(None if refused else _Trial(), None, now() - started)

    def _learn_check_cost(self, connection: Any) -> None:
        """Look a few times: the first look prepares its question and is no measure of the others."""
        while self._looks < _LOOKS and self._look(connection):
            pass

    def _labelled(self, cursor: Any, sql: str, arguments: Any, verdict: Verdict, largest: int) -> Filled:
        """Run the statement between two looks at the label, in one round trip where libpq knows how.

        The label was read before the rows; only if it still stands after them is it theirs.
        """
        connection, key_state = cursor._conn, self._key_state
        started = now()
        with self._one_trip(connection) if not _prepares(cursor, sql, arguments) else nullcontext():
            before = self._send_probe(connection)
            self._execute(cursor, sql, arguments)
            after = self._send_probe(connection)
        cost = max(1, now() - started - self.check_cost)
        if cursor.pgresult is None or cursor.pgresult.status != _TUPLES_OK or None in (before.result, after.result):
            return Filled(None, None, cost)
        first = self._usable(self._seen(before.result), connection)
        last = self._seen(after.result)
        rows = PostgresRows(cursor.pgresult, cursor._query, verdict)
        if rows.size > largest:
            return Filled(None, None, cost)
        self._notice_calm(last.label)
        same = first is not None and first == last and self._shown_by(connection) == key_state
        return Filled(rows, first.label if same and first else None, cost)

    def _notice_calm(self, label: tuple[bytes, bytes]) -> None:
        """Two runs at the same label: looking before running is worth the while again."""
        if label == self._last_label:
            self._churn = 0
        self._last_label = label

    def _one_trip(self, connection: Any) -> Any:
        """A pipeline, where libpq and the server's session allow it."""
        if not psycopg.Pipeline.is_supported() or connection.prepare_threshold is None:
            return nullcontext()
        with connection.lock:
            connection.wait(connection._start_query())
            if not self._prepared:
                self._prepare(connection)
        return connection.pipeline()

    def _send_probe(self, connection: Any) -> _Probe:
        """Look at the label; within a pipeline the result comes when that ends."""
        probe = _Probe()
        if connection._pipeline is None:
            probe._set_results([self._ask(connection, questions.LABEL, None)])
        else:
            connection._pipeline.command_queue.append(
                partial(connection.pgconn.send_query_prepared, self._prepared, [])
            )
            connection._pipeline.result_queue.append((probe, None))
        return probe

    # Verdicts ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _verdict(self, connection: Any, plan: Any) -> Verdict | None:
        """What the catalog says of the statement; none, with a reason, when it cannot be told now."""
        known = self._verdicts.get((plan.form, self._settings))
        if known is not None:
            return known
        first = self._look(connection)
        if first is None:
            return None
        try:
            verdict = judge(plan.sql, lambda sql, values: self._ask_rows(connection, sql, values))
        except psycopg.Error as error:
            self.reason = f"the catalog cannot be read: {error}"
            return None
        last, verdict.state = self._catalog_state(verdict, connection)
        if last.label != first.label:
            self.reason = "the catalog may be changing"
            return None
        verdict.label = last.label
        self._verdicts[plan.form, self._settings] = verdict
        return verdict

    def _still_stands(self, verdict: Verdict, seen: Seen, connection: Any) -> bool:
        """Look at the catalog and at the label in one statement: the verdict holds at it, or is forgotten."""
        then, state = self._catalog_state(verdict, connection)
        if state != verdict.state:
            for key in [key for key, other in self._verdicts.items() if other is verdict]:
                self._verdicts.pop(key, None)
            return False
        verdict.label = then.label
        return then == seen

    def _catalog_state(self, verdict: Verdict, connection: Any) -> tuple[Seen, bytes]:
        result = self._ask(connection, questions.LABEL_AND_CATALOG, verdict.looked_at)
        return self._seen(result), _value(result, 2)

    # Asking ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _ask(self, connection: Any, sql: bytes, values: Sequence[bytes] | None) -> PGresult:
        """Send a question of ours on the application's connection, in its transaction.

        Raises
        ------
        psycopg.Error
            What the server said; the application's own statement would have met the same.
        """
        pgconn = connection.pgconn
        with connection.lock:
            if not connection.autocommit and pgconn.transaction_status == IDLE:
                connection.wait(connection._start_query())
            if values is None and connection.prepare_threshold is not None:
                if not self._prepared:
                    self._prepare(connection)
                pgconn.send_query_prepared(self._prepared, [])
            else:
                pgconn.send_query_params(sql, values)
            results = connection.wait(generators.execute(pgconn))
        if results[-1].status != _TUPLES_OK:
            self.forgot_prepared()
            raise errors.error_from_result(results[-1], encoding=pgconn._encoding)
        result: PGresult = results[-1]
        return result

    def _prepare(self, connection: Any) -> None:
        pgconn = connection.pgconn
        name = b"_proxydb_label_%d" % next(_NUMBERS)
        pgconn.send_prepare(name, questions.LABEL)
        (result,) = connection.wait(generators.execute(pgconn))
        if result.status == pq.ExecStatus.FATAL_ERROR:
            raise errors.error_from_result(result, encoding=pgconn._encoding)
        self._prepared = name

    def _ask_rows(self, connection: Any, sql: bytes, values: Sequence[bytes]) -> list[tuple[bytes | None, ...]]:
        result = self._ask_in_savepoint(connection, sql, values)
        return [
            tuple(result.get_value(row, column) for column in range(result.nfields)) for row in range(result.ntuples)
        ]

    def _ask_safely(self, connection: Any, sql: bytes) -> bytes:
        """The single value that a question gives; empty when it may not be asked."""
        try:
            return _value(self._ask_in_savepoint(connection, sql, []), 0)
        except psycopg.Error:
            if connection.closed:
                raise
            return b""

    def _ask_in_savepoint(self, connection: Any, sql: bytes, values: Sequence[bytes]) -> PGresult:
        """Ask what may fail without failing the application's transaction."""
        with connection.lock:
            connection.wait(connection._start_query())
        if connection.pgconn.transaction_status != INTRANS:
            return self._ask(connection, sql, values)
        self._command(connection, b"SAVEPOINT _proxydb")
        try:
            return self._ask(connection, sql, values)
        except psycopg.Error:
            self._command(connection, b"ROLLBACK TO SAVEPOINT _proxydb")
            raise
        finally:
            self._command(connection, b"RELEASE SAVEPOINT _proxydb")

    @staticmethod
    def _command(connection: Any, sql: bytes) -> None:
        with connection.lock:
            connection.pgconn.send_query(sql)
            connection.wait(generators.execute(connection.pgconn))

    def _refused(self, reason: str) -> bool:
        self.reason = reason
        return False


def _prepares(cursor: Any, sql: str, arguments: Any) -> bool:
    """Whether psycopg would prepare the statement now: should that fail in a pipeline, it would not notice."""
    parameters, prepare, _ = arguments
    query = cursor._query_cls(psycopg.adapt.Transformer(cursor))
    query.convert(sql, parameters)
    return cursor._get_prepared(query, prepare)[0] is Prepare.SHOULD


def _frozen(value: Any) -> bytes | None:
    return None if value is None else bytes(value)


def _understood(told: bytes) -> State:
    """The state of a session, from label.sql's second column."""
    written, isolation, temporary, settings = told.split(b"\x1f", 3)
    obstacle = ""
    if written:
        obstacle = "the transaction has written"
    elif isolation == b"serializable":
        obstacle = "a serializable transaction must do its reads itself"
    elif temporary == b"t":
        obstacle = "temporary objects in this session"
    return State(settings, obstacle, isolation == b"repeatable read")


def _value(result: PGresult, column: int) -> bytes:
    return result.get_value(0, column) or b""
