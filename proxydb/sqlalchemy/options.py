"""proxydb's options in a URL's query and in `connect_args`: taken out before the driver sees the rest."""

from __future__ import annotations

from dataclasses import fields, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from proxydb.config import Config, read
from proxydb.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "proxydb_"
WHOLE = "proxydb_config"
OPTIONS = [field.name for field in fields(Config)]


def ours(given: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the options that are proxydb's, by their names with the prefix."""
    return {name: value for name, value in given.items() if name.startswith(PREFIX)}


def config_of(given: Mapping[str, Any]) -> Config:
    """The configuration that options in a URL or in `connect_args` make.

    Parameters
    ----------
    given
        Values by names such as ``proxydb_cache``, as text or as what `Config` takes. ``proxydb_config`` is a whole
        `Config`, over which the single ones go; without it they go over the PROXYDB_* variables.

    Raises
    ------
    proxydb.errors.ConfigError
        An option does not exist, is given twice, or has a value that is not one of its own.
    """
    single = dict(given)
    whole = single.pop(WHOLE, None)
    if not isinstance(whole, Config | None):
        raise ConfigError(f"{WHOLE} is {type(whole).__name__}: give a proxydb.Config in connect_args")
    return replace(whole or Config.from_environment(), **{_option(name): _value(name, single[name]) for name in single})


def _option(name: str) -> str:
    option = name.removeprefix(PREFIX)
    if option not in OPTIONS:
        near = get_close_matches(option, OPTIONS, n=1)
        meant = f"did you mean {PREFIX}{near[0]}?" if near else f"after the prefix comes one of {', '.join(OPTIONS)}"
        raise ConfigError(f"{name} is not an option of proxydb: {meant}")
    return option


def _value(name: str, value: Any) -> Any:
    if isinstance(value, tuple):
        raise ConfigError(f"{name} is given {len(value)} times: give it once")
    return read(_option(name), value, name) if isinstance(value, str) else value
