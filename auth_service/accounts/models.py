import uuid
from datetime import UTC, datetime
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.db import models
from django.db.models import Value
from django.db.models.functions import Coalesce, Lower, NullIf

from chassis.outgoing import Outgoing

from . import domain

NEVER = datetime(1970, 1, 1, tzinfo=UTC)
# When the account signed in last, with a value in each row: a list in this order has no holes.
SEEN = Coalesce("last_login", Value(NEVER, output_field=models.DateTimeField()))

# By what pages call people: the name, or the address of who has none; in any case.
SORTED_NAME = Lower(Coalesce(NullIf("full_name", Value("")), "email", output_field=models.CharField()))
WORDS = SearchVector("full_name", "email", "position", config="simple")


class AccountManager(BaseUserManager["Account"]):
    """Finds accounts by their address regardless of case."""

    def get_by_natural_key(self, username: str | None) -> "Account":
        return self.get(email=(username or "").strip().lower())

    def admins(self) -> models.QuerySet["Account"]:
        """Who may administer: active admins with a confirmed address."""
        return self.filter(role=domain.ADMIN, is_active=True, email_confirmed_at__isnull=False)


class Account(AbstractBaseUser):
    """A person's sign-in. The id is the OpenID `sub` and never changes."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(max_length=254)
    full_name = models.CharField(max_length=150, blank=True)
    position = models.CharField(max_length=150, blank=True)
    role = models.CharField(max_length=10, default=domain.WORKER)
    is_active = models.BooleanField(default=True)
    version = models.BigIntegerField(default=1)
    session_epoch = models.BigIntegerField(default=1)
    email_confirmed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    objects: ClassVar[AccountManager] = AccountManager()

    browser_sid = ""  # of the request's browser session; set by the middleware, not stored

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("email"), name="account_email_unique"),
            models.CheckConstraint(condition=models.Q(role__in=domain.ROLES), name="account_role_known"),
        ]
        indexes = [
            models.Index(SORTED_NAME, "id", name="account_by_sorted_name"),
            models.Index(fields=["role", "id"], name="account_by_role"),
            models.Index(fields=["email"], name="account_by_email"),
            models.Index(fields=["email"], name="account_email_prefix", opclasses=["varchar_pattern_ops"]),
            models.Index(SEEN, "id", name="account_by_sign_in"),
            models.Index(fields=["created_at"], name="account_by_creation"),
            # Who is not simply active is rare: found without reading everybody.
            models.Index(SORTED_NAME, "id", name="account_sorted_out", condition=models.Q(is_active=False)),
            models.Index(
                SORTED_NAME,
                "id",
                name="account_sorted_invited",
                condition=models.Q(is_active=True, email_confirmed_at__isnull=True),
            ),
            GinIndex(WORDS, name="account_words"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        return self.full_name or self.email

    @property
    def is_confirmed(self) -> bool:
        return self.email_confirmed_at is not None

    @property
    def standing(self) -> domain.Standing:
        return domain.Standing(role=self.role, is_active=self.is_active)

    @property
    def status(self) -> str:
        """`active`, `invited` (the address is not confirmed yet) or `deactivated`."""
        if not self.is_active:
            return "deactivated"
        return "active" if self.is_confirmed else "invited"


class AccountChange(models.Model):
    """History of an account: added to, never changed."""

    app_privileges = "SELECT, INSERT"

    account_id = models.UUIDField()
    actor_id = models.CharField(max_length=36)  # an account's id or "system"
    action = models.CharField(max_length=20)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["account_id", "-id"], name="account_change_newest")]

    def __str__(self) -> str:
        return f"{self.action} {self.account_id}"


class BrowserSession(models.Model):
    """One signed-in browser. `sid` names it in every service; ended ones are kept until no service can know them."""

    sid = models.CharField(max_length=64, primary_key=True)
    account_id = models.UUIDField(db_index=True)
    session_key = models.CharField(max_length=40, db_index=True)
    session_epoch = models.BigIntegerField()
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.sid


class RelyingParty(models.Model):
    """What auth knows of a client beside OAuth: whose it is, where its people start, where it is told of a log-out."""

    client_id = models.CharField(max_length=255, unique=True)
    name = models.CharField(max_length=40, unique=True)
    home_url = models.URLField()
    backchannel_logout_uri = models.URLField(max_length=domain.ADDRESS_LENGTH)
    # An own service: provisioned at deploy, asks for no consent, is not changed by hand (U3).
    is_own = models.BooleanField(default=True, db_default=True)
    created_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(Lower("name"), name="relying_party_name_unique")]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """What pages call it: own services are known by a plain word."""
        return self.name.capitalize() if self.is_own else self.name


class ApplicationChange(models.Model):
    """History of an application, also of one that is gone: added to, never changed."""

    app_privileges = "SELECT, INSERT"

    party_id = models.BigIntegerField()
    name = models.CharField(max_length=40)
    actor_id = models.CharField(max_length=36)  # an account's id or "system"
    action = models.CharField(max_length=20)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["party_id", "-id"], name="application_change_newest")]

    def __str__(self) -> str:
        return f"{self.action} {self.name}"


class Consent(models.Model):
    """U3: a person's leave for an application that is not our own to see `scopes`, until it is withdrawn."""

    account_id = models.UUIDField()
    client_id = models.CharField(max_length=255)
    scopes = models.CharField(max_length=255)  # sorted, one space between
    given_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account_id", "client_id"],
                name="consent_once",
                condition=models.Q(withdrawn_at__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return f"{self.account_id} {self.client_id}"

    def covers(self, scopes: str) -> bool:
        return set(scopes.split()) <= set(self.scopes.split())


class Effect(Outgoing):
    """Something that leaves the database for an account: claimed and done by a job, tried again until it worked."""

    account_id = models.UUIDField()
    created_at = models.DateTimeField()

    class Meta:
        abstract = True


class LogoutDelivery(Effect):
    """One service to be told that an account, or one browser of it (`sid`), is signed out."""

    client_id = models.CharField(max_length=255)
    url = models.URLField(max_length=domain.ADDRESS_LENGTH)
    sid = models.CharField(max_length=64, blank=True)
    session_epoch = models.BigIntegerField()

    class Meta:
        indexes = [
            models.Index(fields=["next_attempt_at"], name="logout_due", condition=models.Q(done_at__isnull=True))
        ]

    def __str__(self) -> str:
        return f"{self.client_id} {self.account_id}"


class Mail(Effect):
    """One mail to one person. The body may hold a one-time link and is emptied once it is sent or given up.

    Given up (`next_attempt_at` null) is a mail whose link has expired before it could be sent.
    """

    written_by_attempt = ("body",)

    next_attempt_at = models.DateTimeField(null=True, blank=True)  # type: ignore[assignment]
    expires_at = models.DateTimeField(null=True, blank=True)
    message_id = models.CharField(max_length=120, unique=True)
    to = models.EmailField(max_length=254)
    subject = models.CharField(max_length=200)
    body = models.TextField()

    class Meta:
        indexes = [
            models.Index(fields=["next_attempt_at"], name="mail_due", condition=models.Q(done_at__isnull=True)),
            models.Index(fields=["account_id", "-id"], name="mail_newest"),
        ]

    def __str__(self) -> str:
        return self.subject


class OneTimeLink(models.Model):
    """A link that sets a password once; only its hash is stored."""

    token_hash = models.CharField(max_length=64, primary_key=True)
    kind = models.CharField(max_length=12)
    account_id = models.UUIDField(db_index=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.kind

    def is_open(self, now: datetime) -> bool:
        return self.used_at is None and not self.is_expired(now)

    def is_expired(self, now: datetime) -> bool:
        return now >= self.expires_at


def fields_of(account: Account) -> dict[str, Any]:
    """What history remembers of an account."""
    return {
        "email": account.email,
        "full_name": account.full_name,
        "position": account.position,
        "role": account.role,
        "active": account.is_active,
    }
