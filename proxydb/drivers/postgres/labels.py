"""Looks at the label: which state of the database a statement run now would see, and in which state the session is."""

from __future__ import annotations

from time import perf_counter_ns as now
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from psycopg import pq

from proxydb.drivers.postgres import questions
from proxydb.drivers.postgres.errands import before_next

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult

    from proxydb.drivers.base import Operation, Steps
    from proxydb.drivers.postgres.asking import Asking

_INTRANS: Final = pq.TransactionStatus.INTRANS
_OLDEST_SERVER: Final = 140000
CHURN: Final = 3
"""After how many looks in a row at which the label had moved the next run is not preceded by one."""

_LOOKS: Final = 4
_SERVING_COST: Final = 30_000
"""Nanoseconds that it takes to find rows and to hand them over, beside the look at the label."""


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


class Labels:
    """What the looks that were taken on one connection have shown.

    Parameters
    ----------
    asking
        Sends the questions.

    Attributes
    ----------
    private
        Why nothing may be served on this connection; empty when it may.
    reason
        Why nothing could be served or kept when it was last asked for.
    obstacle
        Why nothing may be served or kept in this transaction; empty when it may.
    pinned
        What all later statements of this transaction see; none when that may change.
    settings
        Role and settings at the last look; none before the first.
    churn
        How many looks in a row found another label than the one at which rows were kept.
    """

    __slots__ = (
        "_asking",
        "_cost",
        "_incarnation",
        "_last",
        "_looks",
        "_state",
        "_told",
        "churn",
        "obstacle",
        "pinned",
        "private",
        "reason",
        "settings",
    )

    def __init__(self, asking: Asking) -> None:
        self._asking = asking
        self.private = self.reason = self.obstacle = ""
        self.pinned: Seen | None = None
        self.settings: bytes | None = None
        self._incarnation = b""
        self._told: bytes | None = None
        self._state = State(b"", "", repeatable=False)
        self.churn = self._looks = self._cost = 0
        self._last: tuple[bytes, bytes] | None = None

    @property
    def check_cost(self) -> int:
        """Nanoseconds that a look and an answer take; 0 before the first look."""
        return _SERVING_COST + self._cost if self._looks else 0

    def refuse(self, reason: str) -> bool:
        """Remember why nothing can be served or kept; always false."""
        self.reason = reason
        return False

    def look(self, connection: Any) -> Steps[Seen | None]:
        """Look at the label; none, with a reason, when nothing may be served or kept now."""
        if not self._incarnation and not (yield from self._identify(connection)):
            return None
        started = now()
        result = yield from self._asking.label(connection)
        cost = now() - started
        self._cost = min(self._cost, cost) if self._looks else cost
        self._looks += 1
        return self.usable(self.seen(result), connection)

    def glance(self, connection: Any) -> Operation | None:
        """The operation that looks, whose results `glanced` reads; none where more than one is needed, or its cost.

        A hit waits for nothing else.
        """
        return self._asking.at_once(connection) if self._looks >= _LOOKS else None

    def glanced(self, results: list[PGresult], connection: Any) -> Seen | None:
        """What `look` would have given."""
        return self.usable(self.seen(self._asking.checked(results, connection)), connection)

    def learn_cost(self, connection: Any) -> Steps[None]:
        """Look once more, and at first a few times: the first look prepares its question, any may be interrupted."""
        while (yield from self.look(connection)) and self._looks < _LOOKS:
            pass

    def usable(self, seen: Seen, connection: Any) -> Seen | None:
        """What was seen; none, with a reason, when nothing may be served or kept at it."""
        state = seen.state
        self.settings = state.settings
        if state.obstacle:
            self.reason = state.obstacle
            if connection.pgconn.transaction_status == _INTRANS:
                self.obstacle = state.obstacle
            return None
        if state.repeatable and connection.pgconn.transaction_status == _INTRANS:
            self.pinned = seen
            before_next(connection, self._unpin)
        return seen

    def _unpin(self, _connection: Any) -> None:
        """The application's own statement may write what its next one would see."""
        self.pinned = None

    def seen(self, result: PGresult) -> Seen:
        """What the first two columns of a result show, which are those of label.sql."""
        told = result.get_value(0, 1)
        if told != self._told:
            self._told, self._state = told, _understood(told or b"")
        return Seen((self._incarnation, result.get_value(0, 0) or b""), self._state)

    def _identify(self, connection: Any) -> Steps[bool]:
        """Learn which incarnation of which server this is, once for each connection."""
        pgconn = connection.pgconn
        if pgconn.server_version < _OLDEST_SERVER:
            self.private = "a server older than Postgres 14"
        elif pgconn.parameter_status(b"in_hot_standby") == b"on":
            self.private = "a hot standby, whose snapshots have no exact label"
        else:
            self._incarnation = yield from self._asking.value(connection, questions.INCARNATION)
            self.private = "" if self._incarnation else "the server does not tell which incarnation it is"
        return not self.private or self.refuse(self.private)

    def ran_at(self, label: tuple[bytes, bytes]) -> None:
        """Take note of the label of a run: two in a row at the same, and looking before running is worth it again."""
        if label == self._last:
            self.churn = 0
        self._last = label


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
    elif _hides_the_catalog(settings.split(b"\x1f", 2)[1]):
        obstacle = "search_path names a schema before pg_catalog, so the catalog's own names may mean something else"
    return State(settings, obstacle, isolation == b"repeatable read")


def _hides_the_catalog(search_path: bytes) -> bool:
    """Whether a schema stands before the system's own, which is searched first where it is not named."""
    return b"pg_catalog" in [name.strip(b' "') for name in search_path.split(b",")[1:]]
