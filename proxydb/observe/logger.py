"""structlog's logger, which is used and never configured."""

from __future__ import annotations

import sys
from typing import Any


def logger() -> Any:
    """The logger as it is configured; where it is not, one that leaves standard output to the application."""
    import structlog

    if structlog.is_configured():
        return structlog.get_logger("proxydb")
    return structlog.wrap_logger(structlog.PrintLogger(sys.stderr))
