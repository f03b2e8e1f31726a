"""Every option of proxydb: one frozen dataclass, filled from keyword arguments or PROXYDB_* variables."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, fields
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, get_args, get_type_hints

from proxydb.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

_TRUE, _FALSE = frozenset({"1", "true", "yes", "on"}), frozenset({"0", "false", "no", "off"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The options of a database, or of one connection to it.

    Parameters
    ----------
    cache
        ``"strict"`` answers repeated reads from memory, never stale; ``"off"`` sends every statement.
    cache_bytes
        Budget of the result cache of one database, in bytes of Python objects.
    cache_entry_bytes
        The largest single result that is kept, in bytes.
    admission
        A read is worth keeping when it takes more than this many times the cost of the version check.
    plans
        How many statement texts are remembered with their plans, for each database.
    record
        ``"off"``, ``"default"`` (counters and latency histograms for each fingerprint) or ``"sampled"``
        (and the ring of recent statements).
    ring
        How many recent statements the ring of ``record="sampled"`` holds.
    slow_ms
        A statement that takes longer, in milliseconds, is logged as `slow_query`; 0 logs none.
    slow_interval
        Seconds between two slow-query events of the same fingerprint; those between are counted.
    log_parameters
        Whether parameters may appear in the ring and in slow-query events.

    Raises
    ------
    proxydb.errors.ConfigError
        A value is not one of an option's own.
    """

    cache: Literal["strict", "off"] = "strict"
    cache_bytes: int = 64 * 1024 * 1024
    cache_entry_bytes: int = 8 * 1024 * 1024
    admission: float = 2.0
    plans: int = 4096
    record: Literal["off", "default", "sampled"] = "default"
    ring: int = 1024
    slow_ms: float = 500.0
    slow_interval: float = 60.0
    log_parameters: bool = False

    def __post_init__(self) -> None:
        for option, kind in _kinds().items():
            _check(option, getattr(self, option), kind)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Config:
        """The options that the PROXYDB_* variables set, such as ``PROXYDB_CACHE=off``; the rest have their defaults.

        Parameters
        ----------
        environment
            The variables; by default those of the process.
        """
        variables = os.environ if environment is None else environment
        given = {
            option: read(option, variables[variable(option)], variable(option))
            for option in _kinds()
            if variable(option) in variables
        }
        return cls(**given)


def variable(option: str) -> str:
    """The name of the environment variable that sets `option`."""
    return f"PROXYDB_{option.upper()}"


@cache
def _kinds() -> dict[str, Any]:
    hints = get_type_hints(Config)
    return {field.name: hints[field.name] for field in fields(Config)}


def read(option: str, text: str, name: str) -> Any:
    """The value that `text` means for an option, which stands there under `name`."""
    kind = _kinds()[option]
    if kind is bool:
        if text.lower() not in _TRUE | _FALSE:
            raise ConfigError(f"{name} is {text!r}: write 1 or 0")
        return text.lower() in _TRUE
    if kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            raise ConfigError(f"{name} is {text!r}: write a number") from None
    return text


def _check(option: str, value: Any, kind: Any) -> None:
    if choices := get_args(kind):
        if value not in choices:
            raise ConfigError(f"{option} is {value!r}: choose one of {', '.join(map(repr, choices))}")
    elif kind is bool:
        if not isinstance(value, bool):
            raise ConfigError(f"{option} is {value!r}: write True or False")
    elif isinstance(value, bool) or not isinstance(value, (int, kind)):
        raise ConfigError(f"{option} is {value!r}: write a number")
    elif not value >= 0:
        raise ConfigError(f"{option} is {value!r}: it cannot be negative")
    elif kind is int and value > sys.maxsize:
        raise ConfigError(f"{option} is {value!r}: it is at most {sys.maxsize}")
