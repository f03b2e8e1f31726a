"""`Explanation`: what proxydb makes of a statement, for people and programs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from proxydb.drivers.base import EVERYTHING
from proxydb.sql.classify import Kind
from proxydb.sql.fingerprint import fingerprint_id

if TYPE_CHECKING:
    from proxydb.planner import Plan


@dataclass(frozen=True, slots=True)
class Explanation:
    """What proxydb makes of a statement.

    Parameters
    ----------
    sql
        The text that is sent to the database.
    fingerprint, fingerprint_id
        The text without its literals, and the sixteen hexadecimal digits that stand for it.
    kind
        ``"read"``, ``"write"``, ``"ddl"``, ``"transaction"``, ``"session"`` or ``"other"``.
    reads, writes
        Names of the tables and views that it reads, and of the tables that it changes; ``("*",)`` when anything may.
    cacheable
        Whether its result may be kept and given again.
    reason
        Why not; empty when it may.
    """

    sql: str
    fingerprint: str
    fingerprint_id: str
    kind: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    cacheable: bool
    reason: str

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values, ready for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        verdict = "yes" if self.cacheable else f"no: {self.reason}"
        return "\n".join(
            (
                f"fingerprint  {self.fingerprint_id}  {self.fingerprint}",
                f"kind         {self.kind}",
                f"reads        {', '.join(self.reads) or '-'}",
                f"writes       {_everything_or(self.writes)}",
                f"cacheable    {verdict}",
                f"sent as      {self.sql}",
            )
        )


def _everything_or(writes: tuple[str, ...]) -> str:
    return "anything" if "*" in writes else ", ".join(writes) or "-"


def explained(plan: Plan, reads: frozenset[str], obstacle: str) -> Explanation:
    """The explanation of a plan, on a connection where `obstacle` keeps results from being given, if anything does."""
    analysis = plan.analysis
    writes = analysis.writes if plan.kind is not Kind.READ or analysis.writes is not EVERYTHING else frozenset()
    reason = "is a write" if plan.kind is Kind.WRITE else analysis.refusal or obstacle
    return Explanation(
        sql=plan.sql,
        fingerprint=plan.fingerprint,
        fingerprint_id=fingerprint_id(plan.fingerprint),
        kind=plan.kind.value,
        reads=tuple(sorted(reads)),
        writes=tuple(sorted(writes)),
        cacheable=plan.cacheable and not obstacle,
        reason=reason,
    )
