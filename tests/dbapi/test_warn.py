"""The driver's deprecation warnings point at the application's own line, and only where the driver warns."""

from __future__ import annotations

import datetime
import sqlite3
import sys
import warnings
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

import proxydb
import proxydb.sqlite3
from proxydb.dbapi.warn import DEPRECATES, call_deprecated, warn_application

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = datetime.datetime(2024, 1, 2, 3, 4)

CALLS: dict[str, Callable[[Any, Any], Any]] = {
    "positional arguments of connect": lambda module, _: module.connect(":memory:", 5.0, 0).close(),
    "name with a sequence": lambda _, connection: connection.execute("SELECT :a", (1,)),
    "name with a sequence, on a cursor": lambda _, connection: connection.cursor().execute("SELECT :a", (1,)),
    "default adapter": lambda _, connection: connection.execute("SELECT ?", (NOW,)),
    "create_function by name": lambda _, connection: connection.create_function(name="f", narg=0, func=lambda: 1),
    "nothing deprecated": lambda _, connection: connection.execute("SELECT ?", (1,)),
    "module attribute": lambda module, _: getattr(module, "version", None),
}


def _heard(call: Callable[[Any, Any], Any], module: Any) -> list[tuple[type, str, str, int]]:
    """The warnings of a call: class, text, file and line."""
    with closing(module.connect(":memory:")) as connection, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            call(module, connection)
        except TypeError:
            return []
    return [(warning.category, str(warning.message), warning.filename, warning.lineno) for warning in caught]


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_warnings(call: Callable[[Any, Any], Any]) -> None:
    """A deprecated form warns as the driver does: same class, same text, same line of the application."""
    assert _heard(call, sqlite3) == _heard(call, proxydb.sqlite3)


def test_versions() -> None:
    """The driver deprecates something from Python 3.12 on."""
    assert (sys.version_info >= (3, 12)) == DEPRECATES


def test_every_warning_is_given() -> None:
    """A call that warns twice warns twice."""

    def twice() -> int:
        warnings.warn("one", UserWarning, stacklevel=1)
        warnings.warn("other", UserWarning, stacklevel=1)
        return 5

    with pytest.warns(UserWarning) as caught:
        result = call_deprecated(twice)
    assert (result, [str(warning.message) for warning in caught]) == (5, ["one", "other"])


def test_error_passes() -> None:
    """What a call raises comes out."""
    with pytest.raises(ZeroDivisionError):
        call_deprecated(lambda: 1 / 0)


def test_warning_of_the_application() -> None:
    """Asked by the application itself, a warning names its line."""
    with pytest.warns(UserWarning, match="here") as caught:
        warn_application("here", UserWarning)
    assert caught[0].filename == __file__


@pytest.mark.skipif(not DEPRECATES, reason="nothing is deprecated before Python 3.12")
def test_warnings_as_errors() -> None:
    """Where warnings are errors, a deprecated form raises, as on the driver."""
    with closing(proxydb.connect(":memory:")) as connection, warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(DeprecationWarning):
            connection.execute("SELECT :a", (1,))
