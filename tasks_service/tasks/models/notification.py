"""Who is told what, where to, and what became of it (T5)."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from chassis.outgoing import Outgoing
from tasks import domain


class Channel(models.TextChoices):
    MAIL = domain.MAIL, _("E-mail")
    SMS = domain.SMS, _("SMS")
    SLACK = domain.SLACK, _("Slack")


class Contact(models.Model):
    """One channel of one person. Without a row mail is on and the others are off."""

    id = models.BigAutoField(primary_key=True)
    account_id = models.UUIDField()
    channel = models.CharField(max_length=5, choices=Channel)
    enabled = models.BooleanField()
    address = models.CharField(max_length=30, blank=True, help_text="Confirmed; empty for mail: auth knows that one.")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["account_id", "channel"], name="contact_of")]

    def __str__(self) -> str:
        return f"{self.account_id} {self.channel}"


class ConfirmationCode(models.Model):
    """A code on its way to an address that somebody says is theirs; only its hash is kept."""

    id = models.BigAutoField(primary_key=True)
    account_id = models.UUIDField()
    channel = models.CharField(max_length=5, choices=Channel)
    address = models.CharField(max_length=30)
    code_hash = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    closed_at = models.DateTimeField(null=True, help_text="Used, withdrawn, or followed by another code.")

    class Meta:
        indexes: ClassVar = [
            models.Index("account_id", "channel", "created_at", name="code_of"),
            models.Index("address", "created_at", name="code_to"),
        ]

    def __str__(self) -> str:
        return f"{self.account_id} {self.channel}"

    @property
    def tries_left(self) -> int:
        return max(0, domain.CODE_TRIES - self.tries)


class Notification(models.Model):
    """What somebody is to be told: one row per person and cause, written with the assignment itself."""

    id = models.BigAutoField(primary_key=True)
    account_id = models.UUIDField()
    cause = models.CharField(max_length=80)
    at = models.DateTimeField()
    task_ids = ArrayField(models.UUIDField(), help_text="As many of the tasks as a message names.")
    count = models.PositiveIntegerField(help_text="How many tasks there are.")
    composed_at = models.DateTimeField(null=True, help_text="When it went into a message.")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["account_id", "cause"], name="notification_cause")]
        indexes: ClassVar = [
            models.Index("at", name="notification_due", condition=models.Q(composed_at__isnull=True)),
            models.Index("account_id", "at", name="notification_of", condition=models.Q(composed_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.account_id} {self.cause}"


class Delivery(Outgoing):
    """One message to one person over one channel. Given up where neither done nor due."""

    class Kind(models.TextChoices):
        TASKS = "tasks", _("tasks")
        CODE = "code", _("code")

    written_by_attempt: ClassVar = ("address", "body")

    id = models.BigAutoField(primary_key=True)
    account_id = models.UUIDField()
    channel = models.CharField(max_length=5, choices=Channel)
    kind = models.CharField(max_length=5, choices=Kind)
    message_id = models.CharField(max_length=160, unique=True, help_text="The same at each attempt.")
    address = models.CharField(max_length=320, blank=True, help_text="Where it goes; empty until the address is known.")
    subject = models.CharField(max_length=300)
    body = models.TextField(blank=True, help_text="Emptied once a code is sent.")
    created_at = models.DateTimeField()
    next_attempt_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [
            models.Index("next_attempt_at", name="delivery_due", condition=models.Q(done_at__isnull=True)),
            models.Index("account_id", "created_at", "id", name="delivery_of"),
        ]

    def __str__(self) -> str:
        return self.message_id

    @property
    def state(self) -> str:
        """sent, waiting (not tried yet), retrying or failed (given up)."""
        if self.done_at:
            return "sent"
        if self.next_attempt_at is None:
            return "failed"
        return "retrying" if self.attempts else "waiting"
