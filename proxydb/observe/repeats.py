"""Statements that are executed many times from one place within one run of the application's code: N+1 groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from proxydb.observe.callsites import Scope, described, locate

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, FrameType

MANY = 10
"""From how many executions on they are a group."""

EXACT, EVERY = 256, 7
"""After so many executions of a statement on a connection, one of so many is looked at, and counts for all of them."""

_FAR = 1000
_NOWHERE = -1
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
    """The executions of one statement from one place within one scope and transaction.

    Attributes
    ----------
    code, at
        The code object of the place, and the index of its instruction.
    turn
        The scope's transaction.
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
    """

    __slots__ = ("alarm", "at", "code", "count", "group", "listed", "told", "turn")

    def __init__(self, code: CodeType, at: int, turn: object) -> None:
        self.code = code
        self.at = at
        self.turn = turn
        self.count = 0
        self.alarm = MANY
        self.group: Group | None = None
        self.told = 0
        self.listed = False


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
        """Count an execution of `statement` that `frame`, or what it calls for, asks for now.

        Whoever calls this leaves as many executions out as `statement.unnoted` says then.
        """
        scope: Any = frame.f_trace
        if type(scope) is not Scope:
            frame, scope = locate(frame)
        if statement.context.ended:
            statement.context.ended, scope.turn = False, object()
        self._tick()
        run = statement.latest
        if run is None or run.at != frame.f_lasti or run.code is not frame.f_code:
            run = statement.latest = self._run(statement, frame, scope)
        elif run.turn is not scope.turn:
            if run.group is None:  # in another transaction, or another scope, it counts anew
                run.count, run.turn = 0, scope.turn
            else:
                run = statement.latest = self._run(statement, frame, scope)
        statement.noted += 1
        if statement.noted > EXACT:
            statement.unnoted = EVERY - 1
            count = run.count = run.count + EVERY
        else:
            count = run.count = run.count + 1
        if count >= run.alarm:
            self._reached(run, statement, frame)

    @staticmethod
    def _run(statement: Any, frame: FrameType, scope: Scope) -> Run:
        """The run of an execution that comes from elsewhere than the one before it."""
        code, at = frame.f_code, frame.f_lasti
        key = (statement.fingerprint, id(code) + at)  # an address inside of `code`: no other has it
        run: Run | None = scope.get(key)
        if run is not None and run.group is None:
            if run.turn is not scope.turn:
                run.count, run.turn = 0, scope.turn
            return run
        if run is not None and run.turn is scope.turn:
            return run
        if ends_transaction(statement.plan):
            scope.turn = object()
            return Run(code, _NOWHERE, scope.turn)
        run = scope[key] = Run(code, at, scope.turn)
        return run

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
            run.turn = None
        self._runs, self._folded = [], {}


def _add(groups: dict[Group, tuple[int, int, int]], run: Run) -> None:
    assert run.group is not None
    runs, calls, largest = groups.get(run.group, (0, 0, 0))
    groups[run.group] = (runs + (not run.told), calls + run.count - run.told, max(largest, run.count))


def ends_transaction(plan: Any) -> bool:
    """Whether a statement ends a transaction, and not only a part of one."""
    return plan.first in _ENDING and " to " not in plan.form
