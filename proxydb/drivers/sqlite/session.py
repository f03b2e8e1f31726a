"""What a SQLite connection has going on: its transaction, its snapshot, its settings, and what it has written.

The rules are those of `docs/explanation/freshness.md`; each method names the one that it keeps.
"""

from __future__ import annotations

import sqlite3 as driver
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from weakref import ref

from proxydb.drivers.base import EVERYTHING, Filled
from proxydb.drivers.sqlite.activity import has_unfinished_cursor
from proxydb.drivers.sqlite.analysis import DETERMINISTIC
from proxydb.drivers.sqlite.sentinel import NO_LABEL

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from proxydb.drivers.base import Analysis
    from proxydb.drivers.sqlite.private import PrivateObserver
    from proxydb.drivers.sqlite.sentinel import Sentinel

_UNLABELLED: Final = -1
_ADAPTERS: Final[dict[Any, Any]] = driver.adapters
_PLAIN: Final = frozenset({int, float, str, bytes, bool, type(None)})
_SETTINGS: Final = (
    "SELECT 'a' LIKE 'A'",  # case_sensitive_like has no question of its own
    "PRAGMA reverse_unordered_selects",
    "PRAGMA full_column_names",
    "PRAGMA short_column_names",
    "PRAGMA trusted_schema",
)
_OWN_FUNCTIONS: Final = "SELECT DISTINCT lower(name) FROM pragma_function_list WHERE NOT builtin"
_EXCLUSIVE_PRAGMAS: Final = ("journal_mode", "locking_mode")
_SETTINGS_NUMBERS: Final[dict[Any, int]] = {}
_OBSTACLES: Final = (
    ("SELECT count(*) FROM sqlite_temp_master", "temporary tables, views or triggers on this connection"),
    ("PRAGMA read_uncommitted", "read_uncommitted is on"),
)


def shape_of(description: Sequence[Sequence[Any]]) -> str:
    """A statement without rows, and without tables, whose columns have the names of `description`.

    Run in the place of a statement that is answered from memory, it gives the cursor the driver's own description, and
    raises what the driver raises for a closed connection or in a foreign thread.
    """
    columns = (f'NULL AS "{name}"' for name in (column[0].replace('"', '""') for column in description))
    return f"SELECT {', '.join(columns)} WHERE 0"


class Step(NamedTuple):
    """What was seen before a commit: the connection's own version, the label, and the generation of the plans."""

    version: int
    label: int
    generation: int


