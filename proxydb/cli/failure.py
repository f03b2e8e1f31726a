"""An exception as one line for people, without the secrets that a connection target may hold."""

from __future__ import annotations

import re
from itertools import chain
from urllib.parse import unquote

_PASSWORDS = (
    re.compile(r"://[^/]*?:(.*)@", re.DOTALL),
    re.compile(r"://[^/]*?:([^@]*)@"),
    re.compile(r"password\s*=\s*'((?:[^'\\]|\\.)*)'"),
    re.compile(r"password\s*=\s*([^\s&']+)"),
)
_SURELY_A_PIECE = 4
_LONGEST = 500


def described(error: BaseException, target: str | None = None) -> str:
    """What went wrong, in one line; a driver's advice of several lines is joined.

    Parameters
    ----------
    error
        The exception.
    target
        The connection target whose passwords must not show.
    """
    message = " ".join(str(error).split()) or type(error).__name__
    if type(error).__module__ == "builtins" and not isinstance(error, OSError):
        message = f"{type(error).__name__}: {message}"
    return without_secrets(message, target or "")[:_LONGEST]


def without_secrets(message: str, target: str) -> str:
    """`message` without the passwords of `target`.

    A driver that cannot make sense of a target quotes pieces of it, so the pieces of a password are secrets too; short
    ones only where they stand alone, or they would be found in any word.
    """
    for secret in sorted(_secrets(target), key=len, reverse=True):
        pattern = re.escape(secret)
        message = re.sub(pattern if len(secret) >= _SURELY_A_PIECE else rf"(?<!\w){pattern}(?!\w)", "***", message)
    return message


def _secrets(target: str) -> set[str]:
    passwords = set(chain.from_iterable(pattern.findall(target) for pattern in _PASSWORDS))
    passwords |= {unquote(password) for password in passwords}
    pieces = chain.from_iterable(re.split(r"[@:/?&=\s%]+", password) for password in passwords)
    return passwords.union(pieces) - {""}
