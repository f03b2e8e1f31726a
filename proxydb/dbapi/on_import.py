"""What is done once a module has been imported that is not imported yet."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from importlib.machinery import ModuleSpec
    from types import ModuleType

    Tell = Callable[[ModuleType], None]


class _Finder:
    """A finder that finds what the others find, and lets the module's loader tell when it has loaded it."""

    def __init__(self) -> None:
        self.awaited: dict[str, Tell] = {}
        self._asking: set[str] = set()

    def find_spec(self, name: str, _path: object = None, _target: object = None) -> ModuleSpec | None:
        if name not in self.awaited or name in self._asking:
            return None
        from importlib.util import find_spec

        self._asking.add(name)
        try:
            spec = find_spec(name)
        finally:
            self._asking.discard(name)
        loader = getattr(spec and spec.loader, "__dict__", None)
        if isinstance(loader, dict):  # an instance that is this specification's, not a class that loads whatever it may
            self._let_tell(loader)
        return spec

    def _let_tell(self, loader: dict[str, Any]) -> None:
        """What a loader's instance holds is as it was when the module is loaded."""
        awaited = self.awaited

        def exec_module(module: ModuleType) -> None:
            loader.pop("exec_module", None)
            module.__spec__.loader.exec_module(module)  # type: ignore[union-attr]
            if tell := awaited.pop(module.__name__, None):
                tell(module)

        loader["exec_module"] = exec_module


_finder = _Finder()


def when_imported(name: str, tell: Tell) -> None:
    """Call `tell` with the top-level module `name` once, when it has been imported."""
    _finder.awaited[name] = tell
    if _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)
