"""A file that a command writes when it is done: whether it can be written is said before anything else is done."""

from __future__ import annotations

import argparse
import os
from pathlib import Path


def output_file(text: str) -> Path:
    """The path of a file to write; an argument type.

    Raises
    ------
    argparse.ArgumentTypeError
        Its directory does not exist, it is a directory itself, or one of the two may not be written.
    """
    path = Path(text)
    directory = path.absolute().parent
    if not directory.is_dir():
        raise argparse.ArgumentTypeError(f"there is no directory {str(path.parent)!r}: make it first")
    if path.is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} is a directory: name a file")
    if not os.access(path if path.exists() else directory, os.W_OK):
        raise argparse.ArgumentTypeError(f"{text!r} may not be written")
    return path
