"""Whether a case measured what its title says, told from what the proxy has counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def no_hits(proxied: Any) -> Callable[[], str]:
    """Every run went to the database."""

    def complaint() -> str:
        stats = proxied.proxydb.stats()
        return f"{stats.hits} hits" if stats.hits else ""

    return complaint


def hits_only(proxied: Any) -> Callable[[], str]:
    """All but a few first runs were answered from memory."""

    def complaint() -> str:
        stats = proxied.proxydb.stats()
        return "" if stats.hits > 50 * stats.misses else f"{stats.hits} hits, {stats.misses} misses"

    return complaint


def mostly_hits_from_now_on(proxied: Any) -> Callable[[], str]:
    """Of the reads that might be kept and came after this call, all but a few were answered from memory."""
    before = proxied.proxydb.stats()

    def complaint() -> str:
        after = proxied.proxydb.stats()
        hits, misses = after.hits - before.hits, after.misses - before.misses
        return "" if hits > 5 * misses else f"{hits} hits, {misses} misses"

    return complaint


def fills_only(proxied: Any) -> Callable[[], str]:
    """No run was answered from memory, and all but a few first ones were kept."""

    def complaint() -> str:
        stats = proxied.proxydb.stats()
        return "" if not stats.hits and stats.fills > 0.9 * stats.misses else f"{stats.hits} hits, {stats.fills} fills"

    return complaint


def has_entries(proxied: Any, entries: int) -> Callable[[], str]:
    """At least so many results were in memory all the time."""

    def complaint() -> str:
        held = proxied.proxydb.stats().entries
        return "" if held >= entries else f"only {held} results in memory"

    return complaint
