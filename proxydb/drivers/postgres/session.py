"""What a Postgres connection has going on: whether it may be served now, and what names and confirms an answer.

The rules are those of `docs/explanation/freshness.md`. What is remembered of a transaction holds only as long as
nothing but answers from memory came in between.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from psycopg import pq

from proxydb.drivers.base import NOTHING, Filled
from proxydb.drivers.postgres.asking import Asking
from proxydb.drivers.postgres.errands import before_next
from proxydb.drivers.postgres.filling import Filling, execution
from proxydb.drivers.postgres.keys import Unnamed, sending, shown_by
from proxydb.drivers.postgres.labels import CHURN, Labels
from proxydb.drivers.postgres.steps import take
from proxydb.drivers.postgres.verdicts import Verdicts
from proxydb.drivers.postgres.wording import shows_prepared

if TYPE_CHECKING:
    from collections.abc import Hashable

    from proxydb.drivers.base import Operation, Steps
    from proxydb.drivers.postgres.catalog import Verdict

_TUPLES_OK = pq.ExecStatus.TUPLES_OK
_IDLE, _INTRANS = pq.TransactionStatus.IDLE, pq.TransactionStatus.INTRANS


class PostgresSession:
    """The state of one connection that decides what it may be served.

    Parameters
    ----------
    verdicts
        What the catalog said of statements, by text and settings; shared by the process's connections.

    Attributes
    ----------
    settled
        Whether the settings of the session have been looked at.
    """

    __slots__ = ("_asking", "_filling", "_key_state", "_labels", "_verdicts", "settled", "unchecked")

    generation = 0
    late = False

    def __init__(self, verdicts: dict[Any, Verdict]) -> None:
        self._asking = Asking()
        self._labels = Labels(self._asking)
        self._verdicts = Verdicts(verdicts, self._asking, self._labels)
        self._filling = Filling(self._asking, self._labels)
        self._key_state: tuple[Any, ...] = ()
        self.settled = self.unchecked = False

    @property
    def private(self) -> str:
        """Why nothing may be served on this connection; empty when it may."""
        return self._labels.private

    @property
    def reason(self) -> str:
        """Why nothing could be served when it was last asked for."""
        return self._labels.reason

    @property
    def check_cost(self) -> int:
        """Nanoseconds that a look at the label and an answer take."""
        return self._labels.check_cost

    # What the executor asks ───────────────────────────────────────────────────────────────────────────────────────

    def open(self, cursor: Any) -> bool:
        """Whether an answer from memory may be thought of; else there is a reason."""
        connection, labels = cursor._conn, self._labels
        if labels.private or cursor._closed:
            return labels.refuse(labels.private or "the cursor is closed")
        if connection._pipeline is not None:
            return labels.refuse("pipeline mode")
        status = connection.pgconn.transaction_status
        if status == _IDLE:
            labels.pinned, labels.obstacle = None, ""
        elif status != _INTRANS:
            return labels.refuse("the transaction has failed, a statement is under way, or the connection is closed")
        if connection.pgconn.parameter_status(b"standard_conforming_strings") == b"off":
            return labels.refuse("standard_conforming_strings is off: texts do not mean what they seem to")
        return labels.refuse(labels.obstacle) if labels.obstacle else True

    def settle(self, cursor: Any) -> Steps[bool]:
        """Look at the label for the first time; whether anything may be served at it."""
        self.settled = (yield from self._labels.look(cursor._conn)) is not None
        return self.settled

    def key(self, plan: Any, cursor: Any, arguments: Any) -> Hashable | None:
        """What names the result of a statement on this connection; none, with a reason, when nothing does."""
        parameters, _, binary = arguments
        try:
            sent = sending(plan, cursor, parameters)
        except Unnamed as unnamed:
            self._labels.refuse(str(unnamed))
            return None
        shown = cursor.format if binary is None else int(binary)
        self._key_state = shown_by(self._labels.settings, cursor._conn)
        return sent, shown, self._key_state

    def confirms(self, entry: Any, cursor: Any) -> Steps[bool]:
        """Whether a read now would give what the entry holds: the label is the same, and the verdict still stands."""
        labels, connection = self._labels, cursor._conn
        seen = labels.pinned
        if seen is None:
            if labels.churn >= CHURN:
                return False  # others commit all the time: spare the look, the run will look too
            if look := labels.glance(connection):
                seen = labels.glanced((yield look), connection)
            else:
                seen = yield from labels.look(connection)
        if seen is None or shown_by(labels.settings, connection) != self._key_state:
            return False
        if seen.label != entry.label:
            labels.churn += 1
            return False
        if entry.rows.result.status != _TUPLES_OK:
            return False  # an application that was given the server's result has cleared it
        labels.churn = 0
        verdict: Verdict = entry.rows.verdict
        return verdict.label == seen.label or (yield from self._verdicts.still_stands(verdict, seen, connection))

    def will_keep(self, plan: Any) -> bool:
        """Whether a run is expected to be kept: only then is it worth while to wait for somebody else's."""
        return plan.admission.promising and self._labels.churn < CHURN and self._verdicts.allows(plan)

    def may_fill(self) -> bool:
        """Whether a run may fill the cache."""
        return not self._labels.obstacle or self._labels.refuse(self._labels.obstacle)

    def fill(self, cursor: Any, plan: Any, sql: str, arguments: Any, largest: int) -> Steps[Filled]:
        """Run the statement: at first only to learn its cost, then between two looks at the label."""
        verdict = (yield from self._verdicts.of(plan, cursor._conn)) if plan.admission.promising else None
        if verdict is None or verdict.refusal:
            return (yield from self._filling.timed(cursor, sql, arguments, refused=verdict is not None))
        return (yield from self._filling.labelled(cursor, sql, arguments, verdict, self._key_state, largest))

    def explain(self, plan: Any, cursor: Any, parameters: Any) -> tuple[frozenset[str], str]:
        """What a read reads, and why it would not be kept; empty when it would."""
        return take(cursor._conn, self._explain(plan, cursor, parameters))

    def _explain(self, plan: Any, cursor: Any, parameters: Any) -> Steps[tuple[frozenset[str], str]]:
        if not (self.open(cursor) and (self.settled or (yield from self.settle(cursor)))):
            return NOTHING, self.reason
        if self.key(plan, cursor, (parameters or None, None, None)) is None:
            return NOTHING, self.reason
        verdict = yield from self._verdicts.of(plan, cursor._conn)
        return (NOTHING, self.reason) if verdict is None else (verdict.reads, verdict.refusal)

    def schema_generation(self) -> int:
        """Always the same: a verdict is checked against the catalog itself."""
        return self.generation

    def execution(self, cursor: Any, sql: str, arguments: Any) -> Operation:
        """The driver's own `execute` as an operation."""
        self.announced(cursor._conn, sql)
        return execution(cursor, sql, arguments)

    # What the connection tells ────────────────────────────────────────────────────────────────────────────────────

    def ended(self) -> None:
        """A command began or ended a transaction, or a part of one."""
        self._labels.pinned, self._labels.obstacle = None, ""

    def forgot_prepared(self) -> None:
        """The server's prepared statements were taken away, or may have been."""
        self._asking.forget()

    def announced(self, connection: Any, query: Any) -> None:
        """A statement is about to be sent: if it may show what the session has prepared, without a question of ours."""
        with suppress(Exception):  # a text that is none: the driver says so
            if shows_prepared(query if isinstance(query, (str, bytes)) else query.as_bytes(None)):
                before_next(connection, self._asking.withdraw)

    def before_unknown(self, plan: Any, _connection: Any, _cursor: Any) -> None:
        """Forget the prepared question before a statement that may take it away."""
        if plan.first in ("deallocate", "discard"):
            self.forgot_prepared()

    def after_unknown(self, _connection: Any) -> None:
        """A statement may have done anything, but nothing that the next look at the label would not show."""
        self.ended()
