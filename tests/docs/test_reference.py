"""The reference names every option, every command and every public name."""

from __future__ import annotations

import argparse
from contextlib import closing
from dataclasses import fields
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import pytest

import proxydb
from proxydb import aio, aiosqlite, errors, psycopg, sqlite3
from proxydb.cli.arguments import make_parser
from proxydb.config import Config, variable
from proxydb.database import Database
from proxydb.explanation import Explanation
from proxydb.observe.recorder import Recent
from proxydb.observe.stats import StatementStats, Stats
from tests.docs.pages import reference

API, CLI, CONFIG = reference("api"), reference("cli"), reference("config")
ERRORS = [name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, Exception)]
OURS = [
    f"{module.__name__}.{name}"
    for module in (sqlite3, psycopg, aiosqlite)
    for name, value in vars(module).items()
    if isinstance(value, type) and value is not getattr(module._driver, name, value) and not name.startswith("_")
]


def public(thing: object) -> list[str]:
    """The public attributes that a class or an instance has of its own."""
    return [name for name in vars(thing) if not name.startswith("_")]


@pytest.mark.parametrize("field", fields(Config), ids=lambda field: field.name)
def test_an_option(field: Any) -> None:
    """Each option has a line with its variable and its default."""
    default = f'"{field.default}"' if isinstance(field.default, str) else repr(field.default)
    assert f"| `{field.name}` | `{variable(field.name)}` | `{default}` |" in CONFIG


@pytest.mark.parametrize("name", proxydb.__all__)
def test_a_name_of_the_package(name: str) -> None:
    """Each public name stands in the table of the package."""
    assert f"| `proxydb.{name}" in API


@pytest.mark.parametrize("name", aio.__all__)
def test_a_name_of_aio(name: str) -> None:
    """Each public name for event loops stands in their section."""
    assert f"`{name}`" in API.split("## Event loops", 1)[1] or f"`proxydb.aio.{name}(" in API


@pytest.mark.parametrize("name", OURS)
def test_a_class_of_a_drop_in(name: str) -> None:
    """Each class that is not the driver's own is named with its module."""
    module, _, kind = name.rpartition(".")
    [line] = [line for line in API.splitlines() if line.startswith(f"| `{module}` |")]
    assert f"`{kind}`" in line


def test_the_attributes_of_the_database() -> None:
    """Each public attribute of `Database` is named, those of the class and those of an instance."""
    with closing(proxydb.connect(":memory:")) as connection:
        names = {*public(Database), *public(connection.proxydb)}
    assert [name for name in sorted(names) if f"`{name}" not in API] == []


@pytest.mark.parametrize("kind", [Stats, StatementStats, Explanation])
def test_the_fields_of_a_snapshot(kind: type) -> None:
    """Each field of what `stats` and `explain` give is named in its section."""
    section = API.split(f"# {kind.__name__}\n", 1)[1].split("\n#", 1)[0]
    assert [name for name in public(kind) if f"`{name}" not in section] == []


def test_the_ring() -> None:
    """The fields of a recent statement are named."""
    assert [name for name in Recent._fields if f"`{name}`" not in API] == []


@pytest.mark.parametrize("name", ERRORS)
def test_an_error(name: str) -> None:
    """Each error of the tree stands in the table of errors."""
    assert f"`{name}`" in API.split("## Errors", 1)[1]


DIALECTS = [entry for entry in entry_points(group="sqlalchemy.dialects") if "proxydb" in entry.name]


@pytest.mark.parametrize("entry", DIALECTS, ids=lambda entry: entry.name)
def test_a_dialect_of_sqlalchemy(entry: EntryPoint) -> None:
    """Each URL that SQLAlchemy finds by an entry point is in its reference."""
    assert f"`{entry.name.replace('.', '+')}://`" in reference("sqlalchemy")


def commands(parser: argparse.ArgumentParser | None = None, before: str = "") -> dict[str, argparse.ArgumentParser]:
    """The parsers of the subcommands by name, those of their subcommands instead of them where they have any."""
    nested = [each for each in (parser or make_parser())._actions if isinstance(each, argparse._SubParsersAction)]
    if not nested and parser:
        return {before: parser}
    choices = {f"{before} {name}".strip(): choice for name, choice in nested[0].choices.items()}
    return {name: found for command, choice in choices.items() for name, found in commands(choice, command).items()}


def options(parser: argparse.ArgumentParser) -> list[str]:
    """What stands for each argument of a parser in its reference."""
    return [action.option_strings[-1] if action.option_strings else str(action.metavar) for action in parser._actions]


@pytest.mark.parametrize("name", commands())
def test_a_command(name: str) -> None:
    """Each command has a section, and each of its options stands there."""
    section = CLI.split(f"## `proxydb {name}", 1)[1].split("\n## ", 1)[0]
    assert [option for option in options(commands()[name]) if f"`{option}" not in section and option != "--help"] == []


def test_the_options_of_every_command() -> None:
    """What every command has is told once."""
    assert all(f"`{option}`" in CLI for option in ("--help", "--version"))
