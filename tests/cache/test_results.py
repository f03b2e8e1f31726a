"""`ResultCache` stays within its bytes, lets the least recently used go, and has one thread fill a key."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxydb.cache.results import ENTRY_OVERHEAD, Entry, Flight, ResultCache

if TYPE_CHECKING:
    from collections.abc import Callable

ONE = ENTRY_OVERHEAD + 100


def _entry(size: int = 100, label: int = 1) -> Entry:
    return Entry(rows=[(size,)], label=label, reads=frozenset({"t"}), size=size)


def _filled(capacity: int, *keys: str) -> ResultCache:
    cache = ResultCache(capacity)
    for key in keys:
        cache.store(key, _entry())
    return cache


def _in_thread(call: Callable[[], object]) -> object:
    """What `call` gives in a thread of its own."""
    results: list[object] = []
    thread = threading.Thread(target=lambda: results.append(call()))
    thread.start()
    thread.join(10)
    return results[0]


def test_stored_entry_is_found() -> None:
    """What was stored under a key is found under it."""
    cache, entry = ResultCache(10 * ONE), _entry()
    cache.store("a", entry)
    assert cache.find("a") is entry


def test_unknown_key_is_not_found() -> None:
    """A key under which nothing was stored gives nothing."""
    assert ResultCache(ONE).find("a") is None


def test_entry_takes_the_place_of_another() -> None:
    """A second entry under a key replaces the first, and its bytes."""
    cache = _filled(10 * ONE, "a", "a")
    assert (len(cache), cache.size) == (1, ONE)


def test_size_counts_the_entries_overhead() -> None:
    """An entry takes its rows' bytes and its own."""
    assert _filled(10 * ONE, "a", "b").size == 2 * ONE


def test_capacity() -> None:
    """The capacity is the one that was asked for."""
    assert ResultCache(12345).capacity == 12345


def test_first_stored_makes_room() -> None:
    """Of entries that nobody asked for the first one makes room."""
    cache = _filled(2 * ONE, *"abc")
    assert [cache.find(key) is not None for key in "abc"] == [False, True, True]


def test_least_recently_used_makes_room() -> None:
    """An entry that is asked for again and again stays, and one that is not makes room."""
    cache = _filled(2 * ONE, "a", "b")
    for _ in range(20):
        cache.find("a")
    cache.store("c", _entry())
    assert [cache.find(key) is not None for key in "abc"] == [True, False, True]


def test_evictions_are_counted() -> None:
    """Every entry that made room for another is counted."""
    assert _filled(2 * ONE, *"abcde").evictions == 3


def test_one_large_entry_evicts_many() -> None:
    """A large entry makes as many others go as it takes."""
    cache = _filled(4 * ONE, *"abcd")
    cache.store("large", _entry(3 * ONE - ENTRY_OVERHEAD))
    assert (cache.evictions, len(cache)) == (3, 2)


def test_replaced_entry_is_no_eviction() -> None:
    """An entry under the same key is replaced, not evicted."""
    assert _filled(2 * ONE, "a", "b", "a", "b").evictions == 0


def test_fills_are_counted() -> None:
    """Everything that was stored is counted, evicted or not."""
    assert _filled(2 * ONE, *"abcab").fills == 5


def test_entry_larger_than_the_budget_is_not_kept() -> None:
    """What does not fit at all is not kept, and makes no other go."""
    cache = _filled(2 * ONE, "a", "b")
    cache.store("huge", _entry(2 * ONE))
    assert (cache.find("huge"), len(cache), cache.evictions, cache.fills) == (None, 2, 0, 2)


def test_entry_as_large_as_the_budget_is_kept() -> None:
    """What fits exactly is kept."""
    assert _filled(ONE, "a").find("a") is not None


def test_budget_of_nothing_keeps_nothing() -> None:
    """A cache of no bytes is a cache that keeps nothing."""
    assert len(_filled(0, "a")) == 0


def test_entry_larger_than_the_budget_leaves_the_old_one() -> None:
    """An entry that cannot be kept leaves the entry that it would have replaced."""
    cache, entry = ResultCache(ONE), _entry()
    cache.store("a", entry)
    cache.store("a", _entry(ONE, label=2))
    assert cache.find("a") is entry


def test_clear_forgets_everything() -> None:
    """After `clear` there are no entries and no bytes, and nothing counts as evicted."""
    cache = _filled(2 * ONE, "a", "b")
    cache.clear()
    assert (len(cache), cache.size, cache.evictions) == (0, 0, 0)


