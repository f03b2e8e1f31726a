"""The argument parser: one subcommand for each module of `COMMANDS`, and errors of one line.

Only the module of the subcommand that is asked for is loaded, so that `run` takes little of the command's own time.
"""

from __future__ import annotations

import argparse
from importlib import import_module
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS = ("demo", "explain", "run", "views", "bench")


class Parser(argparse.ArgumentParser):
    """A parser that says in one line what is wrong, and where the help is."""

    def error(self, message: str) -> NoReturn:
        """Exit with status 2."""
        self.exit(2, f"{self.prog}: error: {message} (see {self.prog} --help)\n")


class _Version(argparse.Action):
    """Show the version, which takes some time to find out."""

    def __call__(self, parser: argparse.ArgumentParser, *_arguments: Any) -> None:
        from importlib.metadata import version

        print(f"proxydb {version('proxydb')}")
        parser.exit()


def make_parser(argv: Sequence[str] = ()) -> argparse.ArgumentParser:
    """The parser of the whole command, or of the one subcommand that the arguments `argv` begin with.

    Each module of `COMMANDS` adds its own arguments and its `run`, or has `COMMANDS` of its own.
    """
    parser = Parser(
        prog="proxydb", description="A database driver proxy whose cache is never stale.", allow_abbrev=False
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    _add_commands(parser, "proxydb.cli", COMMANDS, argv)
    return parser


def _add_commands(parser: argparse.ArgumentParser, package: str, names: Sequence[str], argv: Sequence[str]) -> None:
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=Parser)
    for name in [name for name in names if name in argv[:1]] or names:
        module = import_module(f"{package}.{name}")
        summary, _, detail = (module.__doc__ or "").partition("\n\n")
        command = commands.add_parser(name, help=summary, description=f"{summary} {detail}", allow_abbrev=False)
        if nested := getattr(module, "COMMANDS", None):
            _add_commands(command, module.__name__, nested, argv[1:])
        else:
            module.add_arguments(command)
            command.set_defaults(run=module.run)
