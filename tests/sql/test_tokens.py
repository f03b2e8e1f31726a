"""`tokenize` cuts a text as the database's own lexer does, and never fails."""

from __future__ import annotations

import string

import pytest
from hypothesis import strategies as st

from proxydb.sql.tokens import NUMBER, OPERATOR, PLACEHOLDER, QUOTED, STRING, WORD, Token, tokenize

DATABASES = ["sqlite", "postgresql"]
ODD = st.text(alphabet=st.sampled_from("aE'\"`[]()$%?:@#-/*\\\n\r\t ;.,0e+x\0é€\ud800"), max_size=40)

ON_BOTH = {
    "select": [(WORD, "select")],
    "SeLeCt": [(WORD, "select")],
    "_a1$b": [(WORD, "_a1$b")],
    "Éa": [(WORD, "Éa")],
    '"A b"': [(QUOTED, '"A b"')],
    '"a""b"': [(QUOTED, '"a""b"')],
    "'it''s'": [(STRING, "'it''s'")],
    "'--x'": [(STRING, "'--x'")],
    "'/*x'": [(STRING, "'/*x'")],
    "x'0A'": [(STRING, "x'0A'")],
    "''": [(STRING, "''")],
    "1": [(NUMBER, "1")],
    ".5": [(NUMBER, ".5")],
    "5.": [(NUMBER, "5.")],
    "1.5": [(NUMBER, "1.5")],
    "1e-5": [(NUMBER, "1e-5")],
    "1E+5": [(NUMBER, "1E+5")],
    "1.5e10": [(NUMBER, "1.5e10")],
    "0xFF": [(NUMBER, "0xFF")],
    "1_000": [(NUMBER, "1_000")],
    "1.5.2": [(NUMBER, "1.5.2")],
    "1-5": [(NUMBER, "1"), (OPERATOR, "-"), (NUMBER, "5")],
    "a.b": [(WORD, "a"), (OPERATOR, "."), (WORD, "b")],
    "a<=b": [(WORD, "a"), (OPERATOR, "<="), (WORD, "b")],
    "a->>b": [(WORD, "a"), (OPERATOR, "->>"), (WORD, "b")],
    "a--b\nc": [(WORD, "a"), (WORD, "c")],
    "a/*b*/c": [(WORD, "a"), (WORD, "c")],
    "a-/*b*/-c": [(WORD, "a"), (OPERATOR, "-"), (OPERATOR, "-"), (WORD, "c")],
    "a---b": [(WORD, "a")],
    "a/*b": [(WORD, "a")],
    "(a);": [(OPERATOR, "("), (WORD, "a"), (OPERATOR, ")"), (OPERATOR, ";")],
    "": [],
}
ON_SQLITE = {
    "?": [(PLACEHOLDER, "?")],
    "?123": [(PLACEHOLDER, "?123")],
    ":Name": [(PLACEHOLDER, ":Name")],
    "@name": [(PLACEHOLDER, "@name")],
    "#name": [(PLACEHOLDER, "#name")],
    "$name": [(PLACEHOLDER, "$name")],
    "$name::x": [(PLACEHOLDER, "$name::x")],
    "$name::X(Y)": [(PLACEHOLDER, "$name::X(Y)")],
    "[A b]": [(QUOTED, "[A b]")],
    "[a]]": [(QUOTED, "[a]"), (OPERATOR, "]")],
    "`A b`": [(QUOTED, "`A b`")],
    "`a``b`": [(QUOTED, "`a``b`")],
    "'a\\'": [(STRING, "'a\\'")],
    "/*a/*b*/c": [(WORD, "c")],
    "a=?": [(WORD, "a"), (OPERATOR, "="), (PLACEHOLDER, "?")],
    "a==:b": [(WORD, "a"), (OPERATOR, "=="), (PLACEHOLDER, ":b")],
    "e'x'": [(WORD, "e"), (STRING, "'x'")],
}
ON_POSTGRES = {
    "%s": [(PLACEHOLDER, "%s")],
    "%b": [(PLACEHOLDER, "%b")],
    "%t": [(PLACEHOLDER, "%t")],
    "%(Name)s": [(PLACEHOLDER, "%(Name)s")],
    "%(two words)b": [(PLACEHOLDER, "%(two words)b")],
    "$1": [(PLACEHOLDER, "$1")],
    "a %% 2": [(WORD, "a"), (OPERATOR, "%%"), (NUMBER, "2")],
    "a=%s": [(WORD, "a"), (OPERATOR, "="), (PLACEHOLDER, "%s")],
    "a||%s": [(WORD, "a"), (OPERATOR, "||"), (PLACEHOLDER, "%s")],
    "E'it\\'s'": [(STRING, "E'it\\'s'")],
    "e'\\\\'": [(STRING, "e'\\\\'")],
    "'a\\'": [(STRING, "'a\\'")],
    "U&'d\\0061'": [(STRING, "U&'d\\0061'")],
    'U&"d\\0061"': [(QUOTED, 'U&"d\\0061"')],
    "B'10'": [(STRING, "B'10'")],
    "N'x'": [(STRING, "N'x'")],
    "$$it's$$": [(STRING, "$$it's$$")],
    "$a$ $b$ $a$": [(STRING, "$a$ $b$ $a$")],
    "$A$x$a$y$A$": [(STRING, "$A$x$a$y$A$")],
    "a$$b": [(WORD, "a$$b")],
    "/*a/*b*/c*/d": [(WORD, "d")],
    "a::int": [(WORD, "a"), (OPERATOR, "::"), (WORD, "int")],
    "[1:2]": [(OPERATOR, "["), (NUMBER, "1"), (OPERATOR, ":"), (NUMBER, "2"), (OPERATOR, "]")],
    "a ?| b": [(WORD, "a"), (OPERATOR, "?|"), (WORD, "b")],
    "a := 1": [(WORD, "a"), (OPERATOR, ":="), (NUMBER, "1")],
    "a@>b": [(WORD, "a"), (OPERATOR, "@>"), (WORD, "b")],
}
UNFINISHED = ["'", '"', "`", "[", "/*", "$a$", "E'\\", "%(a", "$a(", "x'", "1e+", "%", ":", "@", "$"]


