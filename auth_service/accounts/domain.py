"""Rules of accounts: who may become what, what an application's address may be, how long a link or a lock lasts.
No Django, no clock.
"""

import hashlib
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

ADMIN, MANAGER, FINANCE, WORKER = "admin", "manager", "finance", "worker"
ROLES = (ADMIN, MANAGER, FINANCE, WORKER)

CLOSED, DOMAINS, OPEN = "closed", "domains", "open"
SIGN_UP_POLICIES = (CLOSED, DOMAINS, OPEN)

SYSTEM = "system"  # the actor where no account acted: a command, a person's own link

REMEMBERED = timedelta(days=30)  # U1: remember me
NOT_REMEMBERED = timedelta(hours=12)

INVITATION, SIGN_UP, RESET, OPERATOR = "invitation", "sign_up", "reset", "operator"
LINK_LIFETIMES = {
    INVITATION: timedelta(hours=72),  # U2
    SIGN_UP: timedelta(hours=72),
    RESET: timedelta(hours=1),
    OPERATOR: timedelta(hours=24),
}

ADDRESS_LENGTH = 400
REDIRECT_URIS = 10
_LOOPBACK = ("127.0.0.1", "localhost")  # not [::1]: a content security policy cannot name it
_ADDRESS = re.compile(r"[!-~]+")

_EMAIL = re.compile(r"[^@\s\x00-\x1f,;<>\"]{1,64}@[^@\s\x00-\x1f,;<>\"]+\.[^@\s\x00-\x1f,;<>\"]+")
_EMAIL_LENGTH = 254


class Refused(Exception):
    """A rule forbids the change. `code` says which: the pages have a sentence for each."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What an account may do: its role, and whether it may sign in at all."""

    role: str
    is_active: bool

    @property
    def is_active_admin(self) -> bool:
        return self.is_active and self.role == ADMIN


def email_normalized(text: str) -> str:
    """The address in the one form that is stored and compared (U1: unique regardless of case).

    Raises Refused("email") for what is no address, or none that mail can be sent to: a part of the domain may be short
    enough to read and too long in the form in which DNS has it (IDNA, 63 characters).
    """
    email = text.strip().lower()
    if len(email) > _EMAIL_LENGTH or not _EMAIL.fullmatch(email):
        raise Refused("email")
    try:
        email.rpartition("@")[2].encode("idna")
    except UnicodeError as error:
        raise Refused("email") from error
    return email


def sign_up_allowed(email: str, *, policy: str, domains: Collection[str]) -> bool:
    """U1: `closed` lets nobody in, `open` everybody, `domains` whose address has exactly one of them after the @."""
    if policy == OPEN:
        return True
    return policy == DOMAINS and email.rpartition("@")[2] in {domain.strip().lower() for domain in domains}


def standing_changed(before: Standing, after: Standing, *, other_admins: int) -> None:
    """U2: raises Refused if the change is none, names no role, or takes the last active admin away.

    `other_admins` is the number of active admins beside this account, counted under the lock of all of them.
    """
    if after.role not in ROLES:
        raise Refused("role")
    if before == after:
        raise Refused("unchanged")
    if before.is_active_admin and not after.is_active_admin and other_admins < 1:
        raise Refused("last_admin")


def redirect_uri_checked(text: str, *, plain_http: bool) -> str:
    """U3: one exact address to which a person is sent back: https, or http on a loopback address if `plain_http`.

    Raises Refused: `uri`, `uri_scheme`, `uri_fragment`, `uri_wildcard`.
    """
    uri = text.strip()
    if not _ADDRESS.fullmatch(uri) or len(uri) > ADDRESS_LENGTH or "\\" in uri:
        raise Refused("uri")
    if "#" in uri:
        raise Refused("uri_fragment")
    if "*" in uri:
        raise Refused("uri_wildcard")
    try:
        place = urlsplit(uri)
        host, _ = place.hostname, place.port
    except ValueError as error:
        raise Refused("uri") from error
    if not host or "@" in place.netloc:
        raise Refused("uri")
    if place.scheme == "https" or (place.scheme == "http" and plain_http and host in _LOOPBACK):
        return uri
    raise Refused("uri_scheme")


def lock_end(failures: Iterable[tuple[datetime, int]], *, limit: int, lasts: timedelta) -> datetime | None:
    """U2: when a sign-in lock ends; None if there are fewer than `limit` failures.

    `failures` are (time of the last one, how many), each forgotten `lasts` after its time.
    """
    rows = sorted(failures)
    left = sum(count for _, count in rows)
    for moment, count in rows:
        if left < limit:
            return None
        left -= count
        if left < limit:
            return moment + lasts
    return None


def token_hash(token: str) -> str:
    """What is stored of a one-time link: who reads the database cannot use it."""
    return hashlib.sha256(token.encode()).hexdigest()
