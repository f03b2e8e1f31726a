"""A connection that hears of changes by NOTIFY, and whose backend can be held still, as a busy machine would."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.freshness.postgres.twins import Side


class Listener:
    """Counts the notifications of the channel `changed` that have arrived.

    Parameters
    ----------
    side
        Whose database it listens in.
    """

    def __init__(self, side: Side) -> None:
        import psycopg

        self._connection = side._kept(psycopg.connect(side.dsn, autocommit=True))
        self._connection.execute("LISTEN changed")
        self._count = 0
        side.listener = self

    def count(self) -> int:
        """How many have come so far; what is still on its way is not waited for."""
        self._connection.pgconn.consume_input()
        while self._connection.pgconn.notifies():
            self._count += 1
        return self._count

    def hold(self) -> None:
        """Hold the backend still, so that it passes nothing on."""
        os.kill(self._connection.info.backend_pid, signal.SIGSTOP)

    def release(self) -> None:
        """Let the backend go on."""
        os.kill(self._connection.info.backend_pid, signal.SIGCONT)
