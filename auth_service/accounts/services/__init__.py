"""Use cases of accounts. Each writes, keeps history and publishes in one transaction."""

from .accounts import (
    account_create,
    account_deactivate,
    account_reactivate,
    account_role_change,
    account_update,
    admin_restore,
)
from .applications import application_create, application_delete, application_secret_rotate, application_update
from .consents import consent_give, consent_withdraw
from .links import invite, link_open, link_resend, link_use, password_change, password_reset_request, sign_up
from .locks import account_unlock
from .logouts import logouts_send
from .mail import mail_send
from .relying_parties import relying_party_provision, relying_party_used
from .sessions import session_end, session_start, sessions_tidy

__all__ = [
    "account_create",
    "account_deactivate",
    "account_reactivate",
    "account_role_change",
    "account_unlock",
    "account_update",
    "admin_restore",
    "application_create",
    "application_delete",
    "application_secret_rotate",
    "application_update",
    "consent_give",
    "consent_withdraw",
    "invite",
    "link_open",
    "link_resend",
    "link_use",
    "logouts_send",
    "mail_send",
    "password_change",
    "password_reset_request",
    "relying_party_provision",
    "relying_party_used",
    "session_end",
    "session_start",
    "sessions_tidy",
    "sign_up",
]
