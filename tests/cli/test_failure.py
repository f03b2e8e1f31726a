"""Messages without secrets."""

from __future__ import annotations

import pytest

from proxydb.cli.failure import without_secrets


@pytest.mark.parametrize(
    ("target", "message", "shown"),
    [
        ("postgresql://u:secret@h/d", "secret", "***"),
        ("postgresql://u:s%20cret@h/d", "'s cret' and 's%20cret'", "'***' and '***'"),
        ("postgresql://u:se@cr:et@h/d", "no host 'cr:et@h'", "no host '***:***@h'"),
        ("postgresql://u@h/d?password=secret", "secret", "***"),
        ("host=h password=secret", "secret", "***"),
        ("host=h password = 'se cret'", "no = after 'cret', says the server", "no = after '***', says the server"),
        ("host=h user=u", "host h, user u", "host h, user u"),
        ("", "message", "message"),
    ],
)
def test_passwords_do_not_show(target: str, message: str, shown: str) -> None:
    """A password does not show, nor its pieces, which drivers quote when they cannot make sense of a target."""
    assert without_secrets(message, target) == shown
