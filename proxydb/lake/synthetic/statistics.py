"""The statistics of synthetic files: clustered or not, with cut strings, NaN, columns of NULLs, or none at all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from proxydb.lake.synthetic.styles import ALL_NULL, NAN_BOUNDS, TRUNCATED

if TYPE_CHECKING:
    from random import Random

    from proxydb.lake.synthetic.styles import Style

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_COUNTRIES = ("AT", "BR", "CA", "DE", "FR", "IN", "JP", "NG", "US", "ZA")
_URL = "https://shop.example.com/"
_EVOLVED_SHOWN = 3


class Statistics:
    """Makes statistics, file after file.

    Parameters
    ----------
    rng, style
        Where chance comes from, and the kind of table.
    """

    def __init__(self, rng: Random, style: Style) -> None:
        self._rng = rng
        self._style = style
        self._next_event = 0

    def make(self, clock: int, evolved: int) -> str | None:
        """The statistics of the next file as JSON text, or None.

        Parameters
        ----------
        clock
            The time of its first event, in ms since the epoch.
        evolved
            How many columns the schema has got since the beginning.
        """
        random = self._rng.random
        if random() < self._style.missing_statistics:
            return None
        rows = 1000 + int(random() * 49_000)
        first, last = self._event_ids(rows)
        least, greatest = self._countries(rows)
        urls = sorted((self._url(), self._url()))
        nan = '"NaN"' if random() < NAN_BOUNDS else f"{500 + random() * 500:.2f}"
        build = int(random() * 40)
        later = clock + 60_000 + int(random() * 3_540_000)
        more = "".join(f',"extra_{n}":{rows}' for n in range(max(0, evolved - _EVOLVED_SHOWN), evolved))
        return (
            f'{{"numRecords":{rows},"minValues":{{"event_id":{first},"event_time":"{iso(clock)}"{least},'
            f'"amount":{random() * 10:.2f},"url":"{urls[0][:TRUNCATED]}","device":{{"build":{build}}}}},'
            f'"maxValues":{{"event_id":{last},"event_time":"{iso(later)}"{greatest},'
            f'"amount":{nan},"url":"{_greatest(urls[1])}","device":{{"build":{build + 3}}}}},'
            f'"nullCount":{{"event_id":0,"event_time":0,"country":{self._nulls(rows, least)},"amount":0,'
            f'"url":0,"device":{{"build":0}}{more}}}}}'
        )

    def _event_ids(self, rows: int) -> tuple[int, int]:
        """The least and the greatest id: the next ones, or without clustering from anywhere."""
        first, self._next_event = self._next_event, self._next_event + rows
        if self._style.clustered:
            return first, self._next_event - 1
        spread = self._rng.random
        return int(first * spread() * 0.2), int(self._next_event * (1 + spread()))

    def _countries(self, rows: int) -> tuple[str, str]:
        """The bounds of `country`; nothing when all of it is NULL."""
        if self._rng.random() < ALL_NULL:
            return "", ""
        place = int(self._rng.random() * (len(_COUNTRIES) - 3))
        return f',"country":"{_COUNTRIES[place]}"', f',"country":"{_COUNTRIES[place + 3]}"'

    def _nulls(self, rows: int, bound: str) -> int:
        if not bound:
            return rows
        return int(self._rng.random() * rows / 10) if self._rng.random() < 0.5 else 0

    def _url(self) -> str:
        """Short or long, so that some are cut."""
        drawn = self._rng.getrandbits(64)
        return f"{_URL}{drawn:016x}" if drawn & 1 else f"{_URL}{drawn % 1000}"


def _greatest(text: str) -> str:
    return text if len(text) <= TRUNCATED else f"{text[:TRUNCATED]}\x7f"


def iso(milliseconds: int) -> str:
    """A time as statistics have it, cut to the millisecond."""
    return (_EPOCH + timedelta(milliseconds=milliseconds)).isoformat(timespec="milliseconds")[:-6] + "Z"
