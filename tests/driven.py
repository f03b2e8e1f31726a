"""Drives asynchronous drivers from synchronous tests, so that one suite runs over both kinds.

What is driven looks like its synchronous counterpart: its coroutines are run to their end in an event loop, its
contexts are entered by `with`, its iterators are iterated by `for`, and what it gives is driven in turn.
"""

from __future__ import annotations

import asyncio
import gc
import inspect
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

import aiosqlite
import psycopg

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

_SETTERS = ("autocommit", "isolation_level", "read_only", "deferrable")
_KINDS = (
    psycopg.AsyncConnection,
    psycopg.AsyncCursor,
    psycopg.AsyncServerCursor,
    psycopg.AsyncPipeline,
    psycopg.AsyncCopy,
    psycopg.AsyncTransaction,
    aiosqlite.Connection,
    aiosqlite.Cursor,
)


class Loop:
    """An event loop that runs whenever something is driven in it."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._known: WeakValueDictionary[int, Driven] = WeakValueDictionary()

    def run(self, awaitable: Any) -> Any:
        """What the awaitable gives, driven in turn."""
        return self.driven(self._loop.run_until_complete(_awaited(awaitable)))

    def driven(self, value: Any) -> Any:
        """The value as a synchronous driver would have given it."""
        if inspect.isawaitable(value) and not isinstance(value, _KINDS):
            return self.run(value)
        if hasattr(value, "__aenter__") or hasattr(value, "__anext__"):
            return self._known.get(id(value)) or self._known.setdefault(id(value), Driven(value, self))
        return value

    def call(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, which takes and gives what is driven."""

        def call(*arguments: Any, **options: Any) -> Any:
            return self.driven(function(*map(undriven, arguments), **options))

        return call

    def close(self) -> None:
        """Let what is left in the loop end."""
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()
        gc.collect()  # a future's exception refers to the future, and through it to a cursor, which holds a lock


class Driven:
    """A connection, a cursor or anything else of an asynchronous driver."""

    def __init__(self, target: Any, loop: Loop) -> None:
        vars(self)["_target"], vars(self)["_loop"] = target, loop

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._target, name)
        if inspect.ismethod(value) or inspect.isasyncgenfunction(value):
            return self._loop.call(value)
        return self._loop.driven(value)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _SETTERS and hasattr(self._target, f"set_{name}"):
            self._loop.run(getattr(self._target, f"set_{name}")(value))
        else:
            setattr(self._target, name, value)

    def __eq__(self, other: object) -> bool:
        return bool(self._target == undriven(other))

    def __hash__(self) -> int:
        return hash(self._target)

    def __repr__(self) -> str:
        return repr(self._target)

    def __enter__(self) -> Any:
        entered = self._loop.run(self._target.__aenter__())
        return self if undriven(entered) is self._target else entered

    def __exit__(self, *exception: Any) -> Any:
        if isinstance(exception[1], psycopg.Rollback):  # it names its transaction
            exception[1].transaction = undriven(exception[1].transaction)
        return self._loop.run(self._target.__aexit__(*exception))

    def __iter__(self) -> Iterator[Any]:
        rows = self._target.__aiter__()
        while True:
            try:
                yield self._loop.run(rows.__anext__())
            except StopAsyncIteration:
                return

    def __next__(self) -> Any:
        try:
            return self._loop.run(self._target.__anext__())
        except StopAsyncIteration as stop:
            raise StopIteration(*stop.args) from None

    def close(self) -> None:
        """Generators have `aclose`, all others `close`."""
        self._loop.run((getattr(self._target, "aclose", None) or self._target.close)())


class DrivenModule:
    """A driver's module, whose asynchronous classes stand in the place of the others."""

    def __init__(self, module: ModuleType, loop: Loop) -> None:
        self._module = module
        self._loop = loop

    def __getattr__(self, name: str) -> Any:
        kind = getattr(self._module, f"Async{name}", None)
        return getattr(self._module, name) if kind is None else DrivenClass(kind, self._loop)


class DrivenClass:
    """A class of an asynchronous driver."""

    def __init__(self, kind: Any, loop: Loop) -> None:
        self._kind = kind
        self._loop = loop

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        return self._loop.call(self._kind)(*arguments, **options)

    def __getattr__(self, name: str) -> Any:
        return self._loop.call(getattr(self._kind, name))

    def __instancecheck__(self, value: Any) -> bool:
        return isinstance(undriven(value), self._kind)


async def _awaited(awaitable: Any) -> Any:
    return await awaitable


def undriven(value: Any) -> Any:
    """What the driver itself gave."""
    return vars(value)["_target"] if isinstance(value, Driven) else value
