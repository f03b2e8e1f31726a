"""Takes the fields of an action out of it, each checked for its kind."""

from __future__ import annotations

import json
import re
from typing import Any

_INT64 = range(-(2**63), 2**63)
_SURROGATE = re.compile("[\ud800-\udfff]")


class FieldError(ValueError):
    """A field of an action is missing or of the wrong kind; the reader of the log adds where that was."""


def text(body: dict[str, Any], name: str) -> str:
    """A required string."""
    found = body.get(name)
    if type(found) is not str or not _is_storable(found):
        raise _wrong(name, "a string without U+0000 or half a surrogate pair", found)
    return found


def integer(body: dict[str, Any], name: str) -> int:
    """A required integer of at most 64 bits."""
    found = body.get(name)
    if type(found) is not int or found not in _INT64:
        raise _wrong(name, "an integer of 64 bits", found)
    return found


def optional_integer(body: dict[str, Any], name: str) -> int | None:
    """An integer of at most 64 bits, or None."""
    return None if body.get(name) is None else integer(body, name)


def optional_flag(body: dict[str, Any], name: str) -> bool | None:
    """A boolean, or None."""
    found = body.get(name)
    if found is not None and type(found) is not bool:
        raise _wrong(name, "true or false", found)
    return found


def string_map(body: dict[str, Any], name: str) -> str:
    """A map from strings to strings or nulls, as JSON text; a missing one is empty."""
    found = body.get(name) or {}
    if type(found) is not dict or not all(type(value) in _STRING_OR_NULL for value in found.values()):
        raise _wrong(name, "a map of strings", found)
    if _storable(found) != found:
        raise _wrong(name, "strings without U+0000 or half a surrogate pair", found)
    return _dump(found)


_STRING_OR_NULL = (str, type(None))


def string_list(body: dict[str, Any], name: str) -> str:
    """A list of strings as JSON text; a missing one is empty."""
    found = body.get(name) or []
    if type(found) is not list or not all(type(item) is str for item in found):
        raise _wrong(name, "a list of strings", found)
    return _dump(found)


def json_object(body: dict[str, Any], name: str) -> str:
    """A required string that holds a JSON object, as it stands."""
    held = text(body, name)
    _parse_object(held, name)
    return held


def statistics(body: dict[str, Any]) -> str | None:
    """The `stats` of an add, as JSON text that both databases can store, or None.

    A bound that JSON has no word for (NaN, infinity) or that no text column holds (the character U+0000, half a
    surrogate pair) is left out: an unknown bound excludes nothing, so a file is read rather than missed.
    """
    if body.get("stats") is None:
        return None
    held = text(body, "stats")
    parsed = _parse_object(held, "stats")
    return _dump(_storable(parsed)) if any(mark in held for mark in _SUSPECT) else held


_SUSPECT = ("NaN", "Infinity", "\\u0000", "\\ud", "\\uD")


def _parse_object(held: str, name: str) -> dict[str, Any]:
    try:
        found = json.loads(held)
    except (ValueError, RecursionError) as error:
        raise FieldError(f"{name!r} is not valid JSON ({error})") from None
    if type(found) is not dict:
        raise _wrong(name, "a JSON object", found)
    return found


def any_json(body: dict[str, Any], name: str) -> str | None:
    """A field of any form as JSON text, or None."""
    return None if body.get(name) is None else _dump(_storable(body[name]))


def rest(body: dict[str, Any], held: tuple[str, ...]) -> str | None:
    """The fields that are not `held` by columns, as JSON text, or None; an absent field and a null are the same."""
    others = {name: value for name, value in body.items() if value is not None and name not in held}
    if vector := others.get("deletionVector"):
        others["deletionVector"] = {name: value for name, value in vector.items() if value is not None}
    return any_json({"rest": others}, "rest") if others else None


def deletion_vector_id(body: dict[str, Any]) -> str:
    """What tells the deletion vectors of one data file apart; empty when there is none.

    References
    ----------
    Delta PROTOCOL: Deletion Vectors, Derived Fields, `uniqueId`.
    """
    vector = body.get("deletionVector")
    if vector is None:
        return ""
    if type(vector) is not dict:
        raise _wrong("deletionVector", "a JSON object", vector)
    offset = optional_integer(vector, "offset")
    return f"{text(vector, 'storageType')}{text(vector, 'pathOrInlineDv')}{'' if offset is None else f'@{offset}'}"


def _storable(value: Any) -> Any:
    """`value` without what strict JSON or a text column cannot hold."""
    if isinstance(value, dict):
        return {name: _storable(inner) for name, inner in value.items() if _is_storable(name) and _is_storable(inner)}
    if isinstance(value, list):
        return [_storable(inner) for inner in value if _is_storable(inner)]
    return value


def _is_storable(value: Any) -> bool:
    if isinstance(value, float):
        return value - value == 0  # neither NaN nor an infinity
    if isinstance(value, str):
        return "\0" not in value and (value.isascii() or not _SURROGATE.search(value))
    return True


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _wrong(name: str, expected: str, found: Any) -> FieldError:
    return FieldError(f"{name!r} has to be {expected}, not {found!r:.60}")
