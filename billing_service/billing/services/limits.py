"""Time limits of a transaction that are not those of the connection."""

from django.db import connection


def take_time() -> None:
    """Lift the limit on statements, until the transaction ends: a hash over millions of entries takes minutes."""
    _set("statement_timeout", "0")


def lock_briefly() -> None:
    """Give a lock up after a second, until the transaction ends: whoever waits for it holds up all behind."""
    _set("lock_timeout", "1s")


def _set(name: str, value: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, true)", [name, value])
