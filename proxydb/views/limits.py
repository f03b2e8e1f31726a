"""Whether an order decides between all rows: those of equal order may come in any, and LIMIT may take any of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxydb.views.obstacle import Obstacle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proxydb.views.definition import Arm, Order, Source


def check_order(arm: Arm, order: Sequence[Order]) -> None:
    """See to it that rows of equal order are equal in all that is shown.

    Parameters
    ----------
    arm
        The only SELECT of a query with LIMIT.
    order
        Its ORDER BY.

    Raises
    ------
    Obstacle
        They need not be.
    """
    texts = [plain(text) for text in (*arm.outputs, *arm.carried)]
    ordered = {texts[each.number] for each in order}
    if ordered >= {plain(text) for text in arm.outputs} or (arm.grouped and ordered >= set(map(plain, arm.groups))):
        return
    if arm.grouped or arm.distinct:
        raise Obstacle("rows of equal order make LIMIT ambiguous: append all columns to its ORDER BY")
    for source in arm.sources:
        if not has_key(ordered, source, arm.sources):
            raise Obstacle(
                "rows of equal order make LIMIT ambiguous: "
                f"append the primary key of {source.table.name}, or all columns, to its ORDER BY"
            )


def has_key(ordered: set[str], source: Source, sources: Sequence[Source]) -> bool:
    """Whether an order has the whole key of a source.

    Parameters
    ----------
    ordered
        Its terms, as `plain` gives them.
    source, sources
        The source, and all that the SELECT reads.
    """
    return source.unique_key and all(_names(column, source, sources) & ordered for column in source.key)


def _names(column: str, source: Source, sources: Sequence[Source]) -> set[str]:
    """What a source's column is called; by its bare name where no other source has one of that name."""
    qualified = {plain(f"{source.alias}.{column}")}
    alone = sum(each.table.column(column) is not None for each in sources) == 1
    return qualified | {plain(column)} if alone else qualified


def plain(text: str) -> str:
    """An expression without what makes no difference: white space, case, quotes around names."""
    return "".join(text.lower().translate(_QUOTES).split())


_QUOTES = str.maketrans("", "", '"`[]')
