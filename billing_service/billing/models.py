"""Tables of billing. Money is integer cents; `app_privileges` says what the app role may do (decision 5)."""

from __future__ import annotations

from datetime import date

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.db import models
from django.db.models import Case, CheckConstraint, F, Index, Q, UniqueConstraint, When

from billing.domain import Kind
from chassis.business_time import business_date, format_when, in_zone
from chassis.outgoing import Outgoing

KINDS = [kind.value for kind in Kind]


class Task(models.Model):
    """Read model of a task, for statements and for `ledger_check --complete`. Version 0 is a stub."""

    id = models.UUIDField(primary_key=True)
    version = models.BigIntegerField(default=0)
    title = models.TextField(default="", blank=True)
    jira_id = models.TextField(default="", blank=True)
    status = models.TextField(default="", blank=True)
    assignee_id = models.UUIDField(null=True)
    assignment_no = models.BigIntegerField(default=0)
    completion_no = models.BigIntegerField(default=0)
    # When TaskCreated, and the event with the state above, were received.
    created_received_at = models.DateTimeField(null=True)
    state_received_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            GinIndex(SearchVector("title", config="simple"), condition=~Q(title=""), name="task_by_title"),
            Index(fields=["jira_id", "id"], condition=~Q(jira_id=""), name="task_by_jira_id"),
        ]

    def __str__(self) -> str:
        return self.title or str(self.id)[-8:]

    @property
    def is_stub(self) -> bool:
        return self.version == 0


class TaskPrice(models.Model):
    """Fee and reward of a task in cents, fixed at first sight of the task in any event (B1)."""

    app_privileges = "SELECT, INSERT"

    task_id = models.UUIDField(primary_key=True)
    fee = models.IntegerField()
    reward = models.IntegerField()
    key_id = models.CharField(max_length=32)

    class Meta:
        constraints = [CheckConstraint(condition=Q(fee__gt=0, reward__gt=0), name="price_above_zero")]

    def __str__(self) -> str:
        return f"{self.task_id}: {self.fee}/{self.reward}"


class LedgerAccount(models.Model):
    """A worker's money. The id is the account's; whoever has an entry has one, whatever the role."""

    app_privileges = "SELECT, INSERT, UPDATE"

    id = models.UUIDField(primary_key=True)
    balance = models.BigIntegerField(default=0, db_default=0)
    entry_no = models.BigIntegerField(default=0, db_default=0)

    class Meta:
        indexes = [Index(fields=["balance", "id"], name="account_by_balance")]

    def __str__(self) -> str:
        return str(self.id)


class Cycle(models.Model):
    """A settlement batch, from one closing to the next. An entry says which one it is in; the period is a label."""

    app_privileges = "SELECT, INSERT, UPDATE"

    class State(models.TextChoices):
        OPEN = "open"
        CLOSING = "closing"
        CLOSED = "closed"

    id = models.UUIDField(primary_key=True)
    starts_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(unique=True)
    # Its day in the zone of then, and what it counts in: neither follows a later change of the settings.
    due_on = models.DateField(null=True)
    currency = models.CharField(max_length=3, default="", db_default="")
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    closing_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    payout_count = models.BigIntegerField(default=0)
    payout_sum = models.BigIntegerField(default=0)
    hash = models.CharField(max_length=64, default="", blank=True)
    # Since when closing waits for consumption, and when it last looked.
    awaited_since = models.DateTimeField(null=True)
    awaited_at = models.DateTimeField(null=True)
    requested_at = models.DateTimeField(null=True)
    requested_by = models.UUIDField(null=True)
    failure = models.TextField(default="", blank=True)
    failed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            UniqueConstraint(fields=["state"], condition=Q(state="open"), name="one_open_cycle"),
            UniqueConstraint(fields=["state"], condition=Q(state="closing"), name="one_closing_cycle"),
            CheckConstraint(condition=Q(state__in=["open", "closing", "closed"]), name="cycle_state_known"),
        ]

    def __str__(self) -> str:
        return f"{self.due_at.isoformat()} {self.state}"

    @property
    def name(self) -> str:
        """What people call it: the time it is due, as `2 Mar 2026, 18:00 CET`.

        With seconds if it was closed before its time, as the demo does: there may be several in a minute.
        """
        local = in_zone(self.due_at)
        return f"{local.day} {local:%b %Y, %H:%M:%S %Z}" if local.second else format_when(self.due_at)

    @property
    def day(self) -> date:
        """The business day on which it is due."""
        return self.due_on or business_date(self.due_at)


