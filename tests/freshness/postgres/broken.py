"""Broken protocols: each looks right, was or could have been chosen, and gives stale rows or another's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proxydb.drivers.postgres import questions, session
from proxydb.drivers.postgres.filling import Filling
from proxydb.drivers.postgres.labels import Labels
from proxydb.drivers.postgres.verdicts import Verdicts
from tests.freshness.postgres.listener import Listener

if TYPE_CHECKING:
    import pytest

    from tests.freshness.postgres.twins import Side

LOG = """
CREATE TABLE log (id bigint GENERATED ALWAYS AS IDENTITY, xid bigint DEFAULT txid_current());
CREATE SEQUENCE changes;
CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO log DEFAULT VALUES;
    PERFORM nextval('changes');
    NOTIFY changed;
    RETURN NULL;
END $$;
CREATE TRIGGER noted AFTER INSERT OR UPDATE OR DELETE ON u FOR EACH STATEMENT EXECUTE FUNCTION noted();
"""
"""What the broken protocols need in the database: triggers, as their makers would have made them."""


_SNAPSHOT = b"pg_catalog.pg_current_snapshot()::pg_catalog.text"


def _label(patch: pytest.MonkeyPatch, expression: bytes) -> None:
    """Let the label be another SQL expression than the snapshot."""
    for name in ("LABEL", "LABEL_AND_CATALOG"):
        text = getattr(questions, name)
        assert _SNAPSHOT in text
        patch.setattr(questions, name, text.replace(_SNAPSHOT, expression))


def sequence(patch: pytest.MonkeyPatch, _side: Side) -> None:
    """The label is a sequence that triggers bump: it is seen to move before the commit."""
    _label(patch, b"(SELECT last_value FROM changes)::text")


def max_id(patch: pytest.MonkeyPatch, _side: Side) -> None:
    """The label is the highest number in a log that triggers write: lower ones commit later."""
    _label(patch, b"(SELECT coalesce(max(id), 0) FROM log)::text")


def max_xid(patch: pytest.MonkeyPatch, _side: Side) -> None:
    """The label is the highest transaction id in a log: lower ones commit later."""
    _label(patch, b"(SELECT coalesce(max(xid), 0) FROM log)::text")


def oldest_running(patch: pytest.MonkeyPatch, _side: Side) -> None:
    """The label is the oldest transaction that is running: those behind it commit unseen."""
    _label(patch, b"pg_snapshot_xmin(pg_current_snapshot())::text")


def notify(patch: pytest.MonkeyPatch, side: Side) -> None:
    """The label counts the notifications that triggers send: they come after the commit was acknowledged."""
    listener = Listener(side)
    seen = Labels.seen
    patch.setattr(Labels, "seen", lambda self, result: seen(self, result)._replace(label=("heard", listener.count())))


def label_after_data(patch: pytest.MonkeyPatch, _side: Side) -> None:
    """Rows get the label that stands when they have been fetched."""
    labelled = Filling.labelled

    def later(self: Any, cursor: Any, *arguments: Any) -> Any:
        filled = yield from labelled(self, cursor, *arguments)
        seen = yield from self._labels.look(cursor._conn)
        return filled._replace(label=seen.label)

    patch.setattr(Filling, "labelled", later)


def no_incarnation(patch: pytest.MonkeyPatch) -> None:
    """The label is the snapshot's text alone: after a crash the same text means something else."""
    patch.setattr(questions, "INCARNATION", b"SELECT 'any'")


def own_writes_ignored(patch: pytest.MonkeyPatch, _side: Side) -> None:
    """A transaction that has written reads and keeps like any other."""
    for name in ("LABEL", "LABEL_AND_CATALOG"):
        text = getattr(questions, name)
        assert b"pg_catalog.pg_current_xact_id_if_assigned()::pg_catalog.text" in text
        patch.setattr(
            questions, name, text.replace(b"pg_catalog.pg_current_xact_id_if_assigned()::pg_catalog.text", b"NULL")
        )


def serializable_served(patch: pytest.MonkeyPatch, _side: Side) -> None:
    """Serializable transactions get answers from memory, which take no predicate locks."""
    for name in ("LABEL", "LABEL_AND_CATALOG"):
        text = getattr(questions, name)
        isolation = b"pg_catalog.current_setting('transaction_isolation')"
        assert isolation in text
        patch.setattr(questions, name, text.replace(isolation, b"'repeatable read'"))


def key_without_role(patch: pytest.MonkeyPatch, _side: Side) -> None:
    """Who reads is not part of the key."""
    _forget_setting(patch, b"current_user")


def key_without_search_path(patch: pytest.MonkeyPatch, _side: Side) -> None:
    """What a bare name means is not part of the key."""
    _forget_setting(patch, b"pg_catalog.current_setting('search_path')")


def key_without_float_digits(patch: pytest.MonkeyPatch, _side: Side) -> None:
    """How numbers are shown is not part of the key."""
    _forget_setting(patch, b"pg_catalog.current_setting('extra_float_digits')")


def _forget_setting(patch: pytest.MonkeyPatch, expression: bytes) -> None:
    for name in ("LABEL", "LABEL_AND_CATALOG"):
        text = getattr(questions, name)
        assert expression in text
        patch.setattr(questions, name, text.replace(expression, b"''"))


def key_without_types(patch: pytest.MonkeyPatch, _side: Side) -> None:
    """Parameters that are sent as the same bytes are the same parameters."""
    sending = session.sending

    def loose(*arguments: Any) -> Any:
        form, sent, _types, *rest = sending(*arguments)
        return form, sent, *rest

    patch.setattr(session, "sending", loose)


def verdict_for_ever(patch: pytest.MonkeyPatch, _side: Side) -> None:
    """What the catalog once said of a statement is thought to hold for ever."""

    def stands(*_: Any) -> Any:
        yield from ()
        return True

    patch.setattr(Verdicts, "still_stands", stands)


def one_after_the_other(patch: pytest.MonkeyPatch) -> None:
    """Let label, rows and label be asked for in three round trips, so that something can happen in between."""
    patch.setattr(Filling, "_may_pipe", lambda *_: False)
