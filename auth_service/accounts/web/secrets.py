"""A new client secret between the form that made it and the one page that shows it."""

import time

from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest
from django.shortcuts import resolve_url

KEY = "application_secret"
SHOWN_WITHIN_SECONDS = 300


def secret_keep(request: HttpRequest, party_id: int, secret: str) -> str:
    """Keeps the secret in the admin's own session until its page is opened, once; returns that page's address.

    Not in the answer to the form: of a form sent twice the browser shows the second answer only. Saved in the
    transaction that made the secret, and not again after it, when the page may have been opened already.
    """
    request.session[KEY] = {"party": party_id, "secret": secret, "at": time.time()}
    request.session.save()
    request.session.modified = False
    return resolve_url("application_secret", party_id=party_id)


def secret_is_kept(request: HttpRequest, party_id: int) -> bool:
    """Whether a new secret waits to be shown; read anew, for a form that was sent twice at once."""
    kept = SessionStore(request.session.session_key).get(KEY)
    return kept is not None and kept["party"] == party_id


def secret_take(request: HttpRequest, party_id: int) -> str:
    """The secret, which is nowhere from then on; empty if it was shown before or waited too long."""
    kept = request.session.pop(KEY, None)
    if kept is None or kept["party"] != party_id or time.time() - kept["at"] > SHOWN_WITHIN_SECONDS:
        return ""
    return str(kept["secret"])
