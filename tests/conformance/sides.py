"""The two sides of a comparison: the raw driver, and the proxied one on a database of the same content."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.driven import DrivenModule, Loop

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

SCHEMA = "CREATE TABLE planet (id integer PRIMARY KEY, name text NOT NULL, mass double precision, moons integer)"
PLANETS = [
    (1, "Mercury", 0.055, 0),
    (2, "Venus", 0.815, 0),
    (3, "Earth", 1.0, 1),
    (4, "Mars", 0.107, 2),
    (5, "木星", 317.8, 95),
    (6, "Săturn'\"%s?", None, 146),
    (7, "", 14.5, None),
]
IN_ORDER = "SELECT id, name, mass, moons FROM planet ORDER BY id"


@dataclass
class Side:
    """A driver's module and one open connection of it."""

    module: Any
    driver: ModuleType
    open: Callable[[], Any]
    open_beside: Callable[[], Any]
    connection: Any = None
    loop: Loop | None = None
    _beside: list[Any] = field(default_factory=list)

    @property
    def is_sqlite(self) -> bool:
        return self.driver.__name__ == "sqlite3"

    def sql(self, text: str) -> str:
        """`text`, whose placeholders are question marks, with the placeholders of this driver."""
        return text if self.is_sqlite else text.replace("?", "%s")

    def execute(self, text: str = IN_ORDER, *parameters: Any) -> Any:
        """A new cursor that has executed `text`."""
        cursor = self.connection.cursor()
        cursor.execute(self.sql(text), *parameters)
        return cursor

    def begin(self) -> None:
        """Have a transaction open where the driver opens none by itself, as sqlite3 before reads and DDL."""
        if self.is_sqlite:
            self.connection.execute("BEGIN")

    def rows(self, text: str = IN_ORDER, *parameters: Any) -> list[Any]:
        """All that `text` reads."""
        return list(self.execute(text, *parameters).fetchall())

    def beside(self) -> Any:
        """A connection of the raw driver to this side's database, as any other program has."""
        self._beside.append(self.open_beside())
        return self._beside[-1]

    def renew(self) -> None:
        """Go on with a new connection."""
        self.close()
        self.connection = self.open()

    def settle(self) -> None:
        """End what a fact has left open, so that the next one starts outside a transaction."""
        while self._beside:
            self._beside.pop().close()
        try:
            self.connection.rollback()
        except (self.module.Error, ValueError):  # a closed connection of aiosqlite's raises the latter
            self.renew()

    def drive(self) -> None:
        """Let the module's asynchronous classes stand in the place of the others."""
        self.loop = Loop()
        self.module = DrivenModule(self.module, self.loop)

    def close(self) -> None:
        if self.connection is not None:
            with suppress(self.module.Error):
                self.connection.close()

    def end(self) -> None:
        """Close whatever is open."""
        self.settle()
        self.close()
        if self.loop is not None:
            self.loop.close()


@dataclass
class Both:
    """The raw side, the proxied side, and how often a fact is looked at."""

    raw: Side
    proxied: Side
    executions: int

    def compare(self, fact: Callable[[Side], Any]) -> None:
        """The fact is the same on both sides each time it is looked at, the last time through a new connection."""
        for execution in range(self.executions):
            if execution and execution == self.executions - 1:
                self.raw.renew()
                self.proxied.renew()
            expected, actual = fact(self.raw), fact(self.proxied)
            assert expected == actual, f"execution {execution + 1}\nraw: {expected!r}\nproxied: {actual!r}"
            self.raw.settle()
            self.proxied.settle()


def agree(fact: Callable[[Side], Any]) -> Callable[[Both], None]:
    """Make the test that `fact`, what one side shows, is the same on both."""

    def test(both: Both) -> None:
        both.compare(fact)

    return _named_as(fact, test)


def agree_on_postgres(fact: Callable[[Side], Any]) -> Callable[[Both], None]:
    """Make the same test for Postgres only."""

    def test(both_on_postgres: Both) -> None:
        both_on_postgres.compare(fact)

    return _named_as(fact, test)


def agree_in_calls(fact: Callable[[Side], Any]) -> Callable[[Both], None]:
    """Make the same test of what asynchronous drivers do not have, or have in another way."""

    def test(both_in_calls: Both) -> None:
        both_in_calls.compare(fact)

    return _named_as(fact, test)


def _named_as(fact: Callable[[Side], Any], test: Callable[[Both], None]) -> Callable[[Both], None]:
    """Under the fact's name; `functools.wraps` would show the fact's arguments as the test's as well."""
    test.__name__, test.__doc__, test.__module__ = fact.__name__, fact.__doc__, fact.__module__
    return test


def trait(of: Any, name: str) -> Any:
    """An attribute's value; that a driver has none is a fact as well."""
    return getattr(of, name, "absent")


def outcome(call: Callable[..., Any], *arguments: Any) -> Any:
    """What the call returns, or the exception that it raises, as a value."""
    try:
        return call(*arguments)
    except Exception as error:
        return type(error), str(error)


def refusal(call: Callable[..., Any], *arguments: Any) -> tuple[type, str]:
    """The exception that the call raises, as a value; a call that is not refused is an error of the fact."""
    try:
        result = call(*arguments)
    except Exception as error:
        return type(error), str(error)
    raise AssertionError(f"not refused: {result!r}")


def columns(cursor: Any) -> Any:
    """The cursor's description as plain tuples."""
    return cursor.description and [tuple(column) for column in cursor.description]