class Transfer(models.Model):
    """One row of the journal: a debit and a credit, between a worker's ledger account and the company."""

    app_privileges = "SELECT, INSERT"

    id = models.UUIDField(primary_key=True)
    idempotency_key = models.CharField(max_length=200, unique=True)
    payload_hash = models.BinaryField()
    kind = models.CharField(max_length=16)
    debit_id = models.UUIDField()
    credit_id = models.UUIDField()
    amount = models.BigIntegerField()
    account = models.ForeignKey(LedgerAccount, models.PROTECT, related_name="entries", db_index=False)
    change = models.GeneratedField(
        expression=Case(When(credit_id=F("account_id"), then=F("amount")), default=-F("amount")),
        output_field=models.BigIntegerField(),
        db_persist=True,
    )
    entry_no = models.BigIntegerField()
    balance_after = models.BigIntegerField()
    # The trigger reads the cycle for each statement; a foreign key would look it up for each row again.
    cycle = models.ForeignKey(Cycle, models.PROTECT, related_name="transfers", db_constraint=False)
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    business_date = models.DateField()
    task_id = models.UUIDField(null=True)
    cause = models.TextField(default="", blank=True)
    actor_id = models.TextField()
    reassignment_id = models.UUIDField(null=True)
    reverses = models.UUIDField(null=True)
    reason = models.TextField(default="", blank=True)
    # The event that caused it and when the broker received that; nothing where people or the closing did (decision 11).
    event_id = models.UUIDField(null=True)
    received_at = models.DateTimeField(null=True)
    # The entry that a correction is about; an opposite one is linked by `reverses`.
    about = models.UUIDField(null=True)

    class Meta:
        constraints = [
            CheckConstraint(condition=Q(amount__gt=0), name="transfer_amount_above_zero"),
            CheckConstraint(condition=Q(kind__in=KINDS), name="transfer_kind_known"),
            CheckConstraint(
                condition=(Q(debit_id=F("account_id")) & ~Q(credit_id=F("account_id")))
                | (Q(credit_id=F("account_id")) & ~Q(debit_id=F("account_id"))),
                name="transfer_has_one_worker_side",
            ),
            CheckConstraint(
                condition=~Q(kind="adjustment") | (~Q(reason="") & ~Q(actor_id="system")),
                name="adjustment_has_actor_and_reason",
            ),
            UniqueConstraint(fields=["account", "entry_no"], name="one_entry_per_number"),
            UniqueConstraint(fields=["reverses"], condition=Q(reverses__isnull=False), name="reversed_once"),
        ]
        indexes = [
            Index(fields=["account", "business_date", "entry_no"], name="entries_of_a_day"),
            Index(fields=["task_id"], name="entries_of_a_task"),
            Index(fields=["recorded_at", "id"], condition=Q(kind="adjustment"), name="corrections_by_time"),
            Index(fields=["about"], condition=Q(about__isnull=False), name="corrections_of_an_entry"),
        ]

    def __str__(self) -> str:
        return self.idempotency_key


class AccountDay(models.Model):
    """Rollup of the journal for people; `sum` is what the worker's balance changed by."""

    app_privileges = "SELECT, INSERT, UPDATE"

    account = models.ForeignKey(LedgerAccount, models.PROTECT, db_index=False)
    cycle = models.ForeignKey(Cycle, models.PROTECT, db_index=False)
    business_date = models.DateField()
    kind = models.CharField(max_length=16)
    sum = models.BigIntegerField()
    count = models.BigIntegerField()

    class Meta:
        constraints = [UniqueConstraint(fields=["account", "cycle", "business_date", "kind"], name="one_rollup_row")]
        indexes = [
            Index(fields=["business_date", "account"], name="rollup_by_day"),
            Index(fields=["cycle", "account"], name="rollup_by_cycle"),
        ]

    def __str__(self) -> str:
        return f"{self.account_id} {self.business_date} {self.kind}"


class Payout(Outgoing):
    """The mail about a payout: unique for each one, claimed and sent by a celery job, waits for an address.

    Whether somebody is paid is said by the journal alone.
    """

    app_privileges = "SELECT, INSERT, UPDATE"
    written_by_attempt = ("sent_to",)

    id = models.UUIDField(primary_key=True)
    transfer = models.OneToOneField(Transfer, models.PROTECT)
    cycle = models.ForeignKey(Cycle, models.PROTECT, related_name="payouts")
    account_id = models.UUIDField()
    amount = models.BigIntegerField()
    message_id = models.CharField(max_length=200, unique=True)
    next_attempt_at = models.DateTimeField(db_column="due_at")
    done_at = models.DateTimeField(null=True, db_column="sent_at")
    last_error = models.TextField(default="", blank=True, db_column="error")
    sent_to = models.TextField(default="", blank=True)

    class Meta:
        constraints = [UniqueConstraint(fields=["cycle", "account_id"], name="one_payout_per_cycle")]
        indexes = [
            Index(fields=["next_attempt_at"], condition=Q(done_at=None), name="payout_mails_to_send"),
            Index(fields=["cycle", "-amount", "-id"], name="payouts_of_a_cycle"),
        ]

    def __str__(self) -> str:
        return self.message_id


class LedgerCheck(models.Model):
    """That `ledger_check` ran, at night or by hand, and how many findings it had about the ledger by itself."""

    app_privileges = "SELECT, INSERT"

    finished_at = models.DateTimeField()
    findings = models.IntegerField()

    def __str__(self) -> str:
        return f"{self.finished_at.isoformat()}: {self.findings}"
