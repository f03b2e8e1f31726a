"""The profile of a process: what all its databases have counted, its N+1 groups and its slow statements.

There is one while profiling is on: `profiling.current`. What is counted outlives the databases and the
connections that were closed.
"""

from __future__ import annotations

import os
import threading
from time import monotonic
from typing import TYPE_CHECKING, Any

from proxydb.observe.record import Tally
from proxydb.observe.repeats import Repeats

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from proxydb.observe.recorder import Recorder
    from proxydb.observe.report import ProfileReport

_TICKS = 64
_SLOW_KEPT = 200
_RECORDERS_KEPT = 50


class Profile:
    """What one process has executed since profiling began.

    Parameters
    ----------
    quiet
        Whether slow statements are kept for the report only, and not logged.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet = quiet
        self.repeats = Repeats(self.tick)
        self.on_tick: Callable[[], None] = _nothing
        self._lock = threading.RLock()  # a signal's handler may ask while its thread is counting
        self._recorders: list[Recorder] = []
        self._tallies: dict[tuple[str, str, str], tuple[Tally, str]] = {}
        self._slow: dict[tuple[str, str, str], dict[str, Any]] = {}
        self._ticks = 0
        self.next_tick = monotonic()

    def watch(self, recorder: Recorder) -> None:
        """Take what `recorder` counts into the profile."""
        with self._lock:
            if recorder not in self._recorders:
                if len(self._recorders) >= _RECORDERS_KEPT:
                    self._let_go()
                self._recorders.append(recorder)

    def _let_go(self) -> None:
        """Add up what databases have counted that nobody uses any more."""
        for recorder in [recorder for recorder in self._recorders if recorder.idle]:
            self._add(self._tallies, recorder, recorder.drain())
            self._recorders.remove(recorder)

    def slow(self, event: dict[str, Any]) -> None:
        """A slow statement: the longest execution of each is kept, with its plan and the place that it came from."""
        key = (event["db.system.name"], event["db.namespace"], event["db.query.text"])
        with self._lock:
            known = self._slow.get(key)
            if known is None and len(self._slow) >= _SLOW_KEPT:
                return
            longest = known["db.client.operation.duration"] if known else -1.0
            if event["db.client.operation.duration"] > longest:
                self._slow[key] = event | {"plan": event["plan"] or (known["plan"] if known else [])}

    def tick(self) -> None:
        """Statements are executed: from time to time, `on_tick` is called."""
        self._ticks += 1
        if self._ticks % _TICKS == 0 and monotonic() >= self.next_tick:
            self.on_tick()

    def tallies(self) -> dict[tuple[str, str, str], tuple[Tally, str]]:
        """What was counted for each system, namespace and fingerprint, and the statement's kind."""
        with self._lock:
            found: dict[tuple[str, str, str], tuple[Tally, str]] = {}
            for key, (tally, kind) in self._tallies.items():
                _merge(found, key, tally, kind)
            for recorder in self._recorders:
                self._add(found, recorder, recorder.tallies())
            return found

    @staticmethod
    def _add(
        found: dict[tuple[str, str, str], tuple[Tally, str]], recorder: Recorder, counted: dict[str, tuple[Tally, str]]
    ) -> None:
        for fingerprint, (tally, kind) in counted.items():
            _merge(found, (recorder.system, recorder.namespace, fingerprint), tally, kind)

    def snapshot(self) -> dict[str, Any]:
        """All of it as plain values, ready for JSON and for `ProfileReport.of`."""
        with self._lock:
            slow = list(self._slow.values())
        return {
            "pid": os.getpid(),
            "statements": [
                {**dict(zip(_KEY, key, strict=True)), "kind": kind, **tally.to_dict()}
                for key, (tally, kind) in self.tallies().items()
                if tally.buckets
            ],
            "groups": [
                {**group._asdict(), "runs": runs, "calls": calls, "largest": largest}
                for group, (runs, calls, largest) in self.repeats.groups().items()
            ],
            "slow": slow,
        }

    def report(self) -> ProfileReport:
        """What was counted so far, for people and programs."""
        from proxydb.observe.report import ProfileReport

        return ProfileReport.of([self.snapshot()])

    def forget(self) -> None:
        """Start anew: after a fork what was counted is the parent's."""
        self._lock = threading.RLock()
        for recorder in self._recorders:
            recorder.forget()
        self._tallies, self._slow, self._ticks = {}, {}, -1
        self.repeats.forget()


_KEY = ("system", "namespace", "fingerprint")


def _merge(found: dict[Any, tuple[Tally, str]], key: Any, tally: Tally, kind: str) -> None:
    found.setdefault(key, (Tally(), kind))[0].merge(tally)


def _nothing() -> None:
    """Nobody wants to know."""


class Profiling:
    """Whether this process is profiled.

    Attributes
    ----------
    current
        The profile; none while profiling is off.
    note
        Called with each statement that is executed, and the frame that asks for it; none while profiling is off.
    """

    current: Profile | None = None
    note: Callable[[Any, FrameType], None] | None = None

    def start(self, *, quiet: bool = False) -> Profile:
        """Turn profiling on; the profile that there is stays."""
        if self.current is None:
            self.current = Profile(quiet=quiet)
            self.note = self.current.repeats.note
        return self.current

    def stop(self) -> None:
        """Turn profiling off; what was counted stays with whoever holds the profile."""
        self.current = self.note = None

    def after_fork(self) -> None:
        """What was counted is the parent's."""
        if self.current is not None:
            self.current.forget()


profiling = Profiling()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=profiling.after_fork)
