"""Equal normal forms are the same statement; equal fingerprints are the same statement but for its values."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxydb.sql.fingerprint import fingerprint, fingerprint_id, normal_form
from proxydb.sql.tokens import tokenize

DATABASES = ["sqlite", "postgresql"]

WORDS = ["SELECT", "select", "a", "A", "from", "T", "where", "and", "OR", "x$y", "_z"]
PROTECTED = [
    *["'a'", "'A'", "'--'", "''", '"A"', '"a"', "1", "1.5", "1e5", "1e-5", "?", ":a", ":A"],
    "'a  b'",
    "'a b'",
    '"a  b"',
]
SIGNS = ["(", ")", ",", "=", "<", "<=", "||", "->>", "*", ";", "-"]
FRAGMENTS = st.lists(st.sampled_from(WORDS + PROTECTED + SIGNS), min_size=1, max_size=12)
GAPS = st.lists(st.sampled_from([" ", "  ", "\t", " /* C 'c' */ ", "/**/ ", " \f"]), min_size=13, max_size=13)
BROKEN_GAPS = st.lists(st.sampled_from([" ", "\n", "\r\n", " --C 'c\n", " \n\n"]), min_size=13, max_size=13)

FORMS = {
    "SELECT  a\tFROM\n t": "select a from t",
    "select a from t;": "select a from t",
    "select a from t ; -- done": "select a from t",
    "/* first */ select 'A  b'": "select 'A  b'",
    'select "A" from T': 'select "A" from t',
    "select a||b": "select a || b",
    "": "",
    ";": "",
}
DIFFERENT = [
    ("select 'a'", "select 'A'"),
    ("select 'a b'", "select 'a  b'"),
    ("select 'a--b'", "select 'a'"),
    ("select '/*a*/'", "select ''"),
    ('select "a"', 'select "A"'),
    ('select "a"', "select a"),
    ('select "a"', "select 'a'"),
    ("select 1", "select 1.0"),
    ("select 1", "select 01"),
    ("select 1e5", "select 1e-5"),
    ("select a b", "select ab"),
    ("select 1 2", "select 12"),
    ("select a - -b", "select a --b"),
    ("select a <> b", "select a < > b"),
    ("select a <= b", "select a < = b"),
    ("select a || b", "select a | | b"),
    ("select 'a''b'", "select 'a' 'b'"),
    ("select a from t", "select a, a from t"),
    ("select a;; select b", "select a; select b"),
    ("select count(distinct a)", "select count(a)"),
]
DIFFERENT_ON_SQLITE = [
    ("select ?1", "select ?2"),
    ("select :a", "select :A"),
    ("select $a::x(B)", "select $a::x(b)"),
    ("select [a]", "select [A]"),
    ("select `a`", "select `A`"),
    ("select x'0a'", "select '0a'"),
]
DIFFERENT_ON_POSTGRES = [
    ("select %(a)s", "select %(A)s"),
    ("select %s", "select %b"),
    ("select 'a'\n'b'", "select 'a' 'b'"),
    ("select 'a' --c\n'b'", "select 'a' 'b'"),
    ("select E'a\\'B'", "select E'a\\'b'"),
    ("select $$A$$", "select $$a$$"),
    ("select $q$ a  b $q$", "select $q$ a b $q$"),
    ("select $q$--$q$", "select $q$"),
    ("select /*/* */ 1 */ 2", "select /*/* */ 2"),
    ("select @ -1", "select @-1"),
]
MISTAKEN_ON_SQLITE = {
    "a space beyond ASCII is a letter": ("SELECT x\u00a0y FROM q", "SELECT x y FROM q"),
    "a control character is no space": ("SELECT 'x'\x1cy", "SELECT 'x' y"),
    "a sign beyond ASCII is a letter": ("SELECT a€b FROM q", "SELECT a €b FROM q"),
    "a variable has a suffix": ("SELECT :p(B)", "SELECT :p(b)"),
}
MISTAKEN_ON_POSTGRES = {
    "a space beyond ASCII is a letter": ("SELECT x\u00a0y FROM q", "SELECT x y FROM q"),
    "a sign beyond ASCII is a letter": ("SELECT a€b FROM q", "SELECT a €b FROM q"),
    "a carriage return ends a comment": ("SELECT 1 --c\r+1", "SELECT 1"),
    "a continued string has escapes": ("SELECT E'a'\n'b\\'C'", "SELECT E'a'\n'b\\'c'"),
}
FINGERPRINTS = {
    "SELECT * FROM t WHERE a = 1": "select * from t where a = ?",
    "SELECT * FROM t WHERE a = 'x' AND b = .5": "select * from t where a = ? and b = ?",
    "SELECT * FROM t WHERE a IN (1, 2, 3)": "select * from t where a in (?)",
    "SELECT * FROM t WHERE a IN (1)": "select * from t where a in (?)",
    "INSERT INTO t VALUES (1, 2), (3, 4)": "insert into t values (?)",
    "INSERT INTO t (a, b) VALUES (1, 'x')": "insert into t(a, b) values (?)",
    "SELECT max(a), t.b FROM t;": "select max(a), t.b from t",
    "SELECT -1": "select - ?",
    'SELECT "A"': 'select "A"',
}
PLACEHOLDERS = [
    *(("sqlite", placeholder) for placeholder in ["?", "?1", ":a", "@a", "$a"]),
    *(("postgresql", placeholder) for placeholder in ["%s", "%b", "%(a)s", "$1"]),
]


def _form(sql: str, database: str) -> str:
    return normal_form(tokenize(sql, database))


def _fingerprint(sql: str, database: str) -> str:
    return fingerprint(tokenize(sql, database))


def _joined(fragments: list[str], gaps: list[str]) -> str:
    """The fragments, each after one of the gaps."""
    return "".join(gap + fragment for gap, fragment in zip(gaps, fragments, strict=False))


def _in_other_case(fragment: str) -> str:
    return fragment.swapcase() if fragment in WORDS else fragment


@pytest.mark.parametrize("database", DATABASES)
@pytest.mark.parametrize("sql", FORMS)
def test_normal_form(sql: str, database: str) -> None:
    """White space, comments, the case of bare words and a last semicolon do not show."""
    assert FORMS[sql] == _form(sql, database)


@pytest.mark.parametrize("database", DATABASES)
@given(fragments=FRAGMENTS, gaps=GAPS, others=GAPS)
def test_form_is_blind_to_white_space(database: str, fragments: list[str], gaps: list[str], others: list[str]) -> None:
    """Other white space, other comments and other letters in bare words make no other form."""
    changed = [_in_other_case(fragment) for fragment in fragments]
    assert _form(_joined(fragments, gaps), database) == _form(_joined(changed, others), database)


@pytest.mark.parametrize("database", DATABASES)
@given(fragments=FRAGMENTS, gaps=BROKEN_GAPS)
def test_form_is_its_own_form(database: str, fragments: list[str], gaps: list[str]) -> None:
    """The form of a form is the form, but for semicolons at the end."""
    form = _form(_joined(fragments, gaps), database)
    assert form.rstrip("; ") == _form(form, database).rstrip("; ")


@pytest.mark.parametrize("database", DATABASES)
@given(fragments=FRAGMENTS, place=st.integers(0, 11), other=st.sampled_from(WORDS + PROTECTED + SIGNS), gaps=GAPS)
def test_form_tells_fragments_apart(
    database: str, fragments: list[str], place: int, other: str, gaps: list[str]
) -> None:
    """Another token in the place of one makes another form, unless both are one bare word."""
    changed = [*fragments[:place], other, *fragments[place + 1 :]]
    same = _meaning(fragments) == _meaning(changed)
    assert same == (_form(_joined(fragments, gaps), database) == _form(_joined(changed, gaps), database))


def _meaning(fragments: list[str]) -> list[str]:
    folded = [fragment.lower() if fragment in WORDS else fragment for fragment in fragments]
    return folded[:-1] if folded[-1] == ";" else folded


@pytest.mark.parametrize("database", DATABASES)
@pytest.mark.parametrize(("sql", "other"), DIFFERENT)
def test_different_statements(sql: str, other: str, database: str) -> None:
    """Texts that differ in a literal, a quoted name or an operator have different forms."""
    assert _form(sql, database) != _form(other, database)


@pytest.mark.parametrize(("sql", "other"), DIFFERENT_ON_SQLITE)
def test_different_statements_on_sqlite(sql: str, other: str) -> None:
    """The same goes for what only SQLite knows."""
    assert _form(sql, "sqlite") != _form(other, "sqlite")


@pytest.mark.parametrize(("sql", "other"), DIFFERENT_ON_POSTGRES)
def test_different_statements_on_postgres(sql: str, other: str) -> None:
    """The same goes for what only Postgres knows."""
    assert _form(sql, "postgresql") != _form(other, "postgresql")


@pytest.mark.parametrize(("sql", "other"), MISTAKEN_ON_SQLITE.values(), ids=MISTAKEN_ON_SQLITE)
def test_rare_characters_on_sqlite(sql: str, other: str) -> None:
    """What SQLite reads as another statement has another form."""
    assert _form(sql, "sqlite") != _form(other, "sqlite")


@pytest.mark.parametrize(("sql", "other"), MISTAKEN_ON_POSTGRES.values(), ids=MISTAKEN_ON_POSTGRES)
def test_rare_characters_on_postgres(sql: str, other: str) -> None:
    """What Postgres reads as another statement has another form."""
    assert _form(sql, "postgresql") != _form(other, "postgresql")


def test_continued_string_on_postgres(postgres_dsn: str) -> None:
    """Postgres joins strings across a line break, and only there, so the line break shows in the form."""
    with psycopg.connect(postgres_dsn) as connection:
        rows = connection.execute("select 'a' -- c\n 'b'").fetchall()
    assert (rows, _form("select 'a' -- c\n 'b'", "postgresql")) == ([("ab",)], "select 'a'\n'b'")


SCHEMA = """
CREATE TABLE t (a, b);
INSERT INTO t VALUES (1, 'x'), (2, 'X'), (-3, 'a b'), (NULL, 'a  b'), (5, '');
"""
HEADS = st.sampled_from(
    """
