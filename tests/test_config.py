"""`Config` takes every option from keywords and from PROXYDB_* variables, and refuses what makes no sense."""

from __future__ import annotations

from contextlib import closing
from dataclasses import FrozenInstanceError, fields
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import proxydb
from proxydb.config import Config, variable
from proxydb.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

DEFAULTS = {
    "cache": "strict",
    "cache_bytes": 64 * 1024 * 1024,
    "cache_entry_bytes": 8 * 1024 * 1024,
    "admission": 2.0,
    "plans": 4096,
    "record": "default",
    "ring": 1024,
    "slow_ms": 500.0,
    "slow_interval": 60.0,
    "log_parameters": False,
}
VALUES = [
    ("cache", "strict", "strict"),
    ("cache", "off", "off"),
    ("cache_bytes", "1000", 1000),
    ("cache_bytes", "0", 0),
    ("cache_entry_bytes", "1000", 1000),
    ("admission", "0", 0.0),
    ("admission", "1.5", 1.5),
    ("plans", "10", 10),
    ("record", "off", "off"),
    ("record", "default", "default"),
    ("record", "sampled", "sampled"),
    ("ring", "5", 5),
    ("slow_ms", "0.5", 0.5),
    ("slow_ms", "0", 0.0),
    ("slow_ms", "inf", float("inf")),
    ("slow_interval", "0", 0.0),
    ("log_parameters", "1", True),
    ("log_parameters", "TRUE", True),
    ("log_parameters", "yes", True),
    ("log_parameters", "on", True),
    ("log_parameters", "0", False),
    ("log_parameters", "False", False),
    ("log_parameters", "no", False),
    ("log_parameters", "off", False),
]
NUMBERS = ["cache_bytes", "cache_entry_bytes", "admission", "plans", "ring", "slow_ms", "slow_interval"]
CHOICES = {"cache": "'strict', 'off'", "record": "'off', 'default', 'sampled'"}
BAD_NUMBERS = ["5", None, True, [], 1j]


def test_defaults() -> None:
    """Every option has a default."""
    assert {field.name: getattr(Config(), field.name) for field in fields(Config)} == DEFAULTS


@pytest.mark.parametrize(("option", "_text", "value"), VALUES)
def test_keyword(option: str, _text: str, value: Any) -> None:
    """Every option can be given by its name."""
    assert getattr(Config(**{option: value}), option) == value


@pytest.mark.parametrize(("option", "text", "value"), VALUES)
def test_variable(option: str, text: str, value: Any) -> None:
    """Every option can be set by its variable, and only that one changes."""
    assert Config.from_environment({f"PROXYDB_{option.upper()}": text}) == Config(**{option: value})


def test_variables_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """By default the variables are those of the process."""
    monkeypatch.setenv("PROXYDB_PLANS", "7")
    assert Config.from_environment().plans == 7


def test_several_variables() -> None:
    """Several variables set several options."""
    given = Config.from_environment({"PROXYDB_CACHE": "off", "PROXYDB_RING": "3", "PATH": "/bin"})
    assert given == Config(cache="off", ring=3)


@pytest.mark.parametrize("option", DEFAULTS)
def test_name_of_the_variable(option: str) -> None:
    """A variable is named as its option, in capitals."""
    assert variable(option) == "PROXYDB_" + option.upper()


@pytest.mark.parametrize("option", CHOICES)
@pytest.mark.parametrize("value", ["maybe", "", "STRICT", None, 1])
def test_unknown_choice(option: str, value: Any) -> None:
    """A choice that does not exist is refused with those that do."""
    with pytest.raises(ConfigError) as refused:
        Config(**{option: value})
    assert str(refused.value) == f"{option} is {value!r}: choose one of {CHOICES[option]}"


@pytest.mark.parametrize("option", NUMBERS)
@pytest.mark.parametrize("value", BAD_NUMBERS, ids=repr)
def test_not_a_number(option: str, value: Any) -> None:
    """What is no number is refused."""
    with pytest.raises(ConfigError) as refused:
        Config(**{option: value})
    assert str(refused.value) == f"{option} is {value!r}: write a number"