def _folded(text: str) -> str:
    """`text` with its ASCII letters in lower case: the length stays."""
    return text.translate(dict(zip(map(ord, string.ascii_uppercase), string.ascii_lowercase, strict=True)))


def _cut(sql: str, database: str) -> list[tuple[str, str]]:
    return [(token.kind, token.text) for token in tokenize(sql, database)]


@pytest.mark.parametrize("database", DATABASES)
@pytest.mark.parametrize("sql", ON_BOTH)
def test_tokens_of_both_systems(sql: str, database: str) -> None:
    """What both databases read alike is cut alike."""
    assert ON_BOTH[sql] == _cut(sql, database)


@pytest.mark.parametrize("sql", ON_SQLITE)
def test_tokens_of_sqlite(sql: str) -> None:
    """SQLite's own placeholders and quotes are single tokens."""
    assert ON_SQLITE[sql] == _cut(sql, "sqlite")


@pytest.mark.parametrize("sql", ON_POSTGRES)
def test_tokens_of_postgres(sql: str) -> None:
    """Postgres' own strings and psycopg's placeholders are single tokens."""
    assert ON_POSTGRES[sql] == _cut(sql, "postgresql")


@pytest.mark.parametrize("sql", ["a%%b", "a%%s", "a%%t"])
def test_doubled_percent_sign(sql: str) -> None:
    """To psycopg a doubled percent sign is an operator, whatever comes after it."""
    assert [(WORD, "a"), (OPERATOR, "%%"), (WORD, sql[-1])] == _cut(sql, "postgresql")


@pytest.mark.parametrize("database", DATABASES)
@pytest.mark.parametrize("gap", ["\n", " \n ", "--c\n", " --c\n--d\n ", "\n\n"])
def test_line_break_is_noted(gap: str, database: str) -> None:
    """A token knows that a line break stands before it, also one at the end of a comment."""
    assert (Token(STRING, "'a'"), Token(STRING, "'b'", line_break=True)) == tokenize(f"'a'{gap}'b'", database)


@pytest.mark.parametrize("database", DATABASES)
@pytest.mark.parametrize("gap", [" ", "\t", "/* */", " /* c */ "])
def test_no_line_break_is_noted(gap: str, database: str) -> None:
    """White space on one line is no line break."""
    assert (Token(STRING, "'a'"), Token(STRING, "'b'")) == tokenize(f"'a'{gap}'b'", database)


@pytest.mark.parametrize("database", DATABASES)
@pytest.mark.parametrize("sign", ["(", "'", "/*", "- -", "$", "1e", "E'"])
def test_long_texts_are_cut(sign: str, database: str) -> None:
    """A long text of one sign is cut without recursion and without going over it twice."""
    assert isinstance(tokenize(sign * 20_001, database), tuple)
