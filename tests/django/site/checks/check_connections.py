"""Connections that end with a request, persistent ones, lost ones, and those of other threads."""

from __future__ import annotations

from typing import Any

from django.core.signals import request_finished, request_started
from django.db import connection
from library.models import Book

from checks.beside import in_plain_connection, in_thread
from checks.cases import Case, hits


def request() -> tuple[int, Any]:
    """What a request does with the connection: it may open one, reads, and may close it."""
    request_started.send(None)
    try:
        return Book.objects.count(), connection.connection
    finally:
        request_finished.send(None)


class Connections(Case):
    """The life of connections, as settings have it."""

    def setUp(self) -> None:
        super().setUp()
        settings = dict(connection.settings_dict)
        self.addCleanup(connection.close)
        self.addCleanup(connection.settings_dict.update, settings)

    def ages(self, seconds: int | None) -> None:
        connection.close()
        connection.settings_dict["CONN_MAX_AGE"] = seconds

    def test_each_request_its_own(self) -> None:
        self.ages(0)
        seen = [request() for _ in range(3)]
        self.assertEqual([6, 6, 6], [count for count, _ in seen])
        self.note(seen[0][1] is seen[1][1])
        self.assertServed(lambda: request()[0])

    def test_persistent(self) -> None:
        if connection.settings_dict["OPTIONS"].get("pool"):
            self.skipTest("a pool has no persistent connections")
        self.ages(None)
        seen = [request() for _ in range(3)]
        self.assertEqual([6, 6, 6], [count for count, _ in seen])
        self.assertIs(seen[0][1], seen[2][1])

    def test_lost(self) -> None:
        if connection.vendor != "postgresql" or connection.settings_dict["OPTIONS"].get("pool"):
            self.skipTest("needs Postgres without a pool")
        self.ages(None)
        connection.settings_dict["CONN_HEALTH_CHECKS"] = True
        _, lost = request()
        in_plain_connection(f"SELECT pg_terminate_backend({lost.info.backend_pid})")
        count, found = request()
        self.assertEqual((6, False), (count, found is lost))

    def test_threads(self) -> None:
        self.read(Book.objects.count)
        before = hits()
        self.assertEqual([6, 6], [in_thread(Book.objects.count) for _ in range(2)])
        if before is not None:
            self.assertGreater(hits(), before)
        in_thread(Book.objects.filter(title="Dune").delete)
        self.assertEqual(5, self.read(Book.objects.count))

    def test_shell(self) -> None:
        self.note(connection.client.settings_to_cmd_args_env(connection.settings_dict, ["more"]))