@pytest.mark.parametrize("option", NUMBERS)
def test_negative_number(option: str) -> None:
    """A negative number is refused."""
    with pytest.raises(ConfigError) as refused:
        Config(**{option: -1})
    assert str(refused.value) == f"{option} is -1: it cannot be negative"


@pytest.mark.parametrize("option", ["admission", "slow_ms", "slow_interval"])
def test_not_a_number_at_all(option: str) -> None:
    """The float that is not a number is refused, too."""
    with pytest.raises(ConfigError, match=f"^{option} is nan: "):
        Config(**{option: float("nan")})


@pytest.mark.parametrize("option", ["cache_bytes", "cache_entry_bytes", "plans", "ring"])
def test_fraction_of_a_whole_number(option: str) -> None:
    """Where bytes or things are counted a fraction is refused."""
    with pytest.raises(ConfigError, match=f"^{option} is 1.5: write a number$"):
        Config(**{option: 1.5})


@pytest.mark.parametrize("value", [1, 0, "1", None])
def test_not_a_truth_value(value: Any) -> None:
    """A switch is True or False."""
    with pytest.raises(ConfigError) as refused:
        Config(log_parameters=value)
    assert str(refused.value) == f"log_parameters is {value!r}: write True or False"


@pytest.mark.parametrize("option", NUMBERS)
@pytest.mark.parametrize("text", ["", "many", "1,5", "0x10"])
def test_variable_that_is_not_a_number(option: str, text: str) -> None:
    """A variable that holds no number is refused by the variable's name."""
    with pytest.raises(ConfigError) as refused:
        Config.from_environment({variable(option): text})
    assert str(refused.value) == f"{variable(option)} is {text!r}: write a number"


@pytest.mark.parametrize("text", ["", "2", "maybe"])
def test_variable_that_is_not_a_truth_value(text: str) -> None:
    """A variable that is neither yes nor no is refused."""
    with pytest.raises(ConfigError) as refused:
        Config.from_environment({"PROXYDB_LOG_PARAMETERS": text})
    assert str(refused.value) == f"PROXYDB_LOG_PARAMETERS is {text!r}: write 1 or 0"


@given(option=st.sampled_from(sorted(DEFAULTS)), text=st.text(max_size=8))
def test_any_text_of_a_variable(option: str, text: str) -> None:
    """Any text makes a configuration or a `ConfigError`."""
    try:
        assert isinstance(Config.from_environment({variable(option): text}), Config)
    except ConfigError as refused:
        assert option in str(refused).lower()


def test_unknown_option() -> None:
    """An option that does not exist is a TypeError, as with any function."""
    with pytest.raises(TypeError, match="cash"):
        Config(cash="off")


def test_options_are_named() -> None:
    """Options have no order."""
    with pytest.raises(TypeError, match="positional"):
        Config("off")  # type: ignore[misc]


def test_frozen() -> None:
    """A configuration does not change."""
    with pytest.raises(FrozenInstanceError):
        Config().plans = 5  # type: ignore[misc]


def test_connection_obeys_its_config(sqlite_path: Path) -> None:
    """The options that `connect` is given are those of the database."""
    with closing(proxydb.connect(sqlite_path, config=Config(plans=17))) as connection:
        assert connection.proxydb.config.plans == 17


def test_connection_obeys_the_variables(sqlite_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without options the PROXYDB_* variables are those of the database."""
    monkeypatch.setenv("PROXYDB_PLANS", "18")
    with closing(proxydb.connect(sqlite_path)) as connection:
        assert connection.proxydb.config.plans == 18


def test_every_option_is_described() -> None:
    """The docstring of `Config` describes every option."""
    described = [line.strip() for line in str(Config.__doc__).splitlines()]
    assert [option for option in DEFAULTS if option not in described] == []
