"""Each rule on one file: what its statistics exclude is left out, what they allow is kept, and what is unknown too."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings

from proxydb.lake import PruneReport, col, errors
from proxydb.lake.pruning.conditions import Described, condition
from proxydb.lake.pruning.evaluate import FileFacts, holds
from proxydb.lake.pruning.parse import parse_predicate
from tests.lake.pruning.predicates import PREDICATES
from tests.lake.pruning.test_soundness import case  # noqa: F401
from tests.lake.written_logs import add, create

if TYPE_CHECKING:
    from proxydb.lake import Expression, Lake, Table
    from tests.lake.pruning.soundness import Truth

TYPES = {
    "n": "long",
    "x": "double",
    "single": "float",
    "price": "decimal(10,2)",
    "huge": "decimal(38,10)",
    "word": "string",
    "day": "date",
    "moment": "timestamp",
    "clock": "timestamp_ntz",
    "flag": "boolean",
    "raw": "binary",
    "p": "string",
    "pn": "integer",
    "pday": "date",
    "pmoment": "timestamp",
    "px": "double",
}
PARTITIONS = ["p", "pn", "pday", "pmoment", "px"]


def field(name: str, kind: Any, **metadata: Any) -> dict[str, Any]:
    """A field of a schema."""
    return {"name": name, "type": kind, "nullable": True, "metadata": metadata}


NESTED = {
    "type": "struct",
    "fields": [field("n", "long"), field("Deep", {"type": "struct", "fields": [field("w", "string")]})],
}
FIELDS = [
    *(field(name, kind) for name, kind in TYPES.items()),
    field("s", NESTED),
    field("a.b", "long"),
    field('it"s', "long"),
    field("padded", "string", __CHAR_VARCHAR_TYPE_STRING="char(5)"),
    field("renamed", "long", **{"delta.columnMapping.physicalName": "col-1"}),
    field("wide", "double", **{"delta.typeChanges": [{"fromType": "float", "toType": "double"}]}),
    field("items", {"type": "array", "elementType": "long", "containsNull": True}),
]
METADATA = {"schemaString": json.dumps({"type": "struct", "fields": FIELDS}), "partitionColumns": PARTITIONS}
LOW = {
    "n": 10,
    "x": 1.5,
    "single": 0.1,
    "price": 1.10,
    "huge": 1.5,
    "word": "bb",
    "day": "2024-03-01",
    "moment": "2024-03-01T12:00:00.000Z",
    "clock": "2024-03-01 12:00:00.000",
    "flag": True,
    "s": {"n": 10, "Deep": {"w": "bb"}},
    "a.b": 10,
    'it"s': 10,
    "padded": "bb",
    "col-1": 10,
    "wide": 0.1,
}
HIGH = LOW | {
    "n": 20,
    "x": 2.5,
    "single": 0.3,
    "price": 9.99,
    "huge": 2.5,
    "word": "dd",
    "day": "2024-03-09",
    "moment": "2024-03-01T13:00:00.123Z",
    "clock": "2024-03-01 13:00:00.123",
    "s": {"n": 20, "Deep": {"w": "dd"}},
    "a.b": 20,
    'it"s': 20,
    "padded": "dd",
    "col-1": 20,
}
NULLS = {"n": 0, "x": 0, "word": 3, "s": {"n": 0, "Deep": {"w": 10}}, "flag": 0}
STATS = {"numRecords": 10, "minValues": LOW, "maxValues": HIGH, "nullCount": NULLS}
VALUES = {"p": "100% ü/=", "pn": "7", "pday": "2024-03-01", "pmoment": "2024-03-01 12:00:00", "px": "1.5"}

PRUNED = """
n = 9 | n = 21 | n < 10 | n <= 9 | n > 20 | n >= 21 | n = 9.5 | 9 >= n | 10 > n | n IN (1, 2, 30) | n BETWEEN 21 AND 30
n BETWEEN 1 AND 9 | n IS NULL | NOT (n >= 10) | NOT (n <= 20) | n = NULL | NOT (n = NULL) | n NOT IN (15, NULL)
n > 20 AND word = 'cc' | n > 20 AND upper(word) = 'X' | n > 20 OR n < 10 | NOT (n <= 20 OR n >= 10) | (n) = (9)
x = 1.0 | x < 1.5 | x > 1.6 AND n > 20 | s.deep.w = 'bb' | single < 0.09 | price = 1.09 | price > 9.99 | huge > 2.6
word < 'bb' | word = 'a' | word = 'ba' | word > 'de' | word = 'e' | word LIKE 'a%' | word LIKE 'e%' | word LIKE 'ba%x'
day < DATE '2024-03-01' | day = '2024-03-10' | day > DATE '2024-03-09'
moment < TIMESTAMP '2024-03-01 12:00:00' | moment > '2024-03-01T13:00:00.124Z' | moment > '2024-03-01 13:00:01'
moment >= '2024-03-01T15:00:00+01:00' | clock > '2024-03-01 13:00:00.123999' | clock = DATE '2024-03-02'
NOT flag | flag = FALSE | flag IS NULL | flag IS NOT TRUE | flag IS FALSE | flag != TRUE
s.n = 9 | s.n > 20 | s.deep.w IS NOT NULL | s.deep.w = 'cc' | "a.b" = 9 | "it""s" = 9 | renamed = 9 | RENAMED > 20
p = '100%25' | p < '100' | p LIKE '2%' | p IS NULL | p NOT IN ('100% ü/=') | p != '100% ü/=' | p > '100% ü/='
pn = 6 | pn != 7 | pn > 7 | pn IN (1, 2) | pday = '2024-03-02' | pday < DATE '2024-03-01' | px > 1.5 AND n = 1
pmoment = '2024-03-04' | FALSE | NULL | n IS DISTINCT FROM NULL AND n = 9 | n IS NOT DISTINCT FROM NULL | flag = NULL
"""
ALLOWED = """
n = 10 | n = 20 | n = 15 | n < 11 | n >= 20 | n != 15 | n NOT IN (10, 20) | n IS NOT NULL | NOT (n = 15) | n IN (1, 12)
n BETWEEN 1 AND 10 | n NOT BETWEEN 12 AND 13 | n IS DISTINCT FROM NULL | n IS NOT DISTINCT FROM 15 | 15 = n | TRUE
word = 'bb' | word = 'dd' | word = 'ddd' | word > 'dd' | word LIKE 'b%' | word LIKE 'dd%' | word IS NULL | word >= 'cc'
day = '2024-03-01' | moment = '2024-03-01T13:00:00.123999Z' | moment > '2024-03-01T13:00:00.123500Z' | flag
clock > '2024-03-01 13:00:00.123' | flag IS TRUE | flag = TRUE | s.n = 10 | renamed = 15 | "a.b" = 10 | price = 9.99
"it""s" < 11 | p = '100% ü/=' | p LIKE '100%' | p IS NOT NULL | pn = 7 | pn < 8 | pday = DATE '2024-03-01'
n = 15 OR n = 99 | n = 15 AND word = 'cc' | n > 9223372036854775808 OR n > 1 | s.deep.w IS NULL | word IN ('a', 'cc')
price < 1.11 | wide = 0.10000000149011612
"""
UNKNOWN = """
x > 99 | x >= 99 | x != 1.5 | NOT (x < 99) | NOT (x > 1) | n + 1 = 0 | upper(word) = 'X' | word LIKE '%x' | raw = 'a'
word NOT LIKE 'c%' | n = word | n = '9' | n = TRUE | word = 9 | day = 'tomorrow' | flag = 'x' | padded = 'a' | items = 1
items IS NULL | n IN (SELECT 1) | moment = 'noon' | clock = '2024-03-01T00:00:00Z' | NOT (upper(word) = 'X') | n = ?
n = 99 OR upper(word) = 'X' | word LIKE 'c%d' | word ILIKE 'C%' | s IS NULL | n BETWEEN SYMMETRIC 30 AND 40 | n = :p
CASE WHEN n = 1 THEN TRUE ELSE FALSE END | n = CAST(15.0 AS INT) | price IS NULL | day = DATE '2024-99-99' | n = n
"""


def listed(text: str) -> list[str]:
    """The predicates of a list."""
    return [predicate.strip() for line in text.strip().splitlines() for predicate in line.split(" | ")]


@pytest.fixture
def table(sqlite_lake: Lake) -> Table:
    """A table of one file that has every kind of column."""
    return create(sqlite_lake, add("a", stats=json.dumps(STATS), partitionValues=VALUES), **METADATA)


def verdict(table: Table, predicate: str | Expression, **options: Any) -> str:
    """What became of the only file."""
    report = table.prune_files(predicate, **options).report
    if not report.kept:
        return "pruned"
    return "unknown" if report.kept_unknown else "allowed"


@pytest.mark.parametrize("expected", ["pruned", "allowed", "unknown"])
def test_a_predicate_has_its_verdict(table: Table, expected: str) -> None:
    """Predicates that the statistics exclude, that they allow, and of which they tell nothing."""
    predicates = listed({"pruned": PRUNED, "allowed": ALLOWED, "unknown": UNKNOWN}[expected])
    found = {predicate: verdict(table, predicate) for predicate in predicates}
    assert found == dict.fromkeys(predicates, expected)


def test_both_systems_agree(lake: Lake) -> None:
    """On each system the verdicts are the same."""
    table = create(lake, add("a", stats=json.dumps(STATS), partitionValues=VALUES), **METADATA)
    expected = {"pruned": PRUNED, "allowed": ALLOWED, "unknown": UNKNOWN}
    found = {kind: [each for each in listed(text) if verdict(table, each) == kind] for kind, text in expected.items()}
    assert found == {kind: listed(text) for kind, text in expected.items()}


EXPRESSIONS: dict[str, Expression] = {
    "n = 9": col("n") == 9,
    "n != 15": col("n") != 15,
    "n < 10": col("n") < 10,
    "n <= 10": col("n") <= 10,
    "n > 20": col("n") > 20,
    "n >= 20": col("n") >= 20,
    "n IS NULL": col("n").is_null(),
    "n IS NOT NULL": ~col("n").is_null(),
    "n IN (1, 2)": col("n").is_in([1, 2]),
    "n NOT IN (15, NULL)": ~col("n").is_in([15, None]),
    "n BETWEEN 21 AND 30": col("n").between(21, 30),
    "word LIKE 'b%'": col("word").starts_with("b"),
    "n IS DISTINCT FROM NULL": col("n").is_distinct_from(None),
    "n IS DISTINCT FROM 9": col("n").is_distinct_from(9),
    "n = NULL": col("n") == None,  # noqa: E711
    "day = DATE '2024-03-01'": col("day") == date(2024, 3, 1),
    "moment < TIMESTAMPTZ '2024-03-01 12:00:00+00:00'": col("moment") < datetime(2024, 3, 1, 12, tzinfo=UTC),
    "price = 1.09": col("price") == Decimal("1.09"),
    "flag = FALSE": col("flag") == False,  # noqa: E712
    "s.n > 20": col("s", "n") > 20,
    "n = 9 AND word = 'cc' AND n = 15": (col("n") == 9) & (col("word") == "cc") & (col("n") == 15),
    "n = 9 OR word = 'cc'": (col("n") == 9) | (col("word") == "cc"),
}


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_an_expression_says_what_sql_says(table: Table, text: str) -> None:
    """What `col` builds has the verdict of the same predicate in SQL."""
    assert verdict(table, EXPRESSIONS[text]) == verdict(table, text)


def test_floats_of_python_are_what_they_print(table: Table) -> None:
    """A float stands for its digits as well as for itself."""
    assert [verdict(table, col("price") <= value) for value in (1.1, 1.09)] == ["allowed", "pruned"]


def test_a_predicate_has_no_truth(table: Table) -> None:
    """`and`, `or`, `not` and chained comparisons would lose half of a predicate, so they are errors."""
    for wrong in (lambda: bool(col("n") == 1), lambda: bool(col("n"))):
        with pytest.raises(TypeError, match="neither true nor false"):
            wrong()


@pytest.mark.parametrize("wrong", [7, None, col("n")])
def test_something_else_is_no_predicate(table: Table, wrong: Any) -> None:
    """Neither SQL nor an expression is an error that says what is accepted."""
    with pytest.raises(TypeError, match="a SQL string or an expression of col"):
        table.prune_files(wrong)


@pytest.mark.parametrize("wrong", [(), ("n", 1), (None,)])
def test_a_column_is_named_by_strings(wrong: Any) -> None:
    """Anything else is an error."""
    with pytest.raises(TypeError, match="named by one or more strings"):
        col(*wrong)


@pytest.mark.parametrize(
    ("predicate", "problem"),
    [
        ("n >", "cannot be parsed near '>' .line 1, column 3"),
        ("n = 1; DROP TABLE t", "cannot be parsed"),
        ("", "cannot be parsed"),
        ("SELECT 1", "cannot be parsed"),
        ("word = 'open", "cannot be parsed"),
        ("(" * 5000 + "n = 1" + ")" * 5000, "cannot be parsed, as it is nested too deeply"),
        ("amount = 1", "has no column 'amount'; there is"),
        ("wrd = 'x'", "has no column 'wrd'; there is 'word'"),
        ("s.m = 1", r"has no column 's\.m'; there is 'n'"),
        ("n.m = 1", r"has no column 'n\.m'"),
    ],
)
def test_a_wrong_predicate_is_an_error(table: Table, predicate: str, problem: str) -> None:
    """What cannot be parsed and columns that do not exist are said clearly."""
    with pytest.raises(errors.PredicateError, match=problem):
        table.prune_files(predicate)


def test_a_name_that_fits_two_columns_is_an_error(sqlite_lake: Lake) -> None:
    """In other letter case a name has to fit one column; as it is spelled it always does."""
    schema = {"type": "struct", "fields": [field("ab", "long"), field("AB", "long")]}
    table = create(sqlite_lake, schemaString=json.dumps(schema))
    assert table.prune_files("AB = 1").files == ()
    with pytest.raises(errors.PredicateError, match="'aB' could be any of 'ab', 'AB'"):
        table.prune_files("aB = 1")


def test_a_long_predicate_is_answered(lake: Lake) -> None:
    """Hundreds of values and of arms are no more than any other predicate."""
    table = create(lake, add("a", stats=json.dumps(STATS), partitionValues=VALUES), **METADATA)
    many = ", ".join(map(str, range(21, 1500)))
    arms = " OR ".join(f"n = {value}" for value in range(21, 2500))
    assert [verdict(table, text) for text in (f"n IN ({many})", f"n IN ({many}, 15)", arms)] == [
        "pruned",
        "allowed",
        "pruned",
    ]


def test_times_without_a_zone_are_in_the_zone_that_is_named(table: Table) -> None:
    """A time without a zone is meant in UTC unless another zone is named."""
    predicate = "moment < TIMESTAMP '2024-03-01 12:30:00'"
    found = [verdict(table, predicate, time_zone=zone) for zone in ("UTC", "Asia/Tokyo", "America/New_York")]
    assert found == ["allowed", "pruned", "allowed"]


def test_a_time_that_a_clock_shows_twice_has_both_meanings(sqlite_lake: Lake) -> None:
    """When clocks are set back a time without a zone may be the first or the second of that name."""
    files = []
    for hour in ("00", "01", "02"):
        bound = {"moment": f"2024-10-27T{hour}:30:00.000Z"}
        files.append(add(hour, stats=json.dumps({"minValues": bound, "maxValues": bound}), partitionValues=VALUES))
    found = create(sqlite_lake, *files, **METADATA).prune_files(
        "moment = '2024-10-27 02:30:00'", time_zone="Europe/Berlin"
    )
    assert [file.path for file in found.files] == ["00", "01"]


def test_an_unknown_zone_is_an_error(table: Table) -> None:
    """A zone that does not exist is said to be unknown."""
    with pytest.raises(errors.PredicateError, match="'Mars/Olympus' is no time zone"):
        table.prune_files("n = 1", time_zone="Mars/Olympus")


def test_a_table_without_nan_may_say_so(table: Table) -> None:
    """With nan_free floats are pruned from above too."""
    found = [verdict(table, text, nan_free=True) for text in ("single > 99", "single != 5", "NOT (single < 99)")]
    assert found == ["pruned", "allowed", "pruned"]


ODD_STATS: dict[str, Any] = {
    "no bounds": {"numRecords": 10},
    "bounds of other types": {"minValues": {"n": "10", "word": 5}, "maxValues": {"n": [20], "word": {}}},
    "bounds that are no objects": {"minValues": 5, "maxValues": "x", "nullCount": []},
    "times in words": {"minValues": {"day": "March"}, "maxValues": {"day": "2024-03-0x", "moment": "now"}},
    "an offset": {"maxValues": {"moment": "2024-03-01T13:00:00.123+02:00", "day": "02024-01-01"}},
    "nulls and nothing else": {"nullCount": {"n": 3}},
}


@pytest.mark.parametrize("name", ODD_STATS)
def test_odd_statistics_exclude_nothing(lake: Lake, name: str) -> None:
    """Statistics that are not what they should be are as if they were not there."""
    table = create(lake, add("a", stats=json.dumps(ODD_STATS[name]), partitionValues=VALUES), **METADATA)
    predicates = ["n = 9", "items IS NOT NULL", "word = 'a'", "day > '2025-01-01'", "moment < '2024-03-01 11:00:00'"]
    assert [verdict(table, predicate) for predicate in predicates] == ["unknown"] * len(predicates)


def test_offsets_in_statistics_are_understood(lake: Lake) -> None:
    """A time with an offset is the moment that it says."""
    stats = {"maxValues": {"moment": "2024-03-01T13:00:00.123+02:00"}}
    table = create(lake, add("a", stats=json.dumps(stats), partitionValues=VALUES), **METADATA)
    assert verdict(table, "moment > '2024-03-01T12:00:00Z'") == "pruned"


@pytest.mark.parametrize("value", [None, ""])
def test_a_null_partition_equals_nothing(lake: Lake, value: str | None) -> None:
    """NULL and the empty string are NULL: only IS NULL keeps the file."""
    table = create(lake, add("a", partitionValues=dict.fromkeys(PARTITIONS, value)), **METADATA)
    found = [verdict(table, text) for text in ("p IS NULL", "p = ''", "p != 'x'", "p IS NOT NULL", "pn < 5", "px > 0")]
    assert found == ["allowed", *["pruned"] * 5]


def test_a_partition_time_without_a_zone_may_be_anywhere(table: Table) -> None:
    """Writers used their own zone: the file is kept for every moment that it may mean."""
    found = [verdict(table, f"pmoment = '2024-03-{day}'") for day in ("02 12:00:01", "02 00:00:00", "01 00:00:00")]
    assert found == ["pruned", "allowed", "allowed"]


def test_the_report_counts_every_file(lake: Lake) -> None:
    """Files are counted by what pruned them, or why they were kept."""
    spans = {name: {"minValues": {"n": low}, "maxValues": {"n": low + 9}} for name, low in BANDS.items()}
    stats = {name: json.dumps(STATS | span) for name, span in spans.items()}

    files = [add(name, stats=text, partitionValues={"p": "in"}) for name, text in stats.items()]
    files += [add("bare", partitionValues={"p": "in"}), add("other", stats=stats["low"], partitionValues={"p": "out"})]
    result = create(lake, *files, **METADATA).prune_files("p = 'in' AND n >= 15")
    assert [file.path for file in result.files] == ["bare", "high", "low"]
    assert result.report == PruneReport(5, 3, pruned_by_partition=1, pruned_by_statistics=1, kept_unknown=1)


BANDS = {"none": 0, "low": 10, "high": 90}


def test_what_is_kept_for_sure_is_not_looked_at_again(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the database is sure that a file may hold a row, nothing of it is parsed."""
    table = create(lake, add("a", stats=json.dumps(STATS), partitionValues=VALUES), **METADATA)
    monkeypatch.setattr("proxydb.lake.pruning.prune.FileFacts", None)
    predicates = ["n >= 10", "x <= 2", "word > 'cc'", "word IS NOT NULL", "pday >= '2024-03-01'", "n = 15 OR flag"]
    assert [verdict(table, predicate) for predicate in predicates] == ["allowed"] * len(predicates)


