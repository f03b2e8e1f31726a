"""What PEP 249 asks of the module itself: both drop-ins have all that their drivers have."""

from __future__ import annotations

import inspect
import sqlite3
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg
import pytest

import proxydb.psycopg
import proxydb.sqlite3
from tests.conformance.sides import trait

if TYPE_CHECKING:
    from types import ModuleType

EXCEPTIONS = {
    "Warning": "Exception",
    "Error": "Exception",
    "InterfaceError": "Error",
    "DatabaseError": "Error",
    "DataError": "DatabaseError",
    "OperationalError": "DatabaseError",
    "IntegrityError": "DatabaseError",
    "InternalError": "DatabaseError",
    "ProgrammingError": "DatabaseError",
    "NotSupportedError": "DatabaseError",
}
CONSTRUCTORS = {
    "Date": (2024, 2, 29),
    "Time": (23, 59, 58),
    "Timestamp": (2024, 2, 29, 23, 59, 58),
    "DateFromTicks": (1_700_000_000,),
    "TimeFromTicks": (1_700_000_000,),
    "TimestampFromTicks": (1_700_000_000,),
}
TYPE_OBJECTS = ("STRING", "BINARY", "NUMBER", "DATETIME", "ROWID")
REPLACED = {
    "sqlite3": ("connect", "Connection", "Cursor"),
    "psycopg": ("connect", "Connection", "Cursor", "ClientCursor", "RawCursor", "ServerCursor", "RawServerCursor"),
}


class Modules(NamedTuple):
    """A driver and what stands in for it."""

    driver: ModuleType
    ours: ModuleType


PAIRS = [Modules(sqlite3, proxydb.sqlite3), Modules(psycopg, proxydb.psycopg)]


@pytest.fixture(params=PAIRS, ids=lambda pair: pair.driver.__name__)
def modules(request: pytest.FixtureRequest) -> Modules:
    return request.param


@pytest.mark.parametrize("name", ["apilevel", "threadsafety", "paramstyle"])
def test_globals(modules: Modules, name: str) -> None:
    """The three globals of PEP 249 have the driver's values."""
    assert getattr(modules.driver, name) == getattr(modules.ours, name)


def test_apilevel(modules: Modules) -> None:
    """The API level is the one of PEP 249."""
    assert modules.ours.apilevel == "2.0"


@pytest.mark.parametrize("name", EXCEPTIONS)
def test_exceptions(modules: Modules, name: str) -> None:
    """Each exception is the driver's own, so that both names catch it."""
    assert getattr(modules.driver, name) is getattr(modules.ours, name)


@pytest.mark.parametrize(("name", "base"), EXCEPTIONS.items())
def test_exception_tree(modules: Modules, name: str, base: str) -> None:
    """Each exception derives from the one that PEP 249 puts above it."""
    above = getattr(modules.ours, base, Exception)
    assert issubclass(getattr(modules.ours, name), above)


@pytest.mark.parametrize(("name", "base"), EXCEPTIONS.items())
def test_own_exception_tree(name: str, base: str) -> None:
    """proxydb's own errors have the shape that PEP 249 asks for."""
    above = getattr(proxydb.errors, base, Exception)
    assert issubclass(getattr(proxydb.errors, name), above)


@pytest.mark.parametrize(("name", "arguments"), CONSTRUCTORS.items())
def test_constructors(modules: Modules, name: str, arguments: tuple[Any, ...]) -> None:
    """The constructors of dates and times make what the driver's make."""
    expected, actual = getattr(modules.driver, name)(*arguments), getattr(modules.ours, name)(*arguments)
    assert (type(expected), expected) == (type(actual), actual)


def test_binary(modules: Modules) -> None:
    """`Binary` is the driver's."""
    assert modules.driver.Binary is modules.ours.Binary


@pytest.mark.parametrize("name", TYPE_OBJECTS)
def test_type_objects(modules: Modules, name: str) -> None:
    """The type objects are the driver's, where it has them."""
    assert trait(modules.driver, name) is trait(modules.ours, name)


def test_every_public_name(modules: Modules) -> None:
    """No public name of the driver is missing."""
    public = {name for name in dir(modules.driver) if not name.startswith("_")}
    assert set() == public - set(dir(modules.ours))


def test_all(modules: Modules) -> None:
    """``from … import *`` brings at least the driver's names."""
    assert set() == set(getattr(modules.driver, "__all__", ())) - set(dir(modules.ours))


def test_names_that_must_be_ours(modules: Modules) -> None:
    """What statements go through is ours, and not the driver's under another module's name."""
    names = REPLACED[modules.driver.__name__]
    assert [name for name in names if not _differs(modules, name)] == []


def test_replaced_names(modules: Modules) -> None:
    """What is not the driver's own object is a class or function in its place, made for the same use."""
    replaced = [name for name in dir(modules.driver) if not name.startswith("_") and _differs(modules, name)]
    for name in replaced:
        theirs, ours = getattr(modules.driver, name), getattr(modules.ours, name)
        assert not inspect.isclass(theirs) or issubclass(ours, theirs), name


def _differs(modules: Modules, name: str) -> bool:
    return getattr(modules.driver, name) is not getattr(modules.ours, name)


def test_connect_of_psycopg() -> None:
    """`connect` takes the arguments that psycopg's takes; that of sqlite3 is in C and does not tell."""
    expected, actual = inspect.signature(psycopg.connect), inspect.signature(proxydb.psycopg.connect)
    assert str(expected) == str(actual)


def test_submodules_of_psycopg() -> None:
    """psycopg's submodules are found as attributes, as they are in psycopg."""
    assert psycopg.rows is proxydb.psycopg.rows


def test_dbapi2_of_sqlite3() -> None:
    """`sqlite3.dbapi2` is `sqlite3` to those who take it from ours."""
    assert proxydb.sqlite3.connect is proxydb.sqlite3.dbapi2.connect
