"""Benchmarks of the lake: each metadata operation alone, or many clients at once.

Both make their own databases and remove them again.
"""

from __future__ import annotations

COMMANDS = ("lake", "load")
