"""Compares a run with the JSON of an earlier one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from proxydb.cli.bench.lake.report import FORMAT
from proxydb.cli.screen import print_table
from proxydb.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

_SIDES = ("cold", "warm")
_HEADERS = ("system", "op", "side", "earlier", "now", "change", "")
_RESOLUTION_MS = 0.002
"""A time that changed by less is the same."""


@dataclass(frozen=True, slots=True)
class Change:
    """How a side of an operation changed.

    Parameters
    ----------
    system, number, side
        What.
    earlier, now
        Its time as a multiple of the plain driver's in the same run, so that a slower machine does not count.
    slower
        Whether it got slower by more than is tolerated.
    """

    system: str
    number: str
    side: str
    earlier: float
    now: float
    slower: bool

    def cells(self) -> tuple[str, ...]:
        """What the table shows."""
        change = f"{self.now / self.earlier - 1:+.0%}"
        shown = (f"{self.earlier:.3g}x raw", f"{self.now:.3g}x raw")
        return self.system, self.number, self.side, *shown, change, "slower" if self.slower else ""


def read_earlier(path: Path) -> dict[str, Any]:
    """The JSON of an earlier run.

    Raises
    ------
    proxydb.errors.DataError
        The file is something else.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(f"{path} is not JSON ({error}): give a file that --json has written") from None
    if not isinstance(found, dict) or found.get("format") != FORMAT or "results" not in found:
        raise DataError(f"{path} is not a result of proxydb bench lake of this version: give a file of --json")
    return found


def changes(earlier: dict[str, Any], now: dict[str, Any], tolerance: float) -> list[Change]:
    """What both runs measured.

    Parameters
    ----------
    earlier, now
        What `LakeReport.to_dict` gives.
    tolerance
        How much more of the plain driver's time a side may take, as a share of what it took.

    Raises
    ------
    proxydb.errors.DataError
        The runs are of different tables.
    """
    for name in ("actions", "seed"):
        if earlier[name] != now[name]:
            raise DataError(f"the earlier run has {name} {earlier[name]}, this one {now[name]}: use the same")
    before = {(each["system"], each["number"]): each["ms"] for each in earlier["results"]}
    return [
        _change(each, side, before[each["system"], each["number"]], tolerance)
        for each in now["results"]
        for side in _SIDES
        if side in each["ms"] and {side, "raw"} <= before.get((each["system"], each["number"]), {}).keys()
    ]


def _change(measured: dict[str, Any], side: str, before: dict[str, float], tolerance: float) -> Change:
    after = measured["ms"]
    earlier, now = before[side] / before["raw"], after[side] / after["raw"]
    lost = (now - earlier) * after["raw"]
    slower = now > earlier * (1 + tolerance) and lost > _RESOLUTION_MS
    return Change(measured["system"], measured["number"], side, earlier, now, slower)


def print_changes(found: list[Change]) -> None:
    """Print what got slower, and how many did not."""
    slower = [change for change in found if change.slower]
    print(f"\ncompared with the earlier run: {len(slower)} of {len(found)} got slower than is tolerated")
    if slower:
        print_table(_HEADERS, [change.cells() for change in slower], left=3)
