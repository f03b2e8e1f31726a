"""Query text → the spelling of it that is taken apart: one rule after another, until none applies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxydb.views.spellings.common_tables import put_in_common_tables
from proxydb.views.spellings.distinct_on import rewrite_distinct_on
from proxydb.views.spellings.flat import flatten_derived
from proxydb.views.spellings.query import Query
from proxydb.views.spellings.ranked import rewrite_first_of_partition

if TYPE_CHECKING:
    from proxydb.views.catalogue import Catalogue

RULES = (put_in_common_tables, rewrite_distinct_on, rewrite_first_of_partition, flatten_derived)
"""Each gives the new text, or None where it does not apply."""

_MOST = 50


def rewritten(sql: str, system: str, catalogue: Catalogue) -> str:
    """The query in a spelling without derived and common tables, as far as that can be proved to mean the same.

    Raises
    ------
    proxydb.views.obstacle.Obstacle
        It has one that cannot be put in; the message says why.
    """
    for _ in range(_MOST):
        query = Query(sql, system, catalogue)
        changed = next((text for rule in RULES if (text := rule(query)) is not None), None)
        if changed is None:
            break
        sql = changed
    return sql
