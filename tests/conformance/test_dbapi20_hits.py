"""The generic suite is worth something only when its repeated reads are answered from memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.conformance.sides import Both

EVERY_WAY_TO_FETCH = {
    "fetchall": lambda cursor: cursor.fetchall(),
    "fetchone": lambda cursor: [cursor.fetchone() for _ in range(8)],
    "fetchmany": lambda cursor: [cursor.fetchmany(3) for _ in range(4)],
    "iteration": list,
}


def _hits(both: Both) -> int:
    return both.proxied.connection.proxydb.stats().hits


def test_repeated_reads_are_hits(both: Both, cache: str) -> None:
    """Of six equal reads at least four are answered from memory, and none when the cache is off."""
    for _ in range(6):
        both.proxied.rows()
    assert (cache == "strict", cache == "off") == (_hits(both) >= 4, _hits(both) == 0)


def test_every_fetch_is_served(both: Both, cache: str) -> None:
    """However the rows are fetched, a read that repeats is answered from memory."""
    for fetch in EVERY_WAY_TO_FETCH.values():
        fetch(both.proxied.execute())
    assert (cache == "strict") == (_hits(both) >= 2)


def test_hits_agree(both: Both) -> None:
    """Rows from memory are equal to the raw driver's, fetched in every way."""
    both.compare(_fetched_in_every_way)


def _fetched_in_every_way(side: Any) -> dict[str, Any]:
    return {way: fetch(side.execute()) for way, fetch in EVERY_WAY_TO_FETCH.items()}
