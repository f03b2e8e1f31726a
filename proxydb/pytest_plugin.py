"""The pytest plugin: shows what a test suite asks of its databases, and fails a test that asks too often.

Until `--proxydb-report` or a `max_statements` mark asks for it, nothing is patched and no driver is loaded.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator

_NAME = "proxydb-statements"
_TERMINAL = "-"
_SHOWN = 10
_NAMED = 5
_WORKER = "proxydb"


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option `--proxydb-report`."""
    parser.getgroup("proxydb").addoption(
        "--proxydb-report",
        nargs="?",
        const=_TERMINAL,
        metavar="FILE",
        help="show the statements that the tests execute; =FILE (.html, .json or .txt) writes the report into a file",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Begin, when the option is given."""
    config.addinivalue_line("markers", "max_statements(n): fail the test when it executes more than n SQL statements")
    if file := config.getoption("--proxydb-report"):
        _check(file)
        _begin(config, file)


def _check(file: str) -> None:
    """A test file that stands after the option must not be taken for the report's name, and written over."""
    from proxydb.observe.report import writer_for

    try:
        if file != _TERMINAL:
            writer_for(file)
    except ValueError as error:
        raise pytest.UsageError(f"--proxydb-report={file}: {error}") from None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin, when a test has a limit."""
    if not config.pluginmanager.has_plugin(_NAME) and any(item.get_closest_marker("max_statements") for item in items):
        _begin(config, None)


def _begin(config: pytest.Config, file: str | None) -> None:
    config.pluginmanager.register(Statements(file), _NAME)


class Statements:
    """Counts the statements of each test.

    Parameters
    ----------
    file
        Where the report goes: a file, ``"-"`` for the terminal alone, none for nowhere.
    """

    def __init__(self, file: str | None) -> None:
        from dataclasses import replace

        import proxydb

        self._file = file
        self._profile = proxydb.install(replace(proxydb.Config.from_environment(), cache="off"), quiet=True)
        self._tests: Counter[str] = Counter()
        self._of_workers: list[dict[str, Any]] = []

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Count what a test executes with its fixtures."""
        before = self._executed()
        result = yield
        if number := (self._executed() - before).total():
            self._tests[item.nodeid] += number
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Fail a test that executes more than its limit, without its fixtures."""
        mark = item.get_closest_marker("max_statements")
        if mark is None:
            return (yield)
        limit = _limit(mark)
        before = self._executed()
        result = yield
        executed = self._executed() - before
        if executed.total() > limit:
            pytest.fail(_too_many(executed, limit), pytrace=False)
        return result

    def _executed(self) -> Counter[str]:
        """How often each statement was executed so far, the ends of transactions left out."""
        counts: Counter[str] = Counter()
        for (_, _, fingerprint), (tally, kind) in self._profile.tallies().items():
            if kind != "transaction":
                counts[fingerprint] += tally.calls
        return counts

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """A worker of pytest-xdist hands over what it has counted."""
        output = getattr(session.config, "workeroutput", None)
        if output is not None:
            output[_WORKER] = json.dumps({"snapshot": self._profile.snapshot(), "tests": self._tests})

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """A worker of pytest-xdist has ended."""
        if told := getattr(node, "workeroutput", {}).get(_WORKER):
            counted = json.loads(told)
            self._tests.update(counted["tests"])
            self._of_workers.append(counted["snapshot"])

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Show what there is."""
        if self._file is None:
            return
        from proxydb.observe.report import ProfileReport

        report = ProfileReport.of([self._profile.snapshot(), *self._of_workers])
        terminalreporter.section("statements (proxydb)")
        for test, number in self._tests.most_common(_SHOWN):
            terminalreporter.write_line(f"{number:8,}  {test}")
        terminalreporter.write_line("")
        if self._file == _TERMINAL:
            terminalreporter.write(str(report))
        else:
            report.save(self._file)
            terminalreporter.write_line(f"the report is in {self._file}")

    def pytest_unconfigure(self) -> None:
        """The session is over."""
        import proxydb

        proxydb.uninstall()


def _limit(mark: pytest.Mark) -> int:
    """The number of a `max_statements` mark."""
    values = [*mark.args, *mark.kwargs.values()]
    if len(values) != 1 or type(values[0]) is not int or values[0] < 0:
        pytest.fail(f"max_statements takes one number, as in max_statements(10), not {values}", pytrace=False)
    return int(values[0])


def _too_many(executed: Counter[str], limit: int) -> str:
    from proxydb.observe.report_text import counted, cut

    frequent = "\n".join(f"{number:8,}x  {cut(statement)}" for statement, number in executed.most_common(_NAMED))
    return f"{counted(executed.total(), 'statement')}, at most {limit} are allowed; the most frequent:\n{frequent}"
