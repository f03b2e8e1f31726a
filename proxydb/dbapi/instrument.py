"""`install` and `uninstall`: the drivers' own `connect` opens proxied connections, for an application left as it is."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress
from functools import wraps
from typing import TYPE_CHECKING, Any

from proxydb.dbapi.frameless import frameless
from proxydb.dbapi.on_import import when_imported
from proxydb.dbapi.stand_in import StandIn
from proxydb.observe.profile import profiling

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType, ModuleType

    from proxydb.config import Config
    from proxydb.observe.profile import Profile

_OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_NOT_SWEPT = ("proxydb", "_sqlite3")


class Instrument:
    """What `install` has changed in this process, and the options that it was given."""

    def __init__(self) -> None:
        self.config: Config | None = None
        self._lock = threading.RLock()
        self._hooked: set[str] = set()
        self._undo: dict[str, Callable[[], None]] = {}

    def install(self, config: Config | None = None, *, quiet: bool = False) -> Profile:
        """Let `sqlite3.connect` and psycopg's `connect` open proxied connections, and profile the process.

        Connections that are open already stay as they are. A driver that is not loaded yet is patched when it is. To
        install again changes the options of the connections that are opened from then on.

        Parameters
        ----------
        config
            The options of the connections; by default those of the PROXYDB_* variables.
        quiet
            Whether slow statements are kept for the report only, and not logged.

        Returns
        -------
        Profile
            What the process executes from now on; its `report()` is for people and programs.
        """
        from proxydb.config import Config

        with self._lock:
            self.config = config or Config.from_environment()
            profile = profiling.start(quiet=quiet)
            for name in _PATCHES:
                if name in sys.modules:
                    self._patch(sys.modules[name])
                elif name not in self._hooked:
                    when_imported(name, self._patch)
                self._hooked.add(name)
        return profile

    def uninstall(self) -> None:
        """Give the drivers their own `connect` back, wherever it was replaced, and end the profile.

        Connections that were opened meanwhile stay as they are.
        """
        with self._lock:
            self.config = None
            profiling.stop()
            while self._undo:
                self._undo.popitem()[1]()

    def _patch(self, module: ModuleType) -> None:
        """Patch a driver, unless that is done already or not wanted any more; a fault must not break its import."""
        name = module.__name__
        with self._lock, suppress(Exception):
            if self.config is not None and name not in self._undo:
                self._undo[name] = _PATCHES[name](module)


_instrument = Instrument()
install, uninstall = _instrument.install, _instrument.uninstall


def call_before(owner: Any, name: str, before: Callable[[], None]) -> None:
    """Let the builtin function `name` of a module call `before` first; it stays so."""

    def call(plain: Any, args: Any, kwargs: Any) -> Any:
        before()
        return plain(*args, **kwargs)

    setattr(owner, name, StandIn(getattr(owner, name), call))


def _patch_sqlite3(module: Any) -> Callable[[], None]:
    from proxydb.dbapi import observed_sqlite, sqlite

    def connect(plain: Any, args: Any, kwargs: Any) -> Any:
        if (config := _instrument.config) is None or _is_ours(sys._getframe(2)):
            return plain(*args, **kwargs)
        connection = sqlite.connect_as(observed_sqlite.Connection, args, kwargs)
        connection._config = config
        return connection

    plain = module.connect
    patched = StandIn(plain, connect)
    _replace(plain, patched)
    return lambda: _replace(patched, plain)


def _patch_psycopg(module: Any) -> Callable[[], None]:
    """Patch the class method `connect` of both connection classes, and the module's `connect`, which is one of them."""
    from proxydb.dbapi import observed_postgres

    undo = [
        _patch_class_method(module.Connection, observed_postgres.Connection, _opening),
        _patch_class_method(module.AsyncConnection, observed_postgres.AsyncConnection, _opening_async),
    ]
    plain, patched = module.connect, module.Connection.connect
    _replace(plain, patched)
    undo.append(lambda: _replace(patched, plain))

    def undo_all() -> None:
        for each in undo:
            each()

    return undo_all


def _patch_class_method(kind: Any, ours: Any, opening: Callable[..., Any]) -> Callable[[], None]:
    from proxydb.dbapi.mixing import with_ours
    from proxydb.dbapi.postgres_linked import LinkedConnection

    plain = vars(kind)["connect"]

    @wraps(plain.__func__)
    def connect(cls: Any, *args: Any, **kwargs: Any) -> Any:
        if (config := _instrument.config) is None or issubclass(cls, LinkedConnection) or _is_ours(sys._getframe(2)):
            return plain.__func__(cls, *args, **kwargs)
        return opening(plain.__func__(with_ours(cls, ours), *args, **kwargs), config)

    kind.connect = classmethod(frameless(connect))
    return lambda: setattr(kind, "connect", plain)


def _opening(connection: Any, config: Config) -> Any:
    connection._config = config
    return connection


async def _opening_async(connection: Any, config: Config) -> Any:
    return _opening(await connection, config)


_PATCHES = {"sqlite3": _patch_sqlite3, "psycopg": _patch_psycopg}


def _is_ours(frame: FrameType) -> bool:
    """Whether it is proxydb itself that asks: then it wants the driver's own connection."""
    return frame.f_code.co_filename.startswith(_OURS)


def _replace(old: Any, new: Any) -> None:
    """Put `new` where a module, or a class in it, names `old`: also where it was imported from the driver before."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] not in _NOT_SWEPT and (names := getattr(module, "__dict__", None)):
            _replace_in(names, name, old, new)


def _replace_in(names: dict[str, Any], module: str, old: Any, new: Any) -> None:
    for name, value in list(names.items()):
        if value is old:
            names[name] = new
        elif issubclass(type(value), type) and getattr(value, "__module__", None) == module:
            _replace_in_class(value, old, new)


def _replace_in_class(kind: type, old: Any, new: Any) -> None:
    for name, value in list(vars(kind).items()):
        if value is old:
            setattr(kind, name, new)
        elif type(value) is staticmethod and value.__func__ is old:
            before = _static.pop((kind, name), None)
            if before is None or before.__func__ is not new:
                before, _static[kind, name] = staticmethod(new), value
            setattr(kind, name, before)


_static: dict[tuple[type, str], staticmethod[..., Any]] = {}
"""The static methods of classes that were replaced, so that the very same can be put back."""
