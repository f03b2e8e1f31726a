"""The public methods of our classes are called as the driver's are, and are awaited where those are."""

from __future__ import annotations

import inspect
from typing import Any

import aiosqlite
import psycopg
import pytest

import proxydb.aiosqlite
import proxydb.psycopg

KINDS = ("Connection", "Cursor", "ClientCursor", "RawCursor", "ServerCursor", "RawServerCursor")
PAIRS = [
    *((proxydb.psycopg, psycopg, prefix + kind) for prefix in ("", "Async") for kind in KINDS),
    (proxydb.aiosqlite, aiosqlite, "Connection"),
    (proxydb.aiosqlite, aiosqlite, "Cursor"),
]
OURS_ALONE = {"proxydb"}


def _called(function: Any) -> tuple[list[tuple[str, str, Any]], bool, bool]:
    """How a function is called, without annotations, and what it gives: a coroutine, an asynchronous generator."""
    parameters = inspect.signature(function).parameters.values()
    awaited = inspect.iscoroutinefunction(function), inspect.isasyncgenfunction(function)
    return [(each.name, each.kind.name, each.default) for each in parameters], *awaited


def _methods(kind: Any) -> dict[str, Any]:
    names = [name for name in dir(kind) if not name.startswith("_") or name in ("__aenter__", "__enter__", "__aiter__")]
    members = {name: getattr(kind, name) for name in names}
    return {name: _called(each) for name, each in members.items() if callable(each) and not isinstance(each, type)}


def _names(kind: Any) -> set[str]:
    return {name for name in dir(kind) if not name.startswith("_")} - OURS_ALONE


@pytest.mark.parametrize(
    ("ours", "driver", "name"), PAIRS, ids=[f"{driver.__name__}.{name}" for _, driver, name in PAIRS]
)
def test_methods_are_called_as_the_drivers(ours: Any, driver: Any, name: str) -> None:
    """Every public method of ours has the parameters and the kind of result that the driver's has."""
    assert _methods(getattr(driver, name)) == _methods(getattr(ours, name))


@pytest.mark.parametrize("name", KINDS)
def test_both_sides_differ_as_the_drivers_do(name: str) -> None:
    """What our asynchronous class has more, or less, than the other is what the driver's has."""
    ours, drivers = (
        _names(getattr(module, name)) ^ _names(getattr(module, f"Async{name}")) for module in (proxydb.psycopg, psycopg)
    )
    assert drivers == ours


def test_connect_of_aiosqlite() -> None:
    """`connect` takes proxydb's options beside aiosqlite's."""
    (ours, *_), (theirs, *_) = _called(proxydb.aiosqlite.connect), _called(aiosqlite.connect)
    assert theirs == [parameter for parameter in ours if parameter[0] != "config"]