SELECT a
select B
SELECT a, b
Select "b"
select a-1
select a - -1
SELECT [a]
""".strip().splitlines()
)
CONDITIONS = st.lists(
    st.sampled_from(
        """
AND a = 1
AND b = 'x'
AND b = 'X'
and B = 'a b'
and b = 'a  b'
and b = "b"
and a < - 1
and a <- 1
and a = 1 --1
or a - -1 > 2
or a is null
OR [b] = ''
and a || b = '1x'
or 1e0 = a
""".strip().splitlines()
    ),
    max_size=4,
)
SIMPLE = ["a", "b", "=", "<", ">", "<=", "<>", "1", "-1", "--1", "1e0", ".1e+1", "-", ";"]
TAILS = st.lists(
    st.sampled_from([*SIMPLE, "'x'", "'X'", "'a b'", '"B"', "and", "OR", "||", "|", "is", "null"]), max_size=6
)


@given(head=HEADS, conditions=CONDITIONS, others=CONDITIONS, gaps=BROKEN_GAPS)
def test_equal_forms_give_equal_rows(head: str, conditions: list[str], others: list[str], gaps: list[str]) -> None:
    """SQLite gives the same rows, or fails, for two texts of the same form."""
    sql = _joined([f"{head} FROM t WHERE TRUE", *conditions], ["\n"] * 5)
    twin = _joined([f"{head.lower()} from T where true", *conditions], gaps)
    stranger = _joined([f"{head} FROM t WHERE TRUE", *others], gaps)
    for text in (twin, stranger):
        if _form(sql, "sqlite") == _form(text, "sqlite"):
            assert _rows(sql) == _rows(text)


@given(head=HEADS, conditions=CONDITIONS, gaps=GAPS)
def test_other_white_space_gives_equal_rows(head: str, conditions: list[str], gaps: list[str]) -> None:
    """SQLite sees no difference between a text and its form."""
    sql = _joined([f"{head} FROM t WHERE TRUE", *conditions], gaps)
    assert _rows(sql) == _rows(_form(sql, "sqlite"))


@given(glue=st.lists(st.sampled_from(["", " ", "\n", "/**/"]), min_size=8, max_size=8), tail=TAILS)
def test_glued_tokens_of_equal_form_give_equal_rows(glue: list[str], tail: list[str]) -> None:
    """Where leaving a space out changes what SQLite reads, it changes the form."""
    spaced = _joined(["SELECT a, b FROM t where a", *tail], [" "] * 8)
    glued = _joined(["SELECT a, b FROM t where a", *tail], glue)
    if _form(spaced, "sqlite") == _form(glued, "sqlite"):
        assert _rows(spaced) == _rows(glued)


def _rows(sql: str) -> object:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(SCHEMA)
        try:
            return connection.execute(sql).fetchall()
        except (sqlite3.Error, sqlite3.Warning):
            return "fails"


@pytest.mark.parametrize("database", DATABASES)
@pytest.mark.parametrize("sql", FINGERPRINTS)
def test_fingerprint(sql: str, database: str) -> None:
    """Values become question marks and lists of values one of them."""
    assert FINGERPRINTS[sql] == _fingerprint(sql, database)


@pytest.mark.parametrize(("database", "placeholder"), PLACEHOLDERS)
def test_fingerprint_of_placeholders(database: str, placeholder: str) -> None:
    """A placeholder and a literal leave the same fingerprint."""
    assert _fingerprint(f"SELECT a FROM t WHERE b = {placeholder}", database) == "select a from t where b = ?"


@pytest.mark.parametrize("database", DATABASES)
@given(secret=st.text(st.characters(categories=["Lu", "Nd"]), min_size=4))
def test_fingerprint_holds_no_literal(database: str, secret: str) -> None:
    """No text in quotes is left in a fingerprint."""
    assert _fingerprint(f"SELECT '{secret}' FROM t WHERE a = '{secret}'", database) == "select ? from t where a = ?"


def test_fingerprint_id() -> None:
    """A fingerprint's number is the same in every process."""
    assert fingerprint_id("select 1") == "942d1806fd750792"


@given(st.text())
def test_fingerprint_id_has_sixteen_digits(text: str) -> None:
    """Every text, also one with lone surrogates, has a number of sixteen hexadecimal digits."""
    assert 16 == len(f"{int(fingerprint_id(text), 16):016x}") == len(fingerprint_id(text))


@pytest.mark.parametrize(
    ("sql", "shown"),
    [
        ("PRAGMA key = \"x'2DD29CA8'\"", "pragma key = ?"),
        ("PRAGMA main.rekey(hunter2)", "pragma main.rekey(?)"),
        ("ATTACH 'a.db' AS a KEY \"hunter2\"", "attach ? as a key ?"),
        ("PRAGMA table_info(key)", "pragma table_info(key)"),
        ("SELECT key FROM t", "select key from t"),
    ],
)
def test_keys_that_encrypt_are_literals(sql: str, shown: str) -> None:
    """However a key is written, it is not shown."""
    assert fingerprint(tokenize(sql, "sqlite")) == shown