class SqliteSession:
    """The state of one connection that decides what it may be served, and what its writes leave standing.

    Parameters
    ----------
    connection
        The connection, which owns the session.
    observer
        Labels the states of the database.
    entries
        The results that are kept: while there are none, no commit needs to be explained.
    detect_types
        The connection's own option of that name.
    private
        Why nothing may be served on this connection; empty when it may.

    Attributes
    ----------
    unchecked
        Whether a statement ran since it was known that no cursor was unfinished and that the transaction, if one is
        open, had read nothing.
    late
        Whether a transaction came to a read that may be kept only after another one had fixed its snapshot: from
        then on the first read of each transaction, whatever it is, has its snapshot labelled.
    """

    __slots__ = (
        "_adapters",
        "_connection",
        "_converters",
        "_detect_types",
        "_entries",
        "_hindrances",
        "_observer",
        "_pin",
        "_pinned_changes",
        "_saw_begin",
        "_settings",
        "_unfinished_write",
        "_version",
        "_write_generation",
        "_writes",
        "functions",
        "history",
        "late",
        "obstacle",
        "private",
        "reason",
        "unchecked",
        "unsettled",
    )

    def __init__(
        self,
        connection: driver.Connection,
        observer: Sentinel | PrivateObserver,
        entries: Any,
        detect_types: int = 0,
        private: str = "",
    ) -> None:
        self._connection = ref(connection)
        self._observer = observer
        self._entries = entries
        self._detect_types = detect_types
        self._converters: dict[str, Any] = {}
        self._adapters = -1
        self.history = observer.history
        self._hindrances = {"": private} if private else {}
        self.private = private
        self._unfinished_write = False
        self._version: int | None = None
        self.reason = ""
        self.obstacle = ""
        self.functions: set[str] = set()
        self.unsettled = True
        self.unchecked = False
        self.late = False
        self._settings = -1
        self._pin = self._pinned_changes = 0
        self._saw_begin = connection.in_transaction  # with autocommit=False the driver begins the first one itself
        self._writes: frozenset[str] | None = None
        self._write_generation = -1

    def hinder(self, name: str, reason: str) -> None:
        """Serve nothing on this connection because of `name`; an empty reason takes that back."""
        self._hindrances[name] = reason
        self.private = next(filter(None, self._hindrances.values()), "")

    # Labels ───────────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def generation(self) -> int:
        """The generation of the schema that the label belongs to."""
        return self.history.generation

    def schema_generation(self) -> int:
        """The same, when a statement is about to be planned: the first look at the database has been taken then."""
        if not self.history.known and (connection := self._connection()) is not None:
            self.current_label(connection)
        return self.history.generation

    @property
    def check_cost(self) -> int:
        """Nanoseconds that serving from memory costs, the version check above all."""
        return self._observer.check_cost

    def open(self, cursor: driver.Cursor) -> int:
        """The label of what a read on this connection would see now; `NO_LABEL`, with a reason, when there is none."""
        connection = cursor.connection
        if self.private:
            return self._without_label(self.private)
        if connection.text_factory is not str:
            return self._without_label("a text_factory of the application's own")
        if connection.in_transaction:
            return self._transaction_label(connection)
        if self.unsettled:
            self._settle(connection)
        if self.obstacle:
            return self._without_label(self.obstacle)
        if self._pin or self._writes is not None:
            self._forget_transaction()
        if self.unchecked:
            if has_unfinished_cursor(connection):
                return self._without_label("a cursor of this connection is unfinished")
            self.unchecked = False
        label = self._observer.label(connection)
        if label > self.history.known:
            self.history.observe(label)
        return label or self._without_label("the version check failed")

    def confirms(self, entry: Any, label: int, _cursor: driver.Cursor) -> bool:
        """Whether what was read at the entry's label is what a read at `label` would give."""
        if entry.label == label:
            return label >= self.history.floor
        return self.history.holds(entry.label, entry.reads, label)

    def may_fill(self, cursor: driver.Cursor, _label: int) -> bool:
        """Whether rows read now are those of the label that `open` gave: no unfinished cursor holds an older state."""
        if self._pin or not has_unfinished_cursor(cursor.connection):
            return True
        self.reason = "a cursor of this connection is unfinished"
        return False

    def explain(self, plan: Any, cursor: driver.Cursor, parameters: Any) -> tuple[frozenset[str], str]:
        """What a read reads, and why it would not be kept on this connection; empty when it would."""
        ready = self.open(cursor) and self.key(plan, cursor, parameters)
        return plan.analysis.reads, "" if ready else self.reason

    def serve(self, cursor: Any, plan: Any, rows: Any) -> bool:
        """Let `cursor` give the kept rows; false when this text's own column names have not been seen yet."""
        shape = plan.shapes.get(self._settings)
        if shape is None:
            return False
        cursor._serve(shape, rows.get())
        return True

    def fill(self, cursor: Any, plan: Any, sql: str, parameters: Any, label: int, largest: int) -> Filled:
        """Run the statement and fetch its rows.

        The label was read before the rows; only if it still stands after them is it theirs.
        """
        connection = cursor.connection
        changes, settings = connection.total_changes, self._settings
        rows, cost = cursor._fetch(sql, parameters, largest)
        self.unchecked = True
        if rows is None:
            return Filled(None, NO_LABEL, cost)
        plan.shapes[settings] = shape_of(cursor.description)
        undisturbed = changes == connection.total_changes and connection.in_transaction == bool(self._pin)
        same = self._pin == label or self._observer.label(connection) == label
        return Filled(rows, label if same and undisturbed else NO_LABEL, cost)

    def current_label(self, connection: driver.Connection) -> int:
        """The label of the last commit."""
        label = self._observer.label(connection)
        if label > self.history.known:
            self.history.observe(label)
        return label

    def _transaction_label(self, connection: driver.Connection) -> int:
        if self._writes is not None:
            return self._without_label("the transaction has written")
        if not self._pin:
            self._pin = self._take_pin(connection) if self._saw_begin else _UNLABELLED
            self._pinned_changes = connection.total_changes
        if self.unsettled:
            self._settle(connection)
        if self.obstacle:
            return self._without_label(self.obstacle)
        if self._pin == _UNLABELLED:
            return self._without_label("the transaction's snapshot has no label")
        if self._pinned_changes != connection.total_changes:
            return self._without_label("the transaction has written")
        return self._pin

    def _take_pin(self, connection: driver.Connection) -> int:
        """Fix the snapshot of a transaction that has read nothing, between two equal labels.

        A snapshot that was fixed before has no label that could still be read, so a failure is final. Reading the
        settings fixes it too, so that is done in here.
        """
        if self.unchecked:
            self.late = True
            return _UNLABELLED
        try:
            before = self.current_label(connection)
            if self.unsettled:
                self._settle(connection)
            driver.Cursor(connection).execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall()
            return before if before and before == self._observer.label(connection) else _UNLABELLED
        except driver.Error:
            return _UNLABELLED

    def _without_label(self, reason: str) -> int:
        self.reason = reason
        return NO_LABEL

    # Keys ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def key(self, plan: Any, cursor: driver.Cursor, parameters: Any) -> Hashable | None:
        """What names the result of a statement on this connection; none, with a reason, when nothing can.

        Parameters of equal value and different type (1, 1.0, True) are different parameters; so are 0.0 and -0.0.
        """
        if self.functions and not self.functions.isdisjoint(plan.analysis.functions):
            return self._without_key("calls a function that the application defined")
        kind = type(parameters)
        if plan.named and kind is not dict:
            return self._without_key("a sequence of parameters for placeholders with names")
        if kind is tuple or kind is list:
            values, names = tuple(parameters), ()
        elif kind is dict:
            values, names = tuple(parameters.values()), tuple(parameters)
        else:
            return self._without_key("parameters in a container of the application's own")
        types = tuple(map(type, values))
        if not _PLAIN.issuperset(types) or (len(_ADAPTERS) != self._adapters and self._adapts_plain_types()):
            return self._without_key("a parameter of a type that has to be adapted")
        if float in types or names or self._detect_types:
            exact = tuple(map(repr, values)) if float in types else ()
            conversions = self._conversions() if self._detect_types else None
            return plan.form, plan.generation, values, types, self._settings, names, exact, conversions
        return plan.form, plan.generation, values, types, self._settings

    def _without_key(self, reason: str) -> Hashable | None:
        self.reason = reason
        return None

    def _adapts_plain_types(self) -> bool:
        """Whether the application registered an adapter for one of the types that SQLite knows itself."""
        if any(kind in _PLAIN for kind, _ in _ADAPTERS):
            return True
        self._adapters = len(_ADAPTERS)
        return False

    def _conversions(self) -> Hashable:
        """What the registered converters make of the values; they can be registered at any time."""
        converters: dict[str, Any] = driver.converters
        if converters != self._converters:
            self._converters = dict(converters)
        return self._detect_types, frozenset(self._converters.items())

    def _settle(self, connection: driver.Connection) -> None:
        """Read again what a statement of unknown effect may have changed: settings, temporary objects, attachments."""
        execute = driver.Cursor(connection).execute
        try:
            settings = tuple(execute(question).fetchone() for question in _SETTINGS)
            obstacles = [reason for question, reason in _OBSTACLES if execute(question).fetchone()[0]]
            self.functions = {name for (name,) in execute(_OWN_FUNCTIONS).fetchall()}
            obstacles += ["a built-in function is replaced on this connection"] * bool(self.functions & DETERMINISTIC)
            databases = {name for _, name, _ in execute("PRAGMA database_list").fetchall()}
        except driver.Error:
            self.obstacle = "its settings cannot be read now"
            return
        if databases - {"main", "temp"}:
            obstacles.append("attached databases on this connection")
        self._settings = _SETTINGS_NUMBERS.setdefault((settings, self._detect_types), len(_SETTINGS_NUMBERS))
        self.obstacle = obstacles[0] if obstacles else ""
        self.unsettled = False

    # Writes ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def before_write(self, connection: driver.Connection) -> Step | None:
        """Look at the database before a statement that writes, if it commits by itself."""
        if connection.in_transaction:
            return None
        self._forget_transaction()
        self._get_ready(connection)
        return self._step(connection) if self._commits_each(connection) else None

    def after_write(self, cursor: driver.Cursor, before: Step | None, analysis: Analysis, generation: int) -> None:
        """Take note of what a statement wrote: it commits with its transaction, or has committed by itself.

        One that returns rows commits when the last of them is fetched.
        """
        writes = self._known_writes(analysis, generation)
        if cursor.connection.in_transaction:
            self._add_writes(writes, generation)
        elif before is not None:
            self._explain(cursor.connection, before, writes)
        if cursor.description is not None:
            self._unfinished_write = self.unchecked = True

    def write_failed(self, connection: driver.Connection, analysis: Analysis, generation: int) -> None:
        """A writing statement raised: a part of its writes may stand, or its transaction may be over."""
        if connection.in_transaction:
            self._add_writes(self._known_writes(analysis, generation), generation)
        else:
            self._forget_transaction()

    def before_control(self, connection: driver.Connection) -> tuple[bool, Step | None]:
        """Look at the database before a statement that may end a transaction."""
        if not connection.in_transaction:
            self._get_ready(connection)
            return False, None
        return True, self._step(connection) if self._writes is not None else None

    def after_control(self, connection: driver.Connection, before: tuple[bool, Step | None]) -> None:
        """Take note of a transaction that began, or that ended and committed at most what it had written."""
        was_open, step = before
        is_open = connection.in_transaction
        if was_open and not is_open:
            if step is not None and self._writes is not None and step.generation == self._write_generation:
                self._explain(connection, step, self._writes)
            self._forget_transaction()
        elif is_open and not was_open:
            self._begin(connection)

    def after_method(self, connection: driver.Connection, before: tuple[bool, Step | None]) -> None:
        """Take note of a method that ended the transaction, whereafter the driver may have opened the next at once."""
        self.after_control(connection, before)
        if connection.in_transaction:
            self._begin(connection)

    def before_unknown(self, plan: Any) -> None:
        """Let go of the file before a statement that needs it for itself, and for as long as it does."""
        if plan.first == "pragma" and any(word in plan.form for word in _EXCLUSIVE_PRAGMAS):
            self._observer.release()
        if plan.first == "pragma" and "locking_mode" in plan.form and "=" in plan.form:
            self.hinder("locking_mode", "" if "normal" in plan.form else "the connection has the file to itself")

    def after_unknown(self, connection: driver.Connection) -> None:
        """Take note of a statement that may have done anything."""
        self.unsettled = self.unchecked = self._unfinished_write = True
        self._forget_transaction()
        if connection.in_transaction:
            self._writes = EVERYTHING

    def _add_writes(self, writes: frozenset[str], generation: int) -> None:
        """They commit together, and are explained only if the schema stood from the first of them to the commit."""
        if self._writes is None:
            self._writes, self._write_generation = writes, generation
        elif writes is EVERYTHING or self._writes is EVERYTHING:
            self._writes = EVERYTHING
        else:
            self._writes |= writes

    def _commits_each(self, connection: driver.Connection) -> bool:
        """Whether a writing statement commits by itself: no transaction is opened for it by the driver."""
        return connection.isolation_level is None or getattr(connection, "autocommit", None) is True

    def _known_writes(self, analysis: Analysis, generation: int) -> frozenset[str]:
        if self.unsettled or self.obstacle or generation != self.history.generation:
            return EVERYTHING
        if not self.functions.isdisjoint(analysis.functions):
            return EVERYTHING
        return analysis.writes

    def _step(self, connection: driver.Connection) -> Step | None:
        """What the database looks like before a commit; none when the commit need not, or cannot, be explained.

        An unfinished writing cursor commits at any time, so nothing can be explained while there is one. The own
        version need not be read anew: an older one can only show more commits of others.
        """
        if not self._entries.fills or self.private or self.unsettled or self.obstacle:
            return None
        if self._unfinished_write:
            if has_unfinished_cursor(connection):
                return None
            self._unfinished_write = False
        if self._version is None:
            return None
        label = self.current_label(connection)
        return Step(self._version, label, self.history.generation) if label else None

    def _get_ready(self, connection: driver.Connection) -> None:
        """Ask what a commit's explanation needs, while no transaction is open: in one, to ask could take a lock."""
        if self.private or not self._entries.fills or connection.text_factory is not str:
            return
        if self.unsettled:
            self._settle(connection)
        if self._version is None:
            self._version = self._own_version(connection)

    def _explain(self, connection: driver.Connection, before: Step, writes: frozenset[str]) -> None:
        """Explain the way from the label before to the label now by `writes`, if nobody else committed in between.

        To the connection's own `data_version` its own commits do not show, those of others do.
        """
        label = self._observer.label(connection)
        self._version = self._own_version(connection)
        alone = self._version == before.version
        if label > before.label and alone and before.generation == self.history.generation:
            self.history.record(before.label, label, writes)

    def _begin(self, connection: driver.Connection) -> None:
        """A transaction was opened; an unfinished cursor would have fixed its snapshot already."""
        self._forget_transaction()
        self._saw_begin = True
        self.unchecked = self.unchecked and has_unfinished_cursor(connection)

    def _forget_transaction(self) -> None:
        self._pin = self._pinned_changes = 0
        self._saw_begin = False
        self._writes = None
        self._write_generation = -1

    @staticmethod
    def _own_version(connection: driver.Connection) -> int | None:
        try:
            return int(driver.Cursor(connection).execute("PRAGMA data_version").fetchone()[0])
        except driver.Error:
            return None
