"""What is done once a module is imported is done then, once, and the module is as it would be without."""

from __future__ import annotations

import sys
from importlib import import_module, reload
from importlib.machinery import SourceFileLoader
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

from proxydb.dbapi.on_import import when_imported

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import ModuleType

    Write = Callable[[str], str]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Writes a module that can be imported, and gives its name."""
    monkeypatch.syspath_prepend(tmp_path)
    name = f"awaited_{tmp_path.name}"

    def write(text: str) -> str:
        (tmp_path / f"{name}.py").write_text(text)
        return name

    yield write
    sys.modules.pop(name, None)


def test_it_is_told_once(write: Write) -> None:
    """It is called with the module whose code has run; reloading it is not importing it."""
    told: list[tuple[ModuleType, int]] = []
    name = write("value = 42")
    when_imported(name, lambda module: told.append((module, module.value)))
    module = import_module(name)
    reload(module)
    assert told == [(module, 42)]


def test_the_module_is_as_it_would_be(write: Write) -> None:
    """Its loader is Python's own, with nothing of ours."""
    name = write("")
    when_imported(name, lambda _module: None)
    spec = import_module(name).__spec__
    assert spec is not None and type(spec.loader) is SourceFileLoader and "exec_module" not in vars(spec.loader)


def test_looking_for_it_is_not_importing_it(write: Write) -> None:
    """A module that was only looked for is still waited for."""
    told: list[str] = []
    name = write("")
    when_imported(name, lambda module: told.append(module.__name__))
    assert find_spec(name) is not None and told == []
    import_module(name)
    assert told == [name]


def test_one_that_fails_is_waited_for(write: Write) -> None:
    """A module whose code raises has not been imported; the next time it may be."""
    told: list[str] = []
    name = write("raise KeyError('mine')")
    when_imported(name, lambda module: told.append(module.__name__))
    with pytest.raises(KeyError, match="mine"):
        import_module(name)
    write("value = 'longer than before, so that it is compiled again'")
    import_module(name)
    assert told == [name]


def test_one_that_is_not_there(write: Write) -> None:
    """A module that nobody finds is not found."""
    name = f"{write('')}_missing"
    when_imported(name, lambda _module: None)
    with pytest.raises(ModuleNotFoundError, match=name):
        import_module(name)


def test_namespace_packages_are_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What has no code of its own is imported, told or not."""
    monkeypatch.syspath_prepend(tmp_path)
    name = f"space_{tmp_path.name}"
    (tmp_path / name).mkdir()
    when_imported(name, lambda _module: None)
    assert import_module(name).__name__ == name
