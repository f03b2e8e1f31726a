"""A Postgres server of a benchmark's own, in the place of one that the command line names."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@contextmanager
def with_postgres(argv: Sequence[str]) -> Iterator[list[str]]:
    """The arguments, with ``--postgres`` for a new server unless they name one; ``--no-postgres`` leaves it out."""
    if "--no-postgres" in argv or any(each.startswith("--postgres") for each in argv) or "--help" in argv:
        yield [each for each in argv if each != "--no-postgres"]
        return
    from tests.postgres_search import find_all
    from tests.postgres_server import Cluster

    server = Cluster(find_all()[0])
    try:
        yield [*argv, "--postgres", server.start().dsn()]
    finally:
        server.stop()
