"""What names a result on a SQLite connection: the statement, its parameters with their types, the settings."""

from __future__ import annotations

import sqlite3 as driver
from typing import TYPE_CHECKING, Any, Final

from proxydb.drivers.sqlite.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Hashable

_ADAPTERS: Final[dict[Any, Any]] = driver.adapters
_PROTOCOL: Final = driver.PrepareProtocol
_PLAIN: Final = frozenset({int, float, str, bytes, bool, type(None)})
_SPELLED: Final = frozenset("datetime.date datetime.datetime datetime.time decimal.Decimal uuid.UUID".split())
"""Types, by name, whose values cannot be changed and whose `str` has no effect but its result."""


class Keys(Settings):
    """The keys of one connection's reads."""

    __slots__ = ("_adapters", "_converted", "_converters")

    def __init__(self, detect_types: int, private: str) -> None:
        super().__init__(detect_types, private)
        self._adapters = -1
        self._converters: dict[str, Any] = {}
        self._converted = detect_types, frozenset(self._converters.items())

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
        if len(_ADAPTERS) != self._adapters and self._adapts_plain_types():
            return self._without_key("a parameter of a type that has to be adapted")
        if not _PLAIN.issuperset(types):
            if not all(map(_is_known_when_bound, types)):
                return self._without_key("a parameter of a type that has to be adapted")
            values = tuple(value if type(value) in _PLAIN else str(value) for value in values)
        if float in types or names or self._detect_types:
            exact = tuple(map(repr, values)) if float in types else ()
            conversions = self._conversions() if self._detect_types else None
            # A converter is named in a column's name, which may be an expression as it is written, comments included.
            text = plan.sql if self._detect_types & driver.PARSE_COLNAMES else plan.form
            return text, plan.generation, values, types, self._settings, names, exact, conversions
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
            self._converted = self._detect_types, frozenset(converters.items())
        return self._converted


def _is_known_when_bound(kind: type) -> bool:
    """Whether it is known what the driver makes of a value of this very type: its adapter is `str`, if it has one."""
    if kind in _PLAIN:
        return True
    return _ADAPTERS.get((kind, _PROTOCOL)) is str and f"{kind.__module__}.{kind.__qualname__}" in _SPELLED
