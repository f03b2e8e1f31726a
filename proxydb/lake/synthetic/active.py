"""The truth about a synthetic table: which files were active at which version, as the state machine made them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from proxydb.lake.synthetic.files import DataFile, Key


class Span(NamedTuple):
    """A file as one add described it, from the version of that add up to but without the version `end`."""

    file: DataFile
    begin: int
    end: int


class ActiveFiles:
    """The files that are active now, and the spans of all that were.

    Attributes
    ----------
    by_partition
        The values of a partition → its active files by key; partitions without files are not there.
    """

    def __init__(self) -> None:
        self._begun: dict[Key, tuple[DataFile, int]] = {}
        self._ended: list[Span] = []
        self.by_partition: dict[str, dict[Key, DataFile]] = {}

    def __len__(self) -> int:
        return len(self._begun)

    def __getitem__(self, key: Key) -> DataFile:
        return self._begun[key][0]

    def add(self, file: DataFile, version: int) -> None:
        """A version adds a file; one with the same key is described anew."""
        key = file.key
        if before := self._begun.get(key):
            self._ended.append(Span(*before, version))
        self._begun[key] = file, version
        self.by_partition.setdefault(file.partition.values, {})[key] = file

    def remove(self, key: Key, version: int) -> DataFile:
        """A version removes an active file."""
        file, begin = self._begun.pop(key)
        self._ended.append(Span(file, begin, version))
        files = self.by_partition[file.partition.values]
        del files[key]
        if not files:
            del self.by_partition[file.partition.values]
        return file

    def at(self, version: int) -> dict[Key, tuple[DataFile, int]]:
        """The files that were active at a version, each with the version that added it."""
        ended = {span.file.key: (span.file, span.begin) for span in self._ended if span.begin <= version < span.end}
        return ended | {key: found for key, found in self._begun.items() if found[1] <= version}
