"""What a Postgres connection has going on: whether it may be served now, and what names and confirms an answer.

The rules are those of `docs/explanation/freshness.md`. Every statement of the application passes `touched`, so what is
remembered of a transaction holds only as long as nothing but answers from memory came in between.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg import pq

from proxydb.drivers.base import NOTHING, Filled
from proxydb.drivers.postgres.asking import Asking
from proxydb.drivers.postgres.filling import Filling
from proxydb.drivers.postgres.keys import Unnamed, sending, shown_by
from proxydb.drivers.postgres.labels import Labels
from proxydb.drivers.postgres.steps import take
from proxydb.drivers.postgres.verdicts import Verdicts

if TYPE_CHECKING:
    from collections.abc import Hashable

    from proxydb.drivers.postgres.catalog import Verdict
    from proxydb.drivers.postgres.steps import Steps

_IDLE, _INTRANS = pq.TransactionStatus.IDLE, pq.TransactionStatus.INTRANS


class PostgresSession:
    """The state of one connection that decides what it may be served.

    Parameters
    ----------
    verdicts
        What the catalog said of statements, by text and settings; shared by the process's connections.
    """

    __slots__ = ("_asking", "_filling", "_key_state", "_labels", "_verdicts", "unchecked")

    generation = 0
    late = False

    def __init__(self, verdicts: dict[Any, Verdict]) -> None:
        self._asking = Asking()
        self._labels = Labels(self._asking)
        self._verdicts = Verdicts(verdicts, self._asking, self._labels)
        self._filling = Filling(self._asking, self._labels)
        self._key_state: tuple[Any, ...] = ()
        self.unchecked = False

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
        if labels.private or connection.closed or cursor.closed:
            return labels.refuse(labels.private or "the connection or the cursor is closed")
        if connection._pipeline is not None:
            return labels.refuse("pipeline mode")
        if connection.pgconn.parameter_status(b"standard_conforming_strings") == b"off":
            return labels.refuse("standard_conforming_strings is off: texts do not mean what they seem to")
        status = connection.pgconn.transaction_status
        if status == _IDLE:
            labels.pinned, labels.obstacle = None, ""
        elif status != _INTRANS:
            return labels.refuse("the transaction has failed, or a statement is under way")
        return labels.refuse(labels.obstacle) if labels.obstacle else True

    def key(self, plan: Any, cursor: Any, arguments: Any) -> Hashable | None:
        """What names the result of a statement on this connection; none, with a reason, when nothing does."""
        return take(cursor._conn, self._key(plan, cursor, arguments))

    def _key(self, plan: Any, cursor: Any, arguments: Any) -> Steps[Hashable | None]:
        parameters, _, binary = arguments
        labels, connection = self._labels, cursor._conn
        if labels.settings is None and not (yield from labels.look(connection)):
            return None
        try:
            sent = sending(plan, cursor, parameters)
        except Unnamed as unnamed:
            labels.refuse(str(unnamed))
            return None
        shown = cursor.format if binary is None else int(binary)
        self._key_state = shown_by(labels.settings, connection)
        return sent, shown, self._key_state

    def confirms(self, entry: Any, _ticket: bool, cursor: Any) -> bool:
        """Whether a read now would give what the entry holds: the label is the same, and the verdict still stands."""
        return take(cursor._conn, self._confirms(entry, cursor))

    def _confirms(self, entry: Any, cursor: Any) -> Steps[bool]:
        labels, connection = self._labels, cursor._conn
        if labels.churning:
            return False  # spare the look, the run will look too
        seen = labels.pinned or (yield from labels.look(connection))
        if seen is None or shown_by(labels.settings, connection) != self._key_state:
            return False
        if not labels.found(same=seen.label == entry.label):
            return False
        return (yield from self._verdicts.still_stands(entry.rows.verdict, seen, connection))

    def serve(self, cursor: Any, _plan: Any, rows: Any) -> bool:
        """Let `cursor` give the kept rows."""
        cursor._serve(rows)
        return True

    def may_fill(self, _cursor: Any, _ticket: bool) -> bool:
        """Whether a run may fill the cache."""
        return not self._labels.obstacle or self._labels.refuse(self._labels.obstacle)

    def fill(self, cursor: Any, plan: Any, sql: str, arguments: Any, _ticket: bool, largest: int) -> Filled:
        """Run the statement: at first only to learn its cost, then between two looks at the label."""
        return take(cursor._conn, self._fill(cursor, plan, sql, arguments, largest))

    def _fill(self, cursor: Any, plan: Any, sql: str, arguments: Any, largest: int) -> Steps[Filled]:
        verdict = (yield from self._verdicts.of(plan, cursor._conn)) if plan.admission.promising else None
        if verdict is None or verdict.refusal:
            return (yield from self._filling.timed(cursor, sql, arguments, refused=verdict is not None))
        return (yield from self._filling.labelled(cursor, sql, arguments, verdict, self._key_state, largest))

    def explain(self, plan: Any, cursor: Any, parameters: Any) -> tuple[frozenset[str], str]:
        """What a read reads, and why it would not be kept; empty when it would."""
        if not (self.open(cursor) and self.key(plan, cursor, (parameters or None, None, None))):
            return NOTHING, self.reason
        verdict = take(cursor._conn, self._verdicts.of(plan, cursor._conn))
        return (NOTHING, self.reason) if verdict is None else (verdict.reads, verdict.refusal)

    def schema_generation(self) -> int:
        """Always the same: a verdict is checked against the catalog itself."""
        return self.generation

    # What the connection tells ────────────────────────────────────────────────────────────────────────────────────

    def touched(self) -> None:
        """The application sent something to the server."""
        self._labels.pinned = None

    def ended(self) -> None:
        """A command began or ended a transaction, or a part of one."""
        self._labels.pinned, self._labels.obstacle = None, ""

    def forgot_prepared(self) -> None:
        """The server's prepared statements were taken away, or may have been."""
        self._asking.forget()

    def hinder(self, _name: str, reason: str) -> None:
        """Serve nothing on this connection from now on."""
        self._labels.private = self._labels.private or reason

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
