"""Reads of accounts."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet
from django.db.models.functions import Lower
from oauth2_provider.models import get_application_model

from chassis.queries import beginnings, with_words

from .domain import lock_end
from .models import (
    SEEN,
    SORTED_NAME,
    WORDS,
    Account,
    AccountChange,
    ApplicationChange,
    BrowserSession,
    Consent,
    Mail,
    OneTimeLink,
    RelyingParty,
)

# Words that more than COMMON of the FIRST accounts by name have are common.
FIRST, COMMON = 500, 20
STATUSES = {
    "active": Q(is_active=True, email_confirmed_at__isnull=False),
    "invited": Q(is_active=True, email_confirmed_at__isnull=True),
    "deactivated": Q(is_active=False),
}


def accounts_search(*, text: str = "", role: str = "", status: str = "") -> QuerySet[Account]:
    """Accounts where each word of `text` begins a word of name, address or position. Empty arguments choose all.

    A word with an @ begins the address: Postgres takes a whole address for one word, but not a part of one.
    """
    accounts: QuerySet[Account] = Account.objects.annotate(sorted_name=SORTED_NAME, seen_at=SEEN)
    words = text.replace("\0", "").split()
    if plain := [word for word in words if "@" not in word]:
        query = beginnings(plain)
        accounts = with_words(
            accounts.alias(words=WORDS),
            match=ExpressionWrapper(Q(words=query), output_field=BooleanField()),
            ids=Account.objects.alias(words=WORDS).filter(words=query).values("pk"),
            order=("sorted_name", "id"),
            first=FIRST,
            common=COMMON,
        )
    for word in words:
        if "@" in word:
            accounts = accounts.filter(email__startswith=word.lower())
    if role:
        accounts = accounts.filter(role=role)
    return accounts.filter(STATUSES[status]) if status else accounts


def account_history(account_id: UUID) -> QuerySet[AccountChange]:
    """What was changed of an account, newest first."""
    return AccountChange.objects.filter(account_id=account_id).order_by("-id")


def account_names(ids: Iterable[str]) -> dict[str, str]:
    """Names by id, for history; `system` is nobody's."""
    wanted = {UUID(text) for text in ids if len(text) == len(str(UUID(int=0)))}
    return {str(account.pk): account.name for account in Account.objects.filter(pk__in=wanted)}


def browser_open(sid: str) -> BrowserSession | None:
    """The signed-in browser with this `sid`, unless it is signed out."""
    return BrowserSession.objects.filter(pk=sid, ended_at__isnull=True).first()


def session_expiry(browser: BrowserSession) -> datetime:
    """When a signed-in browser has to sign in again (U1); the beginning of its session if that is gone."""
    session = Session.objects.filter(pk=browser.session_key).first()
    return session.expire_date if session else browser.started_at


def relying_party(client_id: str) -> RelyingParty | None:
    """What is known of an OAuth client beside OAuth; nothing for an id that no text column takes."""
    return None if "\0" in client_id else RelyingParty.objects.filter(client_id=client_id).first()


def plain_http_allowed() -> bool:
    """Whether applications may have http addresses on a loopback: only where auth itself has no TLS."""
    return "http" in settings.OAUTH2_PROVIDER["ALLOWED_REDIRECT_URI_SCHEMES"]


def applications() -> QuerySet[RelyingParty]:
    """All applications, our own services among them, with their name as it is sorted."""
    return RelyingParty.objects.annotate(sorted_name=Lower("name"))


def redirect_uris_of(client_ids: Iterable[str]) -> dict[str, list[str]]:
    """Redirect addresses by client id."""
    found = get_application_model().objects.filter(client_id__in=[name for name in client_ids if "\0" not in name])
    return {client_id: uris.split() for client_id, uris in found.values_list("client_id", "redirect_uris")}


def application_fields(party: RelyingParty) -> dict[str, Any]:
    """What history remembers of an application; never its secret."""
    return {
        "name": party.name,
        "client_id": party.client_id,
        "redirect_uris": "\n".join(redirect_uris_of([party.client_id]).get(party.client_id, [])),
        "backchannel_logout_uri": party.backchannel_logout_uri,
    }


def application_history(party_id: int | None = None) -> QuerySet[ApplicationChange]:
    """What was changed of an application, or of all, newest first."""
    changes = (
        ApplicationChange.objects.all() if party_id is None else ApplicationChange.objects.filter(party_id=party_id)
    )
    return changes.order_by("-id")


def people_with_consent(client_id: str) -> int:
    """How many accounts let the application see who they are."""
    return Consent.objects.filter(client_id=client_id, withdrawn_at__isnull=True).count()


def consents_of(account_id: UUID) -> list[tuple[Consent, RelyingParty]]:
    """The applications that see the account's data, by name."""
    consents = {row.client_id: row for row in Consent.objects.filter(account_id=account_id, withdrawn_at__isnull=True)}
    parties = RelyingParty.objects.filter(client_id__in=consents).order_by("name")
    return [(consents[party.client_id], party) for party in parties]


def consent_covers(*, account_id: UUID, client_id: str, scopes: str) -> bool:
    """Whether the account has let the client see all of `scopes` already."""
    consent = Consent.objects.filter(account_id=account_id, client_id=client_id, withdrawn_at__isnull=True).first()
    return consent is not None and consent.covers(scopes)


@dataclass(frozen=True, slots=True)
class Lock:
    """Signing in to an account is locked from one network address until then."""

    address: str
    failures: int
    until: datetime


def account_locks(email: str, *, address: str | None = None, now: datetime) -> list[Lock]:
    """The sign-in locks of an e-mail address, there or not; from one network address if it is given."""
    lasts = settings.AXES_COOLOFF_TIME
    rows = AccessAttempt.objects.filter(username=email, attempt_time__gt=now - lasts).order_by("ip_address")
    if address is not None:
        rows = rows.filter(ip_address=address)
    locks = []
    for found, group in groupby(rows, key=lambda row: row.ip_address):
        failures = [(row.attempt_time, row.failures_since_start) for row in group]
        until = lock_end(failures, limit=settings.AXES_FAILURE_LIMIT, lasts=lasts)
        if until is not None:
            locks.append(Lock(found or "", sum(count for _, count in failures), until))
    return locks


def mails_of(account_id: UUID) -> QuerySet[Mail]:
    """The latest mails to an account, with how each went."""
    return Mail.objects.filter(account_id=account_id).order_by("-id")[:5]


def link_of(token_hash: str) -> tuple[OneTimeLink, Account] | None:
    """A link, open or not, and whose it is; None if there never was one, or if its account lost access."""
    link = OneTimeLink.objects.filter(pk=token_hash).first()
    account = Account.objects.filter(pk=link.account_id, is_active=True).first() if link else None
    return (link, account) if link and account else None


def has_open_link(account_id: UUID, *, now: datetime) -> bool:
    """Whether a mail with a link is on its way to the account, or there, that can still be used."""
    return OneTimeLink.objects.filter(account_id=account_id, used_at__isnull=True, expires_at__gt=now).exists()
