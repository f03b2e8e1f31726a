"""JSON of a row that is parsed when it is first read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import MemberDescriptorType


class ParsedOnDemand:
    """An attribute that takes JSON text, and gives its value, which is parsed once; what is no text is given as it is.

    Parameters
    ----------
    slot
        Where the instance keeps it.
    """

    def __init__(self, slot: MemberDescriptorType) -> None:
        self._slot = slot

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self
        value = self._slot.__get__(instance)
        if isinstance(value, str):
            value = json.loads(value)
            self._slot.__set__(instance, value)
        return value

    def __set__(self, instance: Any, value: Any) -> None:
        self._slot.__set__(instance, value)


def parse_on_demand(kind: type, *names: str) -> None:
    """Let attributes of a class with slots be `ParsedOnDemand`."""
    for name in names:
        setattr(kind, name, ParsedOnDemand(vars(kind)[name]))
