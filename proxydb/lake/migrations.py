"""The steps that bring the tables of an older proxydb up to date, each written for both systems."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxydb.lake.schema import TYPES

if TYPE_CHECKING:
    from collections.abc import Iterator

# Schema version → what leads to it from the one before. A step keeps the words of its own time: it never refers to
# definitions that later versions change. {bigint}, {text} and {json} are the system's types.
STEPS: dict[int, tuple[str, ...]] = {
    2: (
        *(
            f"ALTER TABLE {table} ADD COLUMN extra {{json}}"
            for table in ("dl_table_versions", "dl_add_files", "dl_remove_files", "dl_metadata_updates")
        ),
        "CREATE TABLE dl_cdc_files (table_id {bigint} NOT NULL, version {bigint} NOT NULL, path {text} NOT NULL, "
        "size_bytes {bigint} NOT NULL, partition_values {json} NOT NULL, extra {json}, "
        "PRIMARY KEY (table_id, version, path))",
    ),
}


def steps_from(version: int, system: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    """The schema versions after `version`, in order, each with its statements for ``"sqlite"`` or ``"postgresql"``."""
    for reached in sorted(STEPS):
        if reached > version:
            yield reached, tuple(statement.format(**TYPES[system]) for statement in STEPS[reached])
