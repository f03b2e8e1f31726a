"""The argument parser: one subcommand for each module of `COMMANDS`, and errors of one line."""

from __future__ import annotations

import argparse
from importlib.metadata import version
from typing import TYPE_CHECKING, NoReturn

from proxydb.cli import demo, explain

if TYPE_CHECKING:
    from types import ModuleType

COMMANDS: tuple[tuple[str, ModuleType], ...] = (("demo", demo), ("explain", explain))


class Parser(argparse.ArgumentParser):
    """A parser that says in one line what is wrong, and where the help is."""

    def error(self, message: str) -> NoReturn:
        """Exit with status 2."""
        self.exit(2, f"{self.prog}: error: {message} (see {self.prog} --help)\n")


def make_parser() -> argparse.ArgumentParser:
    """The parser of the whole command; each module of `COMMANDS` adds its own arguments and its `run`."""
    parser = Parser(
        prog="proxydb", description="A database driver proxy whose cache is never stale.", allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=f"proxydb {version('proxydb')}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=Parser)
    for name, module in COMMANDS:
        summary, _, detail = (module.__doc__ or "").partition("\n\n")
        command = commands.add_parser(name, help=summary, description=f"{summary} {detail}", allow_abbrev=False)
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    return parser