def test_an_older_version_is_pruned_as_it_was(lake: Lake) -> None:
    """Files, statistics and columns are those of the version."""
    table = create(lake, add("a", stats=json.dumps(STATS), partitionValues=VALUES), **METADATA)
    schema = {"type": "struct", "fields": [field("new", "long")]}
    changed = {"metaData": {"schemaString": json.dumps(schema), "partitionColumns": [], "configuration": {}}}
    table.commit([changed, add("b")], 0)
    assert [file.path for file in table.prune_files("n = 15", 0).files] == ["a"]
    assert [file.path for file in table.prune_files("new = 15").files] == ["a", "b"]
    with pytest.raises(errors.UnknownVersion):
        table.prune_files("n = 15", 7)


def test_an_empty_table_has_nothing_to_prune(lake: Lake) -> None:
    """No files are no result, and the counts are zero."""
    assert create(lake, **METADATA).prune_files("n = 1").report == PruneReport(0, 0, 0, 0, 0)


def test_a_deletion_vector_makes_another_file(lake: Lake) -> None:
    """Only the logical file that is active is judged, and it has its descriptor."""
    table = create(lake, add("a", stats=json.dumps(STATS), partitionValues=VALUES), **METADATA)
    table.commit([{"remove": {"path": "a", "dataChange": True}}, add("a", "v", partitionValues=VALUES)], 0)
    [file] = table.prune_files("n = 99").files
    assert (file.deletion_vector_id, file.deletion_vector and file.deletion_vector["cardinality"]) == ("uv@1", 2)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(predicate=PREDICATES)
def test_sql_leaves_out_nothing_that_the_rules_keep(case: tuple[Table, Truth], predicate: str) -> None:  # noqa: F811
    """The database's part of the work never goes further than the rules do."""
    table, _ = case
    metadata = table.metadata()
    asked = condition(parse_predicate(predicate), Described(metadata.schema, metadata.partition_columns))
    rows = table.session.rows("SELECT path, CAST(partition_values AS TEXT), CAST(stats AS TEXT) FROM dl_add_files")
    kept = sorted(path for path, *facts in rows if holds(asked, FileFacts(*facts)) is not False)
    assert [file.path for file in table.prune_files(predicate).files] == kept
