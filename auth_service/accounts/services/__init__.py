"""Use cases of accounts. Each writes, keeps history and publishes in one transaction."""

from .accounts import (
    account_create,
    account_deactivate,
    account_reactivate,
    account_role_change,
    account_update,
    admin_restore,
)
from .links import invite, link_open, link_use, password_change, password_reset_request, sign_up
from .logouts import logouts_send
from .mail import mail_send
from .relying_parties import relying_party_provision
from .sessions import session_end, session_start, sessions_tidy

__all__ = [
    "account_create",
    "account_deactivate",
    "account_reactivate",
    "account_role_change",
    "account_update",
    "admin_restore",
    "invite",
    "link_open",
    "link_use",
    "logouts_send",
    "mail_send",
    "password_change",
    "password_reset_request",
    "relying_party_provision",
    "session_end",
    "session_start",
    "sessions_tidy",
    "sign_up",
]
