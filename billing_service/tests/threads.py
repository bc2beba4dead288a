"""Work on connections of its own, for tests."""

import threading

from django.db import connection, connections


def in_thread(function):
    """Run it on a connection of its own; the returned thread has `outcome` when it ends."""

    def run():
        try:
            thread.outcome = function()
        except BaseException as error:
            thread.outcome = error
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def waiting_for_a_lock(kind):
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = %s", [kind]
        )
        return cursor.fetchone()[0]


def until(condition, seconds=5):
    end = threading.Event()
    for _ in range(int(seconds * 100)):
        if condition():
            return
        end.wait(0.01)
    raise AssertionError("it never came")
