"""Which errors pass by themselves, so that the same is tried again."""

from django.db import InterfaceError, OperationalError

from eventbus.errors import TransientError

_LIMIT_EXCEEDED = "54"  # Postgres' class of what is too large or too much


def is_transient(error: BaseException) -> bool:
    """Whether something is away, slow or locked; not that an event is too much for Postgres, which stays so."""
    if not isinstance(error, (TransientError, OperationalError, InterfaceError)):
        return False
    return not str(getattr(error.__cause__, "sqlstate", "")).startswith(_LIMIT_EXCEEDED)
