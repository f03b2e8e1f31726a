"""What sub-queries put in anew: which sources that spares, and which rows always come and go together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxydb.sql.tokens import quoted
from proxydb.views.equalities import equal_columns

if TYPE_CHECKING:
    from proxydb.views.definition import Arm, Definition, SubQuery


def is_told_by_key(each: SubQuery) -> bool:
    """Whether the key of a sub-query's table tells its links: then nothing is removed unseen."""
    table = each.source.table
    links = {link.inner for link in each.links}
    return links <= set(table.key) and table.unique_key and not table.uniques and not table.rows


def is_covered(definition: Definition, arm: Arm, number: int) -> bool:
    """Whether what a sub-query over the same table puts in anew holds all that comes from a changed row of a source."""
    source, stands = arm.sources[number], equal_columns(definition, arm, "sqlite")

    def is_same(one: str, other: str) -> bool:
        return stands.get(one, one) == stands.get(other, other)

    return any(
        each.source.table == source.table
        and is_told_by_key(each)
        and all(is_same(_column(link.alias, link.outer), _column(source.alias, link.inner)) for link in each.links)
        for each in arm.subqueries
    )


def comes_whole(definition: Definition, arm: Arm) -> bool:
    """Whether rows are only ever put in anew together with all that are equal in the links of the sub-queries.

    These links are then part of the sources' keys, so that a row cannot be there twice, not even for a moment.
    """
    if not arm.subqueries or arm.partition or any(source.nullable or not source.unique_key for source in arm.sources):
        return False
    links = {frozenset((link.alias, link.outer) for link in each.links) for each in arm.subqueries}
    keys = {(source.alias, column) for source in arm.sources for column in source.key}
    return (
        len(links) == 1
        and next(iter(links)) <= keys
        and all(map(is_told_by_key, arm.subqueries))
        and all(is_covered(definition, arm, number) for number in range(len(arm.sources)))
    )


def _column(alias: str, column: str) -> str:
    return f"{quoted(alias)}.{quoted(column)}"
