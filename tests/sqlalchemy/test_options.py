"""proxydb's options in a URL and in `connect_args`: typed, checked, and never seen by the driver."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import create_engine, text

from proxydb import Config
from proxydb.errors import ConfigError
from tests.sqlalchemy.urls import sqlite_url, url_of

if TYPE_CHECKING:
    from pathlib import Path

VALUES = {
    "cache": ("off", "off"),
    "cache_bytes": ("1000", 1000),
    "cache_entry_bytes": ("100", 100),
    "admission": ("0.5", 0.5),
    "plans": ("10", 10),
    "record": ("sampled", "sampled"),
    "ring": ("7", 7),
    "slow_ms": ("12.5", 12.5),
    "slow_interval": ("3", 3.0),
    "log_parameters": ("yes", True),
}


def config_of(url: Any, **options: Any) -> Config:
    """The configuration of a connection that an engine opens."""
    engine = create_engine(url, **options)
    try:
        with engine.connect() as connection:
            driver_connection: Any = connection.connection.driver_connection
            return driver_connection._context.config
    finally:
        engine.dispose()


@pytest.mark.parametrize("option", [field.name for field in fields(Config)])
def test_every_option_in_the_url(target: str, option: str) -> None:
    """Each option of `Config` stands in the URL's query as text, and arrives as what it means."""
    written, meant = VALUES[option]
    assert config_of(url_of(target, "proxydb", **{f"proxydb_{option}": written})) == Config(**{option: meant})


def test_connect_args(target: str) -> None:
    """An option in `connect_args` is a value of its own kind, and goes over the URL's."""
    config = config_of(
        url_of(target, "proxydb", proxydb_slow_ms="1", proxydb_ring="5"), connect_args={"proxydb_slow_ms": 2.5}
    )
    assert config == Config(slow_ms=2.5, ring=5)


def test_a_whole_config(target: str) -> None:
    """A `Config` in `connect_args` is what the single options go over."""
    options = {"proxydb_config": Config(cache="off", ring=5)}
    assert config_of(url_of(target, "proxydb", proxydb_ring="6"), connect_args=options) == Config(cache="off", ring=6)


def test_the_environment(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What neither sets is what the process's variables say."""
    monkeypatch.setenv("PROXYDB_CACHE", "off")
    monkeypatch.setenv("PROXYDB_RING", "5")
    assert config_of(url_of(target, "proxydb", proxydb_ring="6")) == Config(cache="off", ring=6)
    assert config_of(url_of(target, "proxydb")) == Config(cache="off", ring=5)


WRONG = {
    "proxydb_cache=sometimes": "cache is 'sometimes': choose one of 'strict', 'off'",
    "proxydb_slow_ms=fast": "proxydb_slow_ms is 'fast': write a number",
    "proxydb_ring=-1": "ring is -1: it cannot be negative",
    "proxydb_log_parameters=maybe": "proxydb_log_parameters is 'maybe': write 1 or 0",
    "proxydb_cash=off": "proxydb_cash is not an option of proxydb: did you mean proxydb_cache?",
    "proxydb_x=1": "proxydb_x is not an option of proxydb: after the prefix comes one of cache, ",
    "proxydb_ring=1&proxydb_ring=2": "proxydb_ring is given 2 times: give it once",
    "proxydb_config=off": "proxydb_config is str: give a proxydb.Config in connect_args",
}


@pytest.mark.parametrize("query", WRONG)
@pytest.mark.parametrize("address", ["sqlite+proxydb:///app.db", "postgresql+proxydb://user:secret@host/app"])
def test_a_wrong_option(address: str, query: str) -> None:
    """An option that does not exist or makes no sense is refused when the engine is made."""
    with pytest.raises(ConfigError) as refused:
        create_engine(f"{address}?{query}")
    assert str(refused.value).startswith(WRONG[query])


def test_a_wrong_option_in_connect_args(target: str) -> None:
    """One in `connect_args`, which only the first connection sees, is refused there."""
    engine = create_engine(url_of(target, "proxydb"), connect_args={"proxydb_plans": "many"})
    with pytest.raises(ConfigError, match="proxydb_plans is 'many': write a number"):
        engine.connect()
    engine.dispose()


def test_options_of_the_driver_and_of_sqlite(sqlite_path: Path) -> None:
    """Beside proxydb's options those of the driver and of a file's URI have their effect."""
    url = sqlite_url(f"file:{sqlite_path}", "proxydb", uri="true", mode="ro", timeout="3.5", proxydb_ring="5")
    engine = create_engine(url)
    arguments, keywords = engine.dialect.create_connect_args(engine.url)
    assert arguments == [f"file:{sqlite_path}?mode=ro"]
    assert {name: keywords[name] for name in ("uri", "timeout")} == {"uri": True, "timeout": 3.5}
    with engine.connect() as connection, pytest.raises(Exception, match="readonly database"):
        connection.execute(text("CREATE TABLE t (a)"))
    engine.dispose()


def test_options_of_libpq(postgres_dsn: str) -> None:
    """Beside proxydb's options libpq's have their effect."""
    engine = create_engine(url_of(postgres_dsn, "proxydb", application_name="app", proxydb_ring="5"))
    with engine.connect() as connection:
        assert connection.scalar(text("SHOW application_name")) == "app"
    engine.dispose()
