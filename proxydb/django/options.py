"""proxydb's options in Django's settings: ``"OPTIONS": {"proxydb": {"cache": "strict"}}``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from proxydb.config import Config
from proxydb.errors import ConfigError

_NAMES = tuple(field.name for field in fields(Config))


def config_of(wrapper: Any) -> Config:
    """The options of one of Django's databases: its settings first, then the PROXYDB_* variables, then the defaults.

    Parameters
    ----------
    wrapper
        Django's wrapper of a connection to the database.

    Raises
    ------
    django.core.exceptions.ImproperlyConfigured
        There is no such option, or it has no such value.
    """
    place = f"settings.DATABASES[{wrapper.alias!r}]['OPTIONS']['proxydb']"
    given = wrapper.settings_dict["OPTIONS"].get("proxydb", {})
    if not isinstance(given, Mapping):
        raise ImproperlyConfigured(f"{place} is of type {type(given).__name__}: write a dictionary of options")
    if unknown := sorted(repr(name) for name in given if name not in _NAMES):
        raise ImproperlyConfigured(f"{place} has {', '.join(unknown)}: the options are {', '.join(_NAMES)}")
    try:
        return replace(Config.from_environment(), **given)
    except ConfigError as error:
        raise ImproperlyConfigured(f"{place}: {error}") from error
