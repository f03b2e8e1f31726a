"""`proxydb run` around servers with several processes: gunicorn, and the standard library's forking one."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from tests.docs.pages import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TIMEOUT = 60
SHOP = """
import os, sqlite3

def shop(environ, start_response):
    connection = sqlite3.connect("shop.db")
    connection.execute("SELECT 'a request'").fetchall()
    for number in range(12):
        connection.execute("SELECT ?", (number,)).fetchall()
    connection.close()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(os.getpid()).encode()]
"""
FORKING = f"""{SHOP}
import socketserver
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

class Server(socketserver.ForkingMixIn, WSGIServer):
    address_family = __import__("socket").AF_UNIX
    def server_bind(self):
        self.socket.bind(self.server_address)
        self.server_name = self.server_port = ""
        self.setup_environ()

class Handler(WSGIRequestHandler):
    def address_string(self):
        return "here"
    def get_environ(self):
        self.client_address = ("", 0)
        return super().get_environ()
    def log_message(self, *_):
        pass

server = Server("socket", Handler)
server.set_app(shop)
try:
    server.serve_forever()
except KeyboardInterrupt:
    server.server_close()
"""


class Connection(http.client.HTTPConnection):
    """A connection to a Unix socket."""

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.host)


def get(path: Path) -> str:
    """The answer of the server that listens at `path`."""
    deadline = time.monotonic() + TIMEOUT
    while True:
        with closing(Connection(str(path))) as connection:
            try:
                connection.request("GET", "/", headers={"Host": "here", "Connection": "close"})
                return connection.getresponse().read().decode()
            except OSError:
                assert time.monotonic() < deadline
                time.sleep(0.05)


@contextmanager
def running(directory: Path, *command: str) -> Iterator[subprocess.Popen[str]]:
    """A server under `proxydb run`."""
    process = subprocess.Popen(
        [sys.executable, "-m", "proxydb.cli", "run", "--report", "report.json", "--", *command],
        cwd=directory,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no threads here
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=TIMEOUT)


def report(directory: Path) -> dict[str, Any]:
    """What was reported."""
    told: dict[str, Any] = json.loads((directory / "report.json").read_text(encoding="utf-8"))
    return told


def counted(directory: Path) -> tuple[dict[str, int], list[tuple[int, int]]]:
    """Calls of each statement, and the runs and the largest of each group."""
    told = report(directory)
    calls = {each["fingerprint"]: each["calls"] for each in told["statements"]}
    return calls, [(group["runs"], group["largest"]) for group in told["repeated"]]


def test_gunicorn(tmp_path: Path) -> None:
    """Workers are added up, each request is a run of its own, SIGUSR1 gives a report while it serves."""
    (tmp_path / "app.py").write_text(SHOP)
    command = [sys.executable, "-m", "gunicorn", "-w", "2", "-b", "unix:socket", "--log-level", "error", "app:shop"]
    with running(tmp_path, *command) as process:
        workers = {get(tmp_path / "socket") for _ in range(20)}
        process.send_signal(signal.SIGUSR1)
        assert process.stderr is not None
        assert process.stderr.readline() == "proxydb: the report is in report.json\n"
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=TIMEOUT)
    assert (process.returncode, said) == (0, "proxydb: the report is in report.json\n")
    assert counted(tmp_path) == ({"select ?": 20 * 13}, [(20, 12)])
    assert report(tmp_path)["processes"] == len(workers)


def test_a_process_for_each_request(tmp_path: Path) -> None:
    """Children that end with `os._exit` are added up."""
    (tmp_path / "app.py").write_text(FORKING)
    with running(tmp_path, sys.executable, "app.py") as process:
        children = {get(tmp_path / "socket") for _ in range(6)}
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=TIMEOUT)
    assert (process.returncode, len(children)) == (0, 6)
    assert (counted(tmp_path), report(tmp_path)["processes"]) == (({"select ?": 6 * 13}, [(6, 12)]), 6)
