"""proxydb's options in Django's settings."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from proxydb.django.options import config_of


def configured(options: dict[str, Any]) -> Any:
    """The options of a database that Django's settings describe so."""
    return config_of(SimpleNamespace(alias="default", settings_dict={"OPTIONS": options}))


def test_settings_before_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings decide, then the variables of the environment, then the defaults."""
    monkeypatch.setenv("PROXYDB_CACHE", "off")
    monkeypatch.setenv("PROXYDB_SLOW_MS", "7")
    config = configured({"proxydb": {"cache": "strict"}})
    assert (config.cache, config.slow_ms, config.plans) == ("strict", 7.0, 4096)


def test_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without options the variables decide."""
    monkeypatch.setenv("PROXYDB_CACHE", "off")
    assert configured({}).cache == "off"


MISTAKES = {
    "no such option": ({"cash": "strict", "plans": 1}, "'cash': the options are cache, cache_bytes"),
    "no such value": ({"cache": "sometimes"}, "cache is 'sometimes': choose one of 'strict', 'off'"),
    "no dictionary": ("strict", "of type str: write a dictionary of options"),
}


@pytest.mark.parametrize(("given", "message"), MISTAKES.values(), ids=MISTAKES)
def test_mistake(given: Any, message: str) -> None:
    """A mistake is an `ImproperlyConfigured` that names its place and the way out."""
    with pytest.raises(ImproperlyConfigured) as caught:
        configured({"proxydb": given})
    assert str(caught.value).startswith("settings.DATABASES['default']['OPTIONS']['proxydb']")
    assert message in str(caught.value)


def test_mistake_in_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """So is one in a variable."""
    monkeypatch.setenv("PROXYDB_PLANS", "many")
    with pytest.raises(ImproperlyConfigured, match="PROXYDB_PLANS is 'many'"):
        configured({})
