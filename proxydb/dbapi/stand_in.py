"""A function that is called in the place of a builtin one, and looks like it in every other regard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proxydb.dbapi.frameless import hide

if TYPE_CHECKING:
    from collections.abc import Callable


class StandIn:
    """Is called instead of `plain`; its type, its name and whatever else it is asked for are those of `plain`.

    Parameters
    ----------
    plain
        A builtin function, which does not bind to the instances of a class that holds it.
    call
        Called with `plain`, and with the arguments as a tuple and a dictionary.
    """

    __slots__ = ("_call", "_plain")

    def __init__(self, plain: Any, call: Callable[[Any, tuple[Any, ...], dict[str, Any]], Any]) -> None:
        self._plain = plain
        self._call = call

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        try:
            return _call_of(self)(_plain_of(self), args, kwargs)
        except BaseException as error:
            hide(error)
            raise

    def __getattribute__(self, name: str) -> Any:
        return getattr(_plain_of(self), name)

    def __eq__(self, other: object) -> bool:
        return bool(_plain_of(self) == other)

    def __hash__(self) -> int:
        return hash(_plain_of(self))

    def __repr__(self) -> str:
        return repr(_plain_of(self))


_slots = vars(StandIn)
_plain_of, _call_of = _slots["_plain"].__get__, _slots["_call"].__get__
