"""The workload finds what goes wrong when a part of the deferred maintenance on SQLite is left out."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from proxydb.views.sqlite import catalog, deferred, engine
from tests.views.shop import ROWS, SCHEMA, VIEWS, change, differences
from tests.views.test_sqlite_mutants import mutated, replaced, without

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Passes = Callable[[deferred.Log], tuple[list[str], list[str]]]

REFRESHES, CHANGES = 200, 16


@pytest.fixture
def shop() -> Iterator[sqlite3.Connection]:
    """A shop without views."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.executescript(SCHEMA + ROWS)
        yield connection


def take_for_good(shop: sqlite3.Connection, view: str) -> None:
    """Let a refresh take the triggers as they are for those that were made."""
    things = [*catalog.get(shop.execute, view).tables, *catalog.objects(shop.execute, view)]
    fingerprints = json.dumps(catalog.fingerprints(shop.execute, things))
    shop.execute("UPDATE proxydb_views SET fingerprints = ?", (fingerprints,))


def finds(shop: sqlite3.Connection, view: str) -> bool:
    """Whether the view ever differs from its query after a refresh."""
    random = Random(3)
    for _ in range(REFRESHES):
        for _ in range(random.randrange(1, CHANGES)):
            change(shop, random)
        engine.refresh(shop, view)
        if differences(shop, {view: VIEWS[view]}):
            return True
    return False


TRIGGERS: dict[str, tuple[str, str, Callable[[str], str]]] = {
    "inserted rows not noted": ("projected", "%_log_insert", without(r".")),
    "deleted rows not noted": ("projected", "%_log_delete", without(r".")),
    "a row not noted as it was": ("joined", "%_log_update", without(r"SELECT OLD")),
    "a row not noted as it is": ("projected", "%_log_update", without(r"SELECT NEW")),
    "a row with a NULL noted only once": ("part_of_a_bag", "%_log_%", replaced(r"proxydb_\d IS (\w)", r"0 IS NOT \1")),
    "the other side of a join not noted": ("joined", "proxydb_joined_1_log_%", without(r".")),
    "the table of a sub-query not noted": ("tagged", "proxydb_tagged_1_log_%", without(r".")),
}


@pytest.mark.parametrize(("view", "triggers", "mutate"), TRIGGERS.values(), ids=TRIGGERS)
def test_a_mutant_of_the_log_is_caught(
    view: str, triggers: str, mutate: Callable[[str], str], shop: sqlite3.Connection
) -> None:
    """A view whose log is not what it should be is found to differ from its query."""
    engine.create(shop, view, VIEWS[view], "deferred", None)
    assert mutated(shop, view, triggers, mutate)
    take_for_good(shop, view)
    assert finds(shop, view)


def in_one_pass(log: deferred.Log) -> tuple[list[str], list[str]]:
    """What is removed and what is put in, row by row."""
    return [], [*log.first, *log.then]


def without_first(log: deferred.Log) -> tuple[list[str], list[str]]:
    """Nothing is removed that another row may have replaced."""
    return [], list(log.then)


def without_replaced(log: deferred.Log) -> tuple[list[str], list[str]]:
    """Rows that a REPLACE removed by a unique value stay."""
    return [each for each in log.first if "COLLATE" not in each], list(log.then)


def without_then(log: deferred.Log) -> tuple[list[str], list[str]]:
    """What was removed is not put in anew."""
    return list(log.first), []


def in_two_passes(log: deferred.Log) -> tuple[list[str], list[str]]:
    """As it is done."""
    return list(log.first), list(log.then)


def refresh_by(passes: Passes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let refreshes do something else than they do."""

    def take_in(execute: Any, logs: tuple[deferred.Log, ...], tables: Any) -> int:
        changed = []
        for log in logs:
            first, then = passes(log)
            changed.append(replace(log, first=tuple(first), then=tuple(then)))
        return deferred.take_in(execute, changed, tables)

    monkeypatch.setattr(engine, "take_in", take_in)


PASSES: dict[str, tuple[str, Passes]] = {
    "no first pass": ("projected", without_first),
    "no guard against REPLACE by a unique value": ("projected", without_replaced),
    "no second pass": ("projected", without_then),
    "no units of an outer join": ("left", without_first),
    "no partitions": ("ranked", without_first),
}


@pytest.mark.parametrize(("view", "passes"), PASSES.values(), ids=PASSES)
def test_a_mutant_of_the_refresh_is_caught(
    view: str, passes: Passes, shop: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A view whose refresh does not do what it should is found to differ from its query."""
    refresh_by(passes, monkeypatch)
    engine.create(shop, view, VIEWS[view], "deferred", None)
    assert finds(shop, view)


@pytest.mark.parametrize(("passes", "exact"), [(in_one_pass, False), (in_two_passes, True)])
def test_a_unique_value_that_changes_hands(
    passes: Passes, exact: bool, shop: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row that another one's unique value came to is not taken for what a REPLACE removed; in one pass it is."""
    refresh_by(passes, monkeypatch)
    engine.create(shop, "projected", VIEWS["projected"], "deferred", None)
    for row, day in ((1, 8), (1, 9), (2, 8), (2, 7), (1, 8)):
        shop.execute("UPDATE sale SET day = ? WHERE id = ?", (day, row))
    engine.refresh(shop, "projected")
    assert (differences(shop, {"projected": VIEWS["projected"]}) == []) is exact


@pytest.mark.parametrize("view", sorted({view for view, *_ in (*TRIGGERS.values(), *PASSES.values())}))
def test_nothing_is_caught_without_a_fault(view: str, shop: sqlite3.Connection) -> None:
    """The same workload finds nothing where nothing was changed."""
    engine.create(shop, view, VIEWS[view], "deferred", None)
    assert not finds(shop, view)
