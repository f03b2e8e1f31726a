"""What one SELECT of a view's query is understood from."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from proxydb.sql.parse import Syntax
    from proxydb.views import clauses
    from proxydb.views.catalogue import Catalogue


class Understood(NamedTuple):
    """What an arm is made from."""

    sql: str
    syntax: Syntax
    number: int
    cutter: clauses.Cutter
    cut: clauses.Arm
    catalogue: Catalogue
    system: str
