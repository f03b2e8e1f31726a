"""What the catalog says of statements: asked once for each text and settings, looked at again when the label moves."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import psycopg

from proxydb.drivers.postgres import questions
from proxydb.drivers.postgres.asking import value_of
from proxydb.drivers.postgres.catalog import judge

if TYPE_CHECKING:
    from proxydb.drivers.base import Steps
    from proxydb.drivers.postgres.asking import Asking
    from proxydb.drivers.postgres.catalog import Verdict
    from proxydb.drivers.postgres.labels import Labels, Seen


MOST = 4096
"""How many verdicts are kept; one is asked for again when it is missing."""


class Verdicts:
    """The verdicts that one connection may use.

    Parameters
    ----------
    known
        By text and settings; shared by the process's connections.
    asking, labels
        The connection's questions, and its looks at the label.
    """

    __slots__ = ("_asking", "_known", "_labels")

    def __init__(self, known: dict[Any, Verdict], asking: Asking, labels: Labels) -> None:
        self._known = known
        self._asking = asking
        self._labels = labels

    def allows(self, plan: Any) -> bool:
        """Whether it is known that the statement's rows may be kept."""
        known = self._known.get((plan.form, self._labels.settings))
        return known is not None and not known.refusal

    def of(self, plan: Any, connection: Any) -> Steps[Verdict | None]:
        """What the catalog says of the statement; none, with a reason, when it cannot be told now."""
        labels = self._labels
        known = self._known.get((plan.form, labels.settings))
        if known is not None:
            return known
        first = yield from labels.look(connection)
        if first is None:
            return None
        try:
            verdict = yield from judge(plan.sql, partial(self._asking.rows, connection))
        except psycopg.Error as error:
            labels.refuse(f"the catalog cannot be read: {error}")
            return None
        last, verdict.state = yield from self._catalog_state(verdict, connection)
        if last.label != first.label:
            labels.refuse("the catalog may be changing")
            return None
        verdict.label = last.label
        self._known[plan.form, labels.settings] = verdict
        self._make_room()
        return verdict

    def _make_room(self) -> None:
        """Let the oldest verdicts go when there are more than are kept."""
        if len(self._known) > MOST:
            for key in list(self._known)[: MOST // 4]:
                self._known.pop(key, None)

    def still_stands(self, verdict: Verdict, seen: Seen, connection: Any) -> Steps[bool]:
        """Look at the catalog and at the label in one statement: the verdict holds at it, or is forgotten."""
        then, state = yield from self._catalog_state(verdict, connection)
        if state != verdict.state:
            for key in [key for key, other in self._known.items() if other is verdict]:
                self._known.pop(key, None)
            return False
        verdict.label = then.label
        return then == seen

    def _catalog_state(self, verdict: Verdict, connection: Any) -> Steps[tuple[Seen, bytes]]:
        result = yield from self._asking.ask(connection, questions.LABEL_AND_CATALOG, verdict.looked_at)
        return self._labels.seen(result), value_of(result, 2)
