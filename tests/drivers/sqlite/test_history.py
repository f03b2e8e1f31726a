"""`History` lets a result stand while nobody, as far as is known, has changed what it was read from."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from proxydb.drivers.base import EVERYTHING
from proxydb.drivers.sqlite.history import History

if TYPE_CHECKING:
    from collections.abc import Callable

T, U, BOTH = frozenset({"t"}), frozenset({"u"}), frozenset({"t", "u"})


def _history(schema_version: Callable[[], int] = lambda: 1) -> History:
    return History(schema_version)


def _at(label: int) -> History:
    history = _history()
    history.observe(label)
    return history


def test_same_label_holds() -> None:
    """At the label that it was read at a result holds."""
    assert _at(5).holds(5, T, 5)


def test_unexplained_label_holds_nothing() -> None:
    """After a label that nobody explained nothing holds that was read before."""
    history = _at(5)
    history.observe(6)
    assert not history.holds(5, T, 6)


def test_explained_label_holds_other_tables() -> None:
    """After a commit of ours what was read from other tables holds."""
    history = _at(5)
    history.record(5, 6, T)
    assert history.holds(5, U, 6)


def test_explained_label_holds_not_the_written_table() -> None:
    """After a commit of ours what was read from its tables does not hold."""
    history = _at(5)
    history.record(5, 6, T)
    assert not history.holds(5, BOTH, 6)


def test_read_after_the_commit_holds() -> None:
    """What was read after a commit holds, also of the table that it wrote."""
    history = _at(5)
    history.record(5, 6, T)
    history.record(6, 7, U)
    assert history.holds(6, T, 7)


def test_steps_add_up() -> None:
    """Several commits of ours have changed all that each of them has."""
    history = _at(5)
    history.record(5, 6, T)
    history.record(6, 7, U)
    assert [history.holds(5, T, 7), history.holds(5, U, 7), history.holds(5, frozenset({"v"}), 7)] == [
        False,
        False,
        True,
    ]


def test_commit_of_everything_holds_nothing() -> None:
    """A commit whose write set is not known has changed everything."""
    history = _at(5)
    history.record(5, 6, EVERYTHING)
    assert not history.holds(5, T, 6)


def test_gap_before_a_step_holds_nothing() -> None:
    """A commit of ours from a label that is not known explains only its own step."""
    history = _at(5)
    history.record(7, 8, T)
    assert [history.holds(5, U, 8), history.holds(7, U, 8)] == [False, True]


def test_step_that_is_known_already() -> None:
    """When a reader saw the label first, the step is not explained any more."""
    history = _at(5)
    history.observe(6)
    history.record(5, 6, T)
    assert not history.holds(5, U, 6)


def test_future_label_does_not_hold() -> None:
    """What was read at a later label than that of now, as in an older snapshot, does not hold."""
    history = _at(5)
    history.record(5, 6, T)
    assert not history.holds(6, U, 5)


def test_old_label_is_no_news() -> None:
    """A label that is older than what is known changes nothing."""
    history = _at(5)
    history.observe(4)
    assert (history.known, history.holds(5, T, 5)) == (5, True)


def test_generation_stays_with_the_schema() -> None:
    """While the schema's version stays, an unexplained label leaves the generation."""
    history = _at(5)
    before = history.generation
    history.observe(6)
    assert history.generation == before


def test_generation_grows_with_the_schema() -> None:
    """Another version of the schema is another generation."""
    versions = iter([1, 2])
    history = _history(lambda: next(versions))
    history.observe(5)
    before = history.generation
    history.observe(6)
    assert history.generation == before + 1


def test_generation_grows_when_the_schema_cannot_be_seen() -> None:
    """When the schema's version cannot be told, it may have changed."""

    def fail() -> int:
        raise sqlite3.OperationalError("locked")

    history = _history(fail)
    history.observe(5)
    history.observe(6)
    assert history.generation == 2


def test_explained_step_leaves_the_generation() -> None:
    """A commit of rows changes no schema, and does not look at it."""
    history = _at(5)
    before = history.generation
    history.record(5, 6, T)
    assert history.generation == before


def test_free_lock() -> None:
    """A lock that was held at a fork is not held in the child."""
    history = _at(5)
    history._lock.acquire()
    history.reset_lock()
    history.observe(6)
    assert history.known == 6


TABLES = st.frozensets(st.sampled_from("tuvw"), min_size=1)


@given(st.lists(st.tuples(st.booleans(), TABLES), max_size=20), TABLES, st.data())
def test_nothing_holds_that_was_changed(
    steps: list[tuple[bool, frozenset[str]]], reads: frozenset[str], data: st.DataObject
) -> None:
    """Whatever ours and others commit, a result holds only if no step since has changed what it was read from."""
    history = _at(1)
    changed: list[frozenset[str]] = []
    for label, (ours, writes) in enumerate(steps, start=1):
        if ours:
            history.record(label, label + 1, writes)
        else:
            history.observe(label + 1)
        changed.append(writes if ours else frozenset("tuvw"))
    start = data.draw(st.integers(1, len(steps) + 1))
    unchanged = all(reads.isdisjoint(writes) for writes in changed[start - 1 :])
    assert history.holds(start, reads, len(steps) + 1) == unchanged
