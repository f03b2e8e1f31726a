"""Plans are shown without the values of conditions."""

from __future__ import annotations

import pytest

from proxydb.drivers.postgres.query_plans import without_literals


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("Seq Scan on t1  (cost=0.00..35.50 rows=10 width=4)", "Seq Scan on t1  (cost=0.00..35.50 rows=10 width=4)"),
        ("  Filter: (name = 'it''s a secret'::text)", "  Filter: (name = ?::text)"),
        ("  Filter: ((a1 > 5) AND (b < '-1.5e3'::numeric))", "  Filter: ((a1 > ?) AND (b < ?::numeric))"),
        ("  Index Cond: (id = ANY ('{1,2}'::integer[]))", "  Index Cond: (id = ANY (?::integer[]))"),
        ('  Filter: ("2nd" = 2.5)', '  Filter: ("2nd" = ?)'),
        ("  Filter: (a = ' (cost=1 secret 2')", "  Filter: (a = ?)"),
        ("  Sort Key: ((a + 1)), ($1)", "  Sort Key: ((a + ?)), ($1)"),
    ],
)
def test_literals_are_left_out(line: str, shown: str) -> None:
    """Texts, numbers and arrays are question marks; names, parameters and estimates stay."""
    assert without_literals([line]) == [shown]
