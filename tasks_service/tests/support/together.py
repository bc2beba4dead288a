"""Two use cases at once, each in a transaction on a connection of its own."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from django.db import connection, transaction


class Held:
    """Runs a use case in a transaction that stays open until `commit`."""

    def __init__(self, use_case: Callable[[], Any]) -> None:
        self._done, self._ran = threading.Event(), threading.Event()
        self._pool = ThreadPoolExecutor(1)
        self._outcome = self._pool.submit(self._run, use_case)
        assert self._ran.wait(10)

    def _run(self, use_case: Callable[[], Any]) -> Any:
        try:
            with transaction.atomic():
                try:
                    result = use_case()
                finally:
                    self._ran.set()
                assert self._done.wait(10)
            return result
        finally:
            connection.close()

    def commit(self) -> Any:
        self._done.set()
        return self._outcome.result(10)


def meanwhile(use_case: Callable[[], Any]) -> Future[Any]:
    """Starts a use case and returns once it waits for a lock."""

    def run() -> Any:
        try:
            return use_case()
        finally:
            connection.close()

    outcome = ThreadPoolExecutor(1).submit(run)
    deadline = time.monotonic() + 10
    while not outcome.done() and not _somebody_waits():
        assert time.monotonic() < deadline, "it neither ended nor waited"
        time.sleep(0.01)
    return outcome


def _somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return cursor.fetchone()[0] > 0
