"""Makes the data files of a synthetic table: new ones, rewritten ones, the same with a deletion vector."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from proxydb.lake.synthetic.files import DataFile, partition_of
from proxydb.lake.synthetic.statistics import Statistics
from proxydb.lake.synthetic.styles import LATE_FILES, NULL_DATES

if TYPE_CHECKING:
    from random import Random

    from proxydb.lake.synthetic.files import Partition
    from proxydb.lake.synthetic.styles import Style

_DAY = 86_400_000
_REGIONS = ("eu", "us", "apac", "sp ace/ü%", None)
_CITIES = ("Berlin", "São Paulo", "Zürich/Nord", "50% off?", "Łódź", "a=b", "", None, "東京", "New York")
_VECTOR_LETTERS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_INLINE = 0.1


class NewFiles:
    """Makes files.

    Parameters
    ----------
    rng, style
        Where chance comes from, and the kind of table.
    """

    def __init__(self, rng: Random, style: Style) -> None:
        self._rng = rng
        self._style = style
        self._statistics = Statistics(rng, style)
        self._partitions: dict[tuple[str | None, ...], Partition] = {}

    def new(self, clock: int, start: int, evolved: int) -> DataFile:
        """A file of now: most rows are of the current day, some came late.

        Parameters
        ----------
        clock, start
            Now, and the first day, in ms since the epoch.
        evolved
            How many columns the schema has got.
        """
        partition = self._partition(clock, start)
        size = 1024 + int(self._rng.lognormvariate(16, 1))
        return DataFile(self._path(partition), "", "", size, partition, self._statistics.make(clock, evolved), clock)

    def rewritten(self, olds: list[DataFile], clock: int) -> DataFile:
        """One file in the place of some files of one partition; it may have lost some rows, and so narrower bounds."""
        first, size = olds[0], sum(old.size for old in olds)
        return first._replace(path=self._path(first.partition), vector_id="", vector="", size=size, modified=clock)

    def described_again(self, old: DataFile, clock: int, evolved: int) -> DataFile:
        """The same file with other statistics."""
        stats = self._statistics.make(clock, evolved)
        return old._replace(stats=_loose(stats) if stats and old.vector else stats, modified=clock)

    def with_vector(self, old: DataFile, clock: int) -> DataFile:
        """The same file with another deletion vector, kept in a file of its own or inline."""
        drawn = "".join(self._rng.choices(_VECTOR_LETTERS, k=20))
        place, offset = ("i", "") if self._rng.random() < _INLINE else ("u", self._rng.randrange(1, 4096))
        at = f',"offset":{offset}' if offset else ""
        counts = f'"sizeInBytes":36,"cardinality":{self._rng.randrange(1, 100)}'
        vector = f'{{"storageType":"{place}","pathOrInlineDv":"{drawn}"{at},{counts}}}'
        vector_id = f"{place}{drawn}@{offset}" if offset else f"{place}{drawn}"
        return old._replace(vector_id=vector_id, vector=vector, modified=clock, stats=_loose(old.stats))

    def _partition(self, clock: int, start: int) -> Partition:
        values = tuple(self._value(column, clock, start) for column in self._style.partition_columns)
        if (found := self._partitions.get(values)) is None:
            found = partition_of(zip(self._style.partition_columns, values, strict=True))
            self._partitions[values] = found
        return found

    def _value(self, column: str, clock: int, start: int) -> str | None:
        random = self._rng.random
        if column != "date":
            values = _REGIONS if column == "region" else _CITIES
            return values[int(random() * len(values))]
        if random() < NULL_DATES:
            return None
        late = int(random() * 7) * _DAY if random() < LATE_FILES else 0
        return _date(max(start, clock - late) // _DAY)

    def _path(self, partition: Partition) -> str:
        drawn = self._rng.getrandbits(128)
        name = f"{drawn:032x}"
        unique = f"{name[:8]}-{name[8:12]}-4{name[13:16]}-{name[16:20]}-{name[20:]}"
        return f"{partition.directory}part-{drawn % 200:05}-{unique}.c000.snappy.parquet"


def _loose(stats: str | None) -> str | None:
    """Statistics whose bounds are no longer tight, as rows have gone (Delta PROTOCOL, Per-file Statistics)."""
    if stats is None or "tightBounds" in stats:
        return stats
    return f'{stats[:-1]},"tightBounds":false}}'


def _date(days: int) -> str:
    return datetime.fromtimestamp(days * 86_400, UTC).date().isoformat()
