"""What names a result on a SQLite connection: the statement, its parameters with their types, the settings."""

from __future__ import annotations

import sqlite3 as driver
from typing import TYPE_CHECKING, Any, Final

from proxydb.drivers.sqlite.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Hashable

_ADAPTERS: Final[dict[Any, Any]] = driver.adapters
_PLAIN: Final = frozenset({int, float, str, bytes, bool, type(None)})


class Keys(Settings):
    """The keys of one connection's reads."""

    __slots__ = ("_adapters", "_converters")

    def __init__(self, detect_types: int, private: str) -> None:
        super().__init__(detect_types, private)
        self._adapters = -1
        self._converters: dict[str, Any] = {}

    def key(self, plan: Any, cursor: driver.Cursor, parameters: Any) -> Hashable | None:
        """What names the result of a statement on this connection; none, with a reason, when nothing can.

        Parameters of equal value and different type (1, 1.0, True) are different parameters; so are 0.0 and -0.0.
        """
        if self.functions and not self.functions.isdisjoint(plan.analysis.functions):
            return self._without_key("calls a function that the application defined")
        kind = type(parameters)
        if plan.named and kind is not dict:
            return self._without_key("a sequence of parameters for placeholders with names")
        if kind is tuple or kind is list:
            values, names = tuple(parameters), ()
        elif kind is dict:
            values, names = tuple(parameters.values()), tuple(parameters)
        else:
            return self._without_key("parameters in a container of the application's own")
        types = tuple(map(type, values))
        if not _PLAIN.issuperset(types) or (len(_ADAPTERS) != self._adapters and self._adapts_plain_types()):
            return self._without_key("a parameter of a type that has to be adapted")
        if float in types or names or self._detect_types:
            exact = tuple(map(repr, values)) if float in types else ()
            conversions = self._conversions() if self._detect_types else None
            return plan.form, plan.generation, values, types, self._settings, names, exact, conversions
        return plan.form, plan.generation, values, types, self._settings

    def _without_key(self, reason: str) -> Hashable | None:
        self.reason = reason
        return None

    def _adapts_plain_types(self) -> bool:
        """Whether the application registered an adapter for one of the types that SQLite knows itself."""
        if any(kind in _PLAIN for kind, _ in _ADAPTERS):
            return True
        self._adapters = len(_ADAPTERS)
        return False

    def _conversions(self) -> Hashable:
        """What the registered converters make of the values; they can be registered at any time."""
        converters: dict[str, Any] = driver.converters
        if converters != self._converters:
            self._converters = dict(converters)
        return self._detect_types, frozenset(self._converters.items())
