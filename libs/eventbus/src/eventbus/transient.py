"""Which errors pass by themselves, so that the same is tried again."""

from django.db import InterfaceError, InternalError, OperationalError

from eventbus.errors import TransientError

_LIMIT_EXCEEDED = "54"  # Postgres' class of what is too large or too much
# A primary that became a standby, and sessions ended in their transaction: Django calls them errors within Postgres.
_PASSING = ("25006", "25P03", "25P04")


def is_transient(error: BaseException) -> bool:
    """Whether something is away, slow or locked; not that an event is too much for Postgres, which stays so."""
    sqlstate = str(getattr(error.__cause__, "sqlstate", ""))
    if isinstance(error, InternalError):
        return sqlstate in _PASSING
    return isinstance(error, (TransientError, OperationalError, InterfaceError)) and not sqlstate.startswith(
        _LIMIT_EXCEEDED
    )
