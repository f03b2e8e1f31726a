"""`proxydb run` around real programs: the application sees no difference, and the report has what it asked."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest

from tests.docs.pages import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

COMMAND = [sys.executable, "-m", "proxydb.cli", "run"]
TIMEOUT = 120
READ = """
import sqlite3
def read(times):
    connection = sqlite3.connect("app.db")
    for number in range(times):
        connection.execute("SELECT ?", (number,)).fetchall()
    connection.close()
"""


class Runner:
    """Runs programs in a directory of their own.

    Parameters
    ----------
    directory
        Where the programs are written and run.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONFAULTHANDLER": ""}

    def write(self, text: str, name: str = "app.py") -> str:
        """A file with a program."""
        (self.directory / name).write_text(dedent(text), encoding="utf-8")
        return name

    def plain(self, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """Run a command by itself."""
        return subprocess.run(
            command,
            cwd=self.directory,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT,
        )

    def run(self, *command: str, options: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
        """Run a command under `proxydb run`, which writes its report into `report.json`."""
        return self.plain([*COMMAND, "--report", "report.json", *options, "--", *command])

    def python(self, text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a program under `proxydb run`."""
        return self.run(sys.executable, self.write(text), *arguments)

    @property
    def report(self) -> dict[str, Any]:
        """What was reported."""
        told: dict[str, Any] = json.loads((self.directory / "report.json").read_text(encoding="utf-8"))
        return told

    @property
    def calls(self) -> dict[str, int]:
        """How often each statement was executed."""
        return {each["fingerprint"]: each["calls"] for each in self.report["statements"]}


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    """Runs programs in a directory of their own."""
    return Runner(tmp_path)


SAYS = "proxydb: the report is in report.json\n"

# The application sees no difference ───────────────────────────────────────────────────────────────────────────────────

ENDS = {
    "well": "print('done')",
    "a status": "import sys; sys.exit(7)",
    "a message": "import sys; sys.exit('no')",
    "an exception": "connection.execute('SELEC')",
    "an exception in a thread": """
        import threading
        thread = threading.Thread(target=lambda: sqlite3.connect(':memory:').executescript('SELEC'))
        thread.start(), thread.join()
    """,
    "os._exit": "import os; os._exit(9)",
    "SIGKILL": "import os; os.kill(os.getpid(), 9)",
    "SIGTERM": "import os; os.kill(os.getpid(), 15)",
    "SIGABRT": "import os; os.abort()",
    "a warning": "import warnings; warnings.warn('look', stacklevel=1)",
    "what it is": """
        import sys, threading
        print(sys.argv, __name__, __file__, sys.path, 'sitecustomize' in sys.modules, threading.enumerate())
        print(connection, connection.cursor(), sqlite3.connect, sys.excepthook, connection.in_transaction)
    """,
    "exec": "import os, sys; os.execv(sys.executable, [sys.executable, '-c', 'print(1)'])",
}


def without_addresses(text: str) -> str:
    """What is printed, without the addresses of objects and the numbers of threads."""
    return re.sub(r"0x[0-9a-f]+|Thread-\d+|started \d+", "…", text)


@pytest.mark.parametrize("end", ENDS)
def test_the_application_sees_no_difference(end: str, runner: Runner) -> None:
    """Exit status, death by a signal, output, messages and tracebacks are those of the program by itself."""
    program = "import sqlite3\nconnection = sqlite3.connect(':memory:')\nconnection.execute('SELECT 1')\n"
    name = runner.write(program + dedent(ENDS[end]))
    expected = runner.plain([sys.executable, name, "an argument"])
    actual = runner.run(sys.executable, name, "an argument")
    assert (actual.returncode, without_addresses(actual.stdout)) == (
        expected.returncode,
        without_addresses(expected.stdout),
    )
    assert without_addresses(actual.stderr.replace(SAYS, "")) == without_addresses(expected.stderr)
    if end not in ("SIGKILL", "SIGTERM", "SIGABRT"):
        assert runner.calls["select ?"] == 1


def test_a_sitecustomize_of_its_own(runner: Runner) -> None:
    """The one that the environment has runs, and is the module of that name."""
    (runner.directory / "site").mkdir()
    runner.write("print('customized')", "site/sitecustomize.py")
    runner.environment["PYTHONPATH"] = f"{runner.directory / 'site'}{os.pathsep}{ROOT}"
    done = runner.python(READ + "read(1)\nimport sitecustomize, sys\nprint(sitecustomize.__file__, sys.path[1:3])")
    assert done.stdout.splitlines()[-2:] == [  # this Python's own proxydb says it, too
        "customized",
        f"{runner.directory / 'site' / 'sitecustomize.py'} {[str(runner.directory / 'site'), str(ROOT)]}",
    ]
    assert runner.calls == {"select ?": 1}


def test_where_proxydb_is_not_installed(runner: Runner) -> None:
    """An interpreter that cannot import it runs the program all the same, and the report says that there is nothing."""
    done = runner.run(sys.executable, "-I", "-S", "-c", "import sqlite3; print(sqlite3.connect(':memory:'))")
    assert (done.returncode, done.stdout[:27]) == (0, "<sqlite3.Connection object ")
    assert "no Python process of the command has loaded sqlite3 or psycopg" in done.stderr


# Which processes ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_module(runner: Runner) -> None:
    """``-m module`` is run by this Python."""
    (runner.directory / "package").mkdir()
    runner.write(READ + "import sys\nprint(sys.argv[1:], __name__)\nread(3)", "package/__main__.py")
    done = runner.run("-m", "package", "-x", "--report")
    assert (done.stdout, runner.calls) == ("['-x', '--report'] __main__\n", {"select ?": 3})


def test_a_script_without_its_interpreter(runner: Runner) -> None:
    """A script that cannot be executed is run by this Python."""
    runner.run(runner.write(READ + "read(2)"))
    assert runner.calls == {"select ?": 2}


PROCESSES = {
    "a subprocess": "subprocess.run([sys.executable, '-c', 'import app; app.read(30)'], check=True)",
    "a shell": "subprocess.run(f'{sys.executable} -c \"import app; app.read(30)\"', shell=True, check=True)",
    "spawn": "start('spawn')",
    "fork": "start('fork')",
    "forkserver": "start('forkserver')",
    "os.fork and os._exit": "os.fork() or (read(30), os._exit(0))\n    os.wait()",
    "os.fork and exec": """os.fork() or os.execv(sys.executable, [sys.executable, '-c', 'import app; app.read(30)'])
    os.wait()""",
}


@pytest.mark.parametrize("how", PROCESSES)
def test_processes_that_it_starts(how: str, runner: Runner) -> None:
    """Whatever way a process is started, its statements are added to the others, and none is counted twice."""
    program = f"""{READ}
import multiprocessing, os, subprocess, sys
def start(method):
    process = multiprocessing.get_context(method).Process(target=read, args=(30,))
    process.start(), process.join()
if __name__ == "__main__":
    read(20)
    {PROCESSES[how]}
    read(12)
"""
    done = runner.python(program)
    assert (done.returncode, done.stderr) == (0, SAYS)
    assert (runner.calls, runner.report["processes"]) == ({"select ?": 62}, 2)
    assert [(group["runs"], group["calls"], group["largest"]) for group in runner.report["repeated"]] == [(2, 62, 32)]


def test_a_pool_of_processes(runner: Runner) -> None:
    """The workers of `concurrent.futures` are profiled; those that did nothing count as no process."""
    program = f"""{READ}
from concurrent.futures import ProcessPoolExecutor
if __name__ == "__main__":
    with ProcessPoolExecutor(2) as pool:
        list(pool.map(read, [10] * 8))
"""
    runner.python(program)
    assert (runner.calls, runner.report["processes"] <= 2) == ({"select ?": 80}, True)


def test_threads(runner: Runner) -> None:
    """Statements of threads are counted, all of them."""
    program = f"""{READ}
import threading
threads = [threading.Thread(target=read, args=(500,)) for _ in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""
    runner.python(program)
    assert runner.calls == {"select ?": 2000}


# What is reported ─────────────────────────────────────────────────────────────────────────────────────────────────────

SHOP = """
import sqlite3
connection = sqlite3.connect("shop.db")
connection.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, city TEXT)")
connection.executemany("INSERT INTO orders (city) VALUES (?)", [("Oslo",)] * 30_000)
connection.commit()
for number in range(25):
    connection.execute("SELECT * FROM orders WHERE id = ?", (number,)).fetchone()
for _ in range(3):
    connection.execute("SELECT count(*) FROM orders WHERE city LIKE '%secret%' OR city LIKE '%t%'").fetchall()
try:
    connection.execute("SELECT nothing FROM orders")
except sqlite3.Error:
    pass
connection.close()
"""


def test_a_report(runner: Runner) -> None:
    """Statements, N+1 groups and slow statements, in JSON of version 1."""
    assert runner.run(runner.write(SHOP), options=["--slow-ms", "0.1"]).returncode == 0
    report = runner.report
    assert (report["version"], report["processes"], report["errors"], report["hits"]) == (1, 1, 1, 0)
    [group] = report["repeated"]
    assert (group["calls"], group["site"], group["function"]) == (25, f"{runner.directory / 'app.py'}:8", "<module>")
    slow = {each["fingerprint"]: each for each in report["slow"]}
    counted = slow["select count(*) from orders where city like ? or city like ?"]
    assert (counted["plan"], counted["site"]) == (["SCAN orders"], f"{runner.directory / 'app.py'}:10")
    assert "secret" not in json.dumps(report)
    totals = [each["total"] for each in report["statements"]]
    assert (totals == sorted(totals, reverse=True), report["total"] == pytest.approx(sum(totals))) == (True, True)


def test_the_cache_when_asked(runner: Runner) -> None:
    """``--cache strict`` answers repeated reads from memory, and the report says how many."""
    runner.run(runner.write(SHOP), options=["--cache", "strict"])
    counted = [each for each in runner.report["statements"] if "count(*)" in each["fingerprint"]]
    assert [(each["hits"] > 0, each["hits"] + each["misses"]) for each in counted] == [(True, 3)]


@pytest.mark.parametrize(
    ("options", "begins"),
    [
        ([], "\nproxydb: 32 statements, 1 error, "),
        (["--json"], '{\n  "version": 1,'),
        (["--report", "out.html"], "proxydb: the report is in out.html\n"),
        (["--report", "out.txt"], "proxydb: the report is in out.txt\n"),
        (["--no-report"], ""),
    ],
)
def test_where_the_report_goes(options: list[str], begins: str, runner: Runner) -> None:
    """Without a file it is on the standard error, so the output is the application's own."""
    done = runner.plain([*COMMAND, *options, "--", runner.write(SHOP)])
    assert (done.returncode, done.stdout, done.stderr[: len(begins)]) == (0, "", begins)
    assert bool(done.stderr) == bool(begins)


def test_a_report_on_the_output(runner: Runner) -> None:
    """``--report -`` writes it to the standard output."""
    done = runner.plain([*COMMAND, "--report", "-", "--json", "--", runner.write(SHOP)])
    assert (json.loads(done.stdout)["calls"], done.stderr) == (32, "")


@pytest.mark.parametrize(
    ("options", "status", "told"),
    [
        (["--report", "out.pdf", "--", "true"], 2, ".html, .json, .txt"),
        (["--report", "nowhere/out.html", "--", "true"], 2, "no directory 'nowhere'"),
        (["--slow-ms", "-1", "--", "true"], 2, "'-1' is not a number of milliseconds"),
        (["--cache", "maybe", "--", "true"], 2, "invalid choice"),
        ([], 2, "there is no command"),
        (["--", "no-such-program"], 127, "no-such-program: No such file"),
        (["--", "/"], 126, "/: Permission denied"),
    ],
)
def test_what_cannot_be_run(options: list[str], status: int, told: str, runner: Runner) -> None:
    """A mistake is told in one line; a program that cannot be run has the status that a shell gives."""
    done = runner.plain([*COMMAND, *options])
    assert (done.returncode, done.stderr.count("\n"), told in done.stderr) == (status, 1, True)


def test_on_postgres(runner: Runner, postgres_dsn: str) -> None:
    """psycopg, a pool and SQLAlchemy are recorded, with plans that hold no literal."""
    program = f"""
    import psycopg, psycopg_pool, sqlalchemy
    dsn = {postgres_dsn!r}
    with psycopg.connect(dsn) as connection:
        connection.execute("CREATE TABLE t (a int, b text)")
        for number in range(12):
            connection.execute("INSERT INTO t VALUES (%s, 'secret')", (number,))
    with psycopg_pool.ConnectionPool(dsn, min_size=1, open=True) as pool, pool.connection() as connection:
        connection.execute("SELECT pg_sleep(0.03) FROM t WHERE b = 'secret' AND a < %s", (1,)).fetchall()
    engine = sqlalchemy.create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(dsn))
    with engine.connect() as connection:
        connection.execute(sqlalchemy.text("SELECT a FROM t")).fetchall()
    engine.dispose()
    """
    done = runner.run(runner.write(program), options=["--slow-ms", "20"])
    assert (done.returncode, done.stderr) == (0, SAYS)
    assert runner.calls["select a from t"] == 1
    [plan] = [each["plan"] for each in runner.report["slow"] if each["fingerprint"].startswith("select pg_sleep(?)")]
    assert "Filter: ((a < ?::smallint) AND (b = ?::text))" in "".join(plan)
    assert ("secret" in json.dumps(runner.report), [group["calls"] for group in runner.report["repeated"]]) == (
        False,
        [12],
    )


# Signals ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def default_sigint() -> None:
    """A test run in the background ignores SIGINT, and its children would do so, too."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture
def background(runner: Runner) -> Callable[..., subprocess.Popen[str]]:
    """Starts a program that says `ready` when it is."""

    def start(text: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [*COMMAND, "--report", "report.json", "--", sys.executable, "-u", runner.write(text)],
            cwd=runner.directory,
            env=runner.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=default_sigint,  # noqa: PLW1509 - no threads here
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return process

    return start


WAITING = f"""{READ}
import sys, time
read(5)
try:
    print("ready")
    time.sleep(60)
except KeyboardInterrupt:
    print("interrupted")
    sys.exit(3)
"""


def test_ctrl_c(background: Callable[..., subprocess.Popen[str]], runner: Runner) -> None:
    """The application gets it once and ends as it likes; the report is made, and the status is its own."""
    with background(WAITING) as process:
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=TIMEOUT)
    assert (process.returncode, out, err, runner.calls) == (3, "interrupted\n", SAYS, {"select ?": 5})


def test_ctrl_c_on_a_terminal(runner: Runner) -> None:
    """The terminal's driver signals both processes; the application is not interrupted twice."""
    import pty

    program = f"""{READ}
import signal, time
read(5)
interrupts = []
signal.signal(signal.SIGINT, lambda *_: interrupts.append(1))
print("ready", flush=True)
deadline = time.monotonic() + 30
while not interrupts and time.monotonic() < deadline:
    time.sleep(0.05)
time.sleep(0.5)
print("interrupts:", len(interrupts), flush=True)
"""
    name = runner.write(program)
    pid, terminal = pty.fork()
    if not pid:
        default_sigint()
        os.chdir(runner.directory)
        os.execve(sys.executable, [*COMMAND, "--report", "report.json", "--", sys.executable, name], runner.environment)
    shown = b""
    while not re.search(rb"interrupts: \d+\r\n", shown):
        chunk = os.read(terminal, 4096)
        if b"ready" in chunk:
            os.write(terminal, b"\x03")
        shown += chunk
    status = os.waitpid(pid, 0)[1]
    os.close(terminal)
    assert (status, shown.count(b"interrupts: 1\r\n"), runner.calls) == (0, 1, {"select ?": 5}), shown


def test_sigterm_is_passed_on(background: Callable[..., subprocess.Popen[str]], runner: Runner) -> None:
    """The application dies by it and so does `proxydb run`, but not before what was counted is reported."""
    with background(WAITING) as process:
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=TIMEOUT)
    assert (process.returncode, err, runner.calls) == (-signal.SIGTERM, SAYS, {"select ?": 5})


ENDLESS = f"""{READ}
import os, sys, time
read(5)
if not os.fork():
    read(7)
    open("child", "w").close()
else:
    while not os.path.exists("child"):
        time.sleep(0.02)
    with open("pid", "w") as file:
        file.write(str(os.getpid()))
    print("ready")
while not os.path.exists("stop"):
    time.sleep(0.02)
"""


@pytest.mark.parametrize("whom", ["run", "application"])
def test_sigusr1(whom: str, background: Callable[..., subprocess.Popen[str]], runner: Runner) -> None:
    """Asked for while the application goes on, the report has what all its processes have executed."""
    with background(ENDLESS) as process:
        pid = process.pid if whom == "run" else int((runner.directory / "pid").read_text())
        os.kill(pid, signal.SIGUSR1)
        assert process.stderr is not None
        assert process.stderr.readline() == SAYS
        assert (runner.calls, runner.report["processes"]) == ({"select ?": 12}, 2)
        (runner.directory / "stop").touch()
        process.communicate(timeout=TIMEOUT)
    assert (process.returncode, runner.calls) == (0, {"select ?": 12})


def test_a_handler_of_its_own_for_sigusr1(runner: Runner) -> None:
    """The application's handler stays."""
    program = f"""
import signal, os, sys, time
signal.signal(signal.SIGUSR1, lambda *_: print("mine"))
{READ}
read(5)
os.kill(os.getpid(), signal.SIGUSR1)
print("ready")
"""
    process = runner.python(program)
    assert (process.stdout, runner.calls) == ("mine\nready\n", {"select ?": 5})


def test_other_programs_are_not_signalled(background: Callable[..., subprocess.Popen[str]], runner: Runner) -> None:
    """A child that is not Python, also one that was forked by Python code before, is not sent SIGUSR1."""
    program = f"""{READ}
import os, subprocess, time
read(5)
child = subprocess.Popen(["sleep", "30"], preexec_fn=lambda: None)
print("ready")
while not os.path.exists("stop"):
    time.sleep(0.02)
print(child.poll())
child.kill(), child.wait()
"""
    with background(program) as process:
        process.send_signal(signal.SIGUSR1)
        assert process.stderr is not None
        assert process.stderr.readline() == SAYS
        (runner.directory / "stop").touch()
        out, _ = process.communicate(timeout=TIMEOUT)
    assert (process.returncode, out) == (0, "None\n")
