"""Statements that are executed many times from one place within one run of the application's code: N+1 groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from proxydb.observe.callsites import Scope, described, locate

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

MANY = 10
"""From how many executions on they are a group."""

_FAR = 1000
_OVER = -1
_ENDING = frozenset({"commit", "end", "rollback", "abort"})


class Group(NamedTuple):
    """What makes executions a group.

    Parameters
    ----------
    system, namespace
        The database.
    fingerprint
        The statement without its literals.
    site
        The line of the application, as `file:line`.
    function
        The function that the line is in.
    """

    system: str
    namespace: str
    fingerprint: str
    site: str
    function: str


class Run:
    """The executions of one statement from one place within one scope.

    Attributes
    ----------
    count
        How many there were so far.
    alarm
        At which number of them somebody is to be told.
    group
        What they are, once they are many.
    told
        How many of them have been added up.
    listed
        Whether those that have not are to be added up.
    turn
        In which of the scope's transactions they are.
    code
        The code object of the place: its address is a part of the key, so it must live as long.
    """

    __slots__ = ("alarm", "code", "count", "group", "listed", "told", "turn")

    def __init__(self, code: Any, turn: int) -> None:
        self.code = code
        self.count = 0
        self.alarm = MANY
        self.group: Group | None = None
        self.told = 0
        self.listed = False
        self.turn = turn


class Repeats:
    """The groups of this process.

    Parameters
    ----------
    tick
        Called from time to time while statements are executed.
    """

    def __init__(self, tick: Callable[[], None]) -> None:
        self._tick = tick
        self._runs: list[Run] = []
        self._folded: dict[Group, tuple[int, int, int]] = {}

    def note(self, statement: Any, frame: FrameType) -> None:
        """Count an execution of `statement` that `frame`, or what it calls for, asks for now."""
        scope: Any = frame.f_trace
        code = frame.f_code
        if type(scope) is not Scope:
            frame, scope = locate(frame)
            code = frame.f_code
        key = (statement.fingerprint, id(code) + frame.f_lasti)  # an address inside of `code`: no other has it
        run = scope.get(key)
        if run is None:
            run = self._first(statement, scope, key, code)
        elif run.turn != scope.turn:
            run = self._anew(run, scope, key)
        count = run.count = run.count + 1
        if count >= run.alarm:
            self._reached(run, statement, frame)

    def _first(self, statement: Any, scope: Scope, key: Any, code: Any) -> Run:
        """The first execution from this place; an end of a transaction is always the first."""
        self._tick()
        run = Run(code, scope.turn)
        if ends_transaction(statement.plan):
            scope.turn += 1
        else:
            scope[key] = run
        return run

    @staticmethod
    def _anew(run: Run, scope: Scope, key: Any) -> Run:
        """The first execution in another transaction; a group that was found in the last one stays what it is."""
        if run.group is not None:
            run = scope[key] = Run(run.code, scope.turn)
        run.count = 0
        run.turn = scope.turn
        return run

    def ended(self, frame: FrameType) -> None:
        """A transaction ends that `frame`, or what it calls for, has begun."""
        scope: Any = frame.f_trace
        if type(scope) is not Scope:
            scope = locate(frame)[1]
        scope.turn += 1
        self._tick()

    def _reached(self, run: Run, statement: Any, frame: FrameType) -> None:
        run.alarm = run.count + _FAR
        if run.group is None:
            database, code = statement.context.database, frame.f_code
            place = described(frame), code.co_qualname
            run.group = Group(database.system, database.namespace, statement.plan.fingerprint, *place)
        if not run.listed:
            run.listed = True
            self._runs.append(run)
            if len(self._runs) > _FAR:
                self._fold()
        self._tick()

    def _fold(self) -> None:
        """Add the runs up, so that their number does not grow; one that goes on is listed again at its next count."""
        runs, self._runs = self._runs, []
        for run in runs:
            _add(self._folded, run)
            run.told, run.listed, run.alarm = run.count, False, 0

    def groups(self) -> dict[Group, tuple[int, int, int]]:
        """For each group: how many runs it had, the executions of all, and those of the largest."""
        found = dict(self._folded)
        for run in list(self._runs):
            _add(found, run)
        return found

    def forget(self) -> None:
        """Start anew: after a fork what was counted is the parent's."""
        for run in self._runs:
            run.turn = _OVER
        self._runs, self._folded = [], {}


def _add(groups: dict[Group, tuple[int, int, int]], run: Run) -> None:
    assert run.group is not None
    runs, calls, largest = groups.get(run.group, (0, 0, 0))
    groups[run.group] = (runs + (not run.told), calls + run.count - run.told, max(largest, run.count))


def ends_transaction(plan: Any) -> bool:
    """Whether a statement ends a transaction, and not only a part of one."""
    return plan.first in _ENDING and " to " not in plan.form
