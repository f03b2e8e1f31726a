"""The command `proxydb`: it parses the arguments, runs one subcommand and turns whatever goes wrong into one line."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from proxydb.cli.arguments import make_parser
from proxydb.cli.failure import described

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]

FAILED, INTERRUPTED, PIPE_CLOSED = 2, 130, 141


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Parameters
    ----------
    argv
        The arguments without the program's name; by default those of the process.

    Returns
    -------
    int
        The exit status: 0, 1 when what was compared differs, 2 after an error, 130 after Ctrl-C.
    """
    argv = sys.argv[1:] if argv is None else argv
    try:
        arguments = make_parser(argv).parse_args(argv)
    except SystemExit as exit_:  # argparse has printed the help, the version or the error
        return int(exit_.code or 0)
    try:
        status = int(arguments.run(arguments))
        sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        return _say("interrupted", INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the interpreter complains at its exit
        return PIPE_CLOSED
    except Exception as error:
        return _say(f"error: {described(error, getattr(arguments, 'target', None))}", FAILED)


def _say(message: str, status: int) -> int:
    print(f"proxydb: {message}", file=sys.stderr)
    return status
