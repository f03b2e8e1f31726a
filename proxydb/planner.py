"""Statement text → plan, once for each text: its kind, its short forms, and what the database says that it does."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from proxydb.drivers.base import EVERYTHING, NOTHING, Analysis
from proxydb.sql.classify import Kind, classify, first_word, is_about_views, is_several
from proxydb.sql.fingerprint import fingerprint, normal_form
from proxydb.sql.tokens import PLACEHOLDER, tokenize

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxydb.cache.admission import Admission

_LONGEST = 100_000
_SHOWN = 200
_FIRST_WORDS = re.compile(r"\s*(?:[A-Za-z_]+\b\s*){0,3}")
_ASKING = frozenset(
    """
    collation_list database_list foreign_key_check foreign_key_list function_list index_info index_list index_xinfo
    module_list pragma_list table_info table_list table_xinfo
    """.split()
)
_ANALYSED = frozenset({Kind.READ, Kind.WRITE})


class Plan(NamedTuple):
    """What is known of a statement text.

    Parameters
    ----------
    sql
        The text, as the application wrote it.
    kind
        What kind of statement it is.
    first
        Its first word, in lower case.
    form
        Its normal form: texts with equal forms share their rows.
    fingerprint
        The text without its literals: texts with equal fingerprints share their statistics.
    analysis
        What the database says that it reads, writes and calls.
    generation
        The generation of the schema that the analysis was made for.
    admission
        What its runs have cost; shared by the process's connections.
    named
        Whether its placeholders have names.
    shapes
        For each set of session settings, a statement that gives a SQLite cursor this one's column names.
    """

    sql: str
    kind: Kind
    first: str
    form: str
    fingerprint: str
    analysis: Analysis
    generation: int
    admission: Admission
    named: bool
    shapes: dict[int, str]

    @property
    def harmless(self) -> bool:
        """Whether it changes nothing although it is no plain read: EXPLAIN, or a PRAGMA that only asks."""
        return (self.first == "explain" and "analyze" not in self.form) or (
            self.first == "pragma" and "=" not in self.form and not _ASKING.isdisjoint(self.form.split())
        )

    @property
    def cacheable(self) -> bool:
        """Whether its rows may be kept."""
        return self.kind is Kind.READ and not self.analysis.refusal


def plan(sql: str, system: str, analyse: Callable[[str], Analysis], generation: int, admission: Admission) -> Plan:
    """Make the plan of `sql`.

    Parameters
    ----------
    sql
        One statement, as the application wrote it.
    system
        ``"sqlite"`` or ``"postgresql"``.
    analyse
        Asks the database about a read or a write; an exception of its means that nothing is known.
    generation
        The generation of the schema before `analyse` looks at it.
    admission
        Where the statement's cost is kept.
    """
    if len(sql) > _LONGEST:
        return opaque(sql, f"longer than {_LONGEST:,} characters", generation, admission)
    tokens = tokenize(sql, system)
    kind = Kind.VIEW if is_about_views(tokens, system) else classify(tokens)
    analysis = _analysed(sql, analyse) if kind in _ANALYSED else Analysis(NOTHING, EVERYTHING, _REFUSALS[kind])
    if is_several(tokens):
        analysis = Analysis(refusal="several statements in one text", exposes=analysis.exposes)
    named = any(
        token.kind == PLACEHOLDER and token.text[0] in ":@$#" + "%" * (token.text[1:2] == "(") for token in tokens
    )
    return Plan(
        sql,
        kind,
        first_word(tokens),
        normal_form(tokens),
        fingerprint(tokens),
        analysis,
        generation,
        admission,
        named,
        shapes={},
    )


def opaque(sql: str, why: str, generation: int, admission: Admission) -> Plan:
    """The plan of a text that is not looked into; it is known by its first words."""
    beginning = " ".join(_FIRST_WORDS.match(sql[:_SHOWN]).group().lower().split())  # type: ignore[union-attr]
    return Plan(sql, Kind.OTHER, "", "", f"{beginning} …", Analysis(refusal=why), generation, admission, False, {})


_REFUSALS = {
    Kind.DDL: "changes the schema",
    Kind.VIEW: "changes the schema",
    Kind.TRANSACTION: "controls a transaction",
    Kind.SESSION: "changes the session",
    Kind.OTHER: "is neither a plain read nor a plain write",
}


def _analysed(sql: str, analyse: Callable[[str], Analysis]) -> Analysis:
    try:
        return analyse(sql)
    except Exception as error:  # a fault of ours must not break the statement: what is not known is not kept
        return Analysis(refusal=f"could not be analysed: {type(error).__name__}", unknown=True)