def test_cleared_entry_is_not_found() -> None:
    """After `clear` no entry is found."""
    cache = _filled(2 * ONE, "a")
    cache.clear()
    assert cache.find("a") is None


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3000)), max_size=60))
def test_budget_is_never_exceeded(stores: list[tuple[int, int]]) -> None:
    """Whatever is stored, the bytes in use are those of the entries, and no more than the budget."""
    cache = ResultCache(5000)
    for key, size in stores:
        cache.store(key, _entry(size))
        kept = [entry for key in range(10) if (entry := cache.find(key))]
        assert (sum(entry.size for entry in kept), len(kept)) == (cache.size, len(cache))
        assert cache.size <= 5000


def test_threads_stay_within_the_budget() -> None:
    """Threads that store and find at once leave the cache within its budget, with its sums right."""
    cache = ResultCache(20 * ONE)

    def use(start: int) -> None:
        for number in range(2000):
            cache.store((start + number) % 50, _entry(number % 100))
            cache.find(number % 50)

    threads = [threading.Thread(target=use, args=(start,)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kept = [entry.size for key in range(50) if (entry := cache.find(key))]
    assert (sum(kept), 8000) == (cache.size, cache.fills)


def test_first_to_miss_is_the_pilot() -> None:
    """Who misses a key first fills it."""
    assert ResultCache(ONE).join("a") is None


def test_second_to_miss_waits() -> None:
    """Another thread that misses the same key is given the flight to wait for."""
    cache = ResultCache(ONE)
    cache.join("a")
    assert isinstance(_in_thread(lambda: cache.join("a")), Flight)


def test_other_key_is_another_flight() -> None:
    """A thread that misses another key fills that one."""
    cache = ResultCache(ONE)
    cache.join("a")
    assert _in_thread(lambda: cache.join("b")) is None


def test_pilot_does_not_wait_for_itself() -> None:
    """A thread that misses the key that it is filling, on another connection, does not wait."""
    cache = ResultCache(ONE)
    cache.join("a")
    assert cache.join("a") is None


def test_landing_wakes_who_waits() -> None:
    """Who waits for a flight goes on when it lands."""
    cache = ResultCache(ONE)
    cache.join("a")
    flight = _in_thread(lambda: cache.join("a"))
    cache.land("a")
    assert isinstance(flight, Flight) and flight.landed.is_set()


def test_next_to_miss_after_a_landing_is_the_pilot() -> None:
    """After a flight has landed without storing anything the next to miss fills the key."""
    cache = ResultCache(ONE)
    cache.join("a")
    cache.land("a")
    assert _in_thread(lambda: cache.join("a")) is None


def test_flight_that_does_not_land_is_given_up() -> None:
    """Who has waited long enough lets nobody else wait: the next to miss is the pilot."""
    cache = ResultCache(ONE)
    cache.join("a")
    flight = _in_thread(lambda: cache.join("a"))
    assert isinstance(flight, Flight)
    flight.wait(0.001)
    assert _in_thread(lambda: cache.join("a")) is None


def test_given_up_flight_leaves_the_next_one_alone() -> None:
    """A flight is given up once; one that has begun since goes on."""
    cache = ResultCache(ONE)
    cache.join("a")
    flight = _in_thread(lambda: cache.join("a"))
    assert isinstance(flight, Flight)
    cache.land("a")
    cache.join("a")
    flight.give_up()
    assert isinstance(_in_thread(lambda: cache.join("a")), Flight)


def test_landing_twice_is_harmless() -> None:
    """A key that nobody is filling can be landed."""
    cache = ResultCache(ONE)
    assert cache.land("a") is None


@pytest.mark.parametrize("key", ["a", "b"])
def test_reset_forgets_entries_and_flights(key: str) -> None:
    """In a child process nothing is kept, and nobody waits for a thread of the parent."""
    cache = _filled(2 * ONE, "a")
    cache.join("b")
    cache.reset_locks()
    assert (cache.find(key), _in_thread(lambda: cache.join(key))) == (None, None)


def test_reset_frees_a_held_lock() -> None:
    """A lock that another thread of the parent held at the fork does not stop the child."""
    cache = _filled(2 * ONE, "a")
    cache._lock.acquire()
    cache.reset_locks()
    cache.store("b", _entry())
    assert cache.find("b") is not None


def test_own_flight_of_a_task() -> None:
    """Who does not block its thread waits for a flight of the same thread, too: another task's."""
    cache = ResultCache(ONE)
    assert (cache.join("a", blocking=False), cache.join("a")) == (None, None)
    assert isinstance(cache.join("a", blocking=False), Flight)


def test_call_when_a_flight_lands() -> None:
    """A call that is asked for is made when the flight lands, or at once when it has."""
    flight, calls = Flight({}, "a"), []
    flight.when_landed(lambda: calls.append("before"))
    assert calls == []
    flight.land()
    flight.when_landed(lambda: calls.append("after"))
    assert calls == ["before", "after"]
