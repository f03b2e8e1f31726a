"""The data files of a synthetic table, and where they lie."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable

Key = tuple[str, str]
"""A logical file: the path as the log has it, and the id of its deletion vector."""

_DEFAULT_PARTITION = "__HIVE_DEFAULT_PARTITION__"
_ESCAPED_BY_HIVE = {character: f"%{ord(character):02X}" for character in "\"#%'*/:=?\\{[]^"}


class Partition(NamedTuple):
    """A partition.

    Parameters
    ----------
    values
        The partition values as JSON text; a date may be NULL, and a city NULL or empty, which means the same.
    directory
        The directory of its files as a path of the log; empty, or with a slash at its end.
    """

    values: str
    directory: str


class DataFile(NamedTuple):
    """A data file as one add describes it.

    Parameters
    ----------
    path
        As the log has it, percent-encoded.
    vector_id
        The unique id of the deletion vector; empty when there is none.
    vector
        Its descriptor as JSON text; empty when there is none.
    size
        Bytes.
    partition
        Where it lies.
    stats
        The statistics as JSON text, or None.
    modified
        When it was made, in ms since the epoch.
    """

    path: str
    vector_id: str
    vector: str
    size: int
    partition: Partition
    stats: str | None
    modified: int

    @property
    def key(self) -> Key:
        """What tells the logical file."""
        return self.path, self.vector_id


def partition_of(values: Iterable[tuple[str, str | None]]) -> Partition:
    """The partition of these columns and values.

    References
    ----------
    Delta PROTOCOL: Partition Value Serialization. Hive escapes special characters in directory names, and the log
    percent-encodes the path that comes of it (RFC 2396).
    """
    pairs = list(values)
    names = "".join(quote(f"{column}={_directory(value)}/", safe="/=") for column, value in pairs)
    return Partition(json.dumps(dict(pairs), ensure_ascii=False, separators=(",", ":")), names)


def _directory(value: str | None) -> str:
    return "".join(_ESCAPED_BY_HIVE.get(character, character) for character in value or _DEFAULT_PARTITION)
