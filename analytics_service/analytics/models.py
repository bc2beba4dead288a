"""Kept events, and the projections made of them.

Each row of a projection carries its generation: `rebuild` writes a new one beside the one that pages read.
"""

from django.db import models


class KeptEvent(models.Model):
    """Every consumed event, for ever; partitioned by the month of the broker's timestamp (see the migration).

    `data` is enough to make every number again and holds no names and addresses (A3).
    """

    app_privileges = "SELECT, INSERT"

    pk = models.CompositePrimaryKey("event_id", "received_at")
    # From a sequence, in SQL: rebuild tells by it which events came after it had begun.
    id = models.BigIntegerField(editable=False)
    event_id = models.UUIDField()
    topic = models.TextField()
    partition = models.IntegerField()
    offset = models.BigIntegerField()
    key = models.TextField()
    name = models.TextField()
    version = models.IntegerField()
    event_time = models.DateTimeField()
    producer = models.TextField()
    received_at = models.DateTimeField(help_text="The broker's timestamp.")
    data = models.JSONField()

    class Meta:
        db_table = "analytics_kept_event"
        indexes = [
            models.Index(fields=["topic", "partition", "offset", "id"], name="analytics_kept_position"),
            models.Index(fields=["id"], name="analytics_kept_id"),
        ]

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset} {self.name}"


class Generation(models.Model):
    """The pointer: one row that names the generation of the projections that pages read and consumers write."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    number = models.IntegerField()

    class Meta:
        db_table = "analytics_generation"
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="analytics_generation_one_row")]

    def __str__(self) -> str:
        return str(self.number)


class Transaction(models.Model):
    """One TransactionPosted, counted once by its transfer."""

    pk = models.CompositePrimaryKey("generation", "transfer_id")
    generation = models.IntegerField()
    transfer_id = models.UUIDField()
    account_id = models.UUIDField()
    task_id = models.UUIDField(null=True)
    kind = models.TextField()
    amount = models.BigIntegerField(help_text="Cents, signed: what the worker's balance changes by.")
    currency = models.TextField()
    occurred_at = models.DateTimeField()
    business_date = models.DateField(help_text="From the event: the day in billing's business zone at posting.")
    reverses = models.UUIDField(null=True)

    class Meta:
        db_table = "analytics_transaction"
        indexes = [
            models.Index(
                fields=["generation", "task_id"],
                condition=models.Q(kind="earning"),
                name="analytics_transaction_earning",
            ),
            models.Index(
                fields=["generation", "reverses"],
                condition=models.Q(kind="reversal"),
                name="analytics_transaction_reversal",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.transfer_id}"


class AccountBalance(models.Model):
    """What a worker is owed (or owes, below zero), in cents."""

    pk = models.CompositePrimaryKey("generation", "account_id")
    generation = models.IntegerField()
    account_id = models.UUIDField()
    balance = models.BigIntegerField()

    class Meta:
        db_table = "analytics_account_balance"
        indexes = [
            models.Index(
                fields=["generation", "account_id"],
                condition=models.Q(balance__lt=0),
                name="analytics_balance_below_zero",
            )
        ]

    def __str__(self) -> str:
        return f"{self.account_id} {self.balance}"


class AccountStanding(models.Model):
    """Role and activity as the kept events tell them, so that leavers can be counted again from those alone."""

    pk = models.CompositePrimaryKey("generation", "account_id")
    generation = models.IntegerField()
    account_id = models.UUIDField()
    version = models.BigIntegerField()
    role = models.TextField()
    is_active = models.BooleanField()

    class Meta:
        db_table = "analytics_account_standing"

    def __str__(self) -> str:
        return f"{self.account_id} {self.role}"


class DayIncome(models.Model):
    """The parts of management's income of a business date, in cents.

    A row per partition of the topic: consumers of different partitions never wait for each other's row.
    """

    pk = models.CompositePrimaryKey("generation", "business_date", "shard")
    generation = models.IntegerField()
    business_date = models.DateField()
    shard = models.IntegerField(help_text="Partition of the topic `transactions`.")
    fees = models.BigIntegerField()
    earnings = models.BigIntegerField()
    reversals = models.BigIntegerField()

    class Meta:
        db_table = "analytics_day_income"

    def __str__(self) -> str:
        return f"{self.business_date}/{self.shard}"


class TaskTitle(models.Model):
    """What a task is called."""

    pk = models.CompositePrimaryKey("generation", "task_id")
    generation = models.IntegerField()
    task_id = models.UUIDField()
    version = models.BigIntegerField()
    title = models.TextField()
    jira_id = models.TextField(null=True)  # noqa: DJ001 (as the event has it)

    class Meta:
        db_table = "analytics_task_title"

    def __str__(self) -> str:
        return self.title


class CompletedTask(models.Model):
    """The last completion of a task that no reversal took back; all null while it is not done."""

    pk = models.CompositePrimaryKey("generation", "task_id")
    generation = models.IntegerField()
    task_id = models.UUIDField()
    transfer_id = models.UUIDField(null=True)
    account_id = models.UUIDField(null=True)
    reward = models.BigIntegerField(null=True, help_text="Cents.")
    business_date = models.DateField(null=True)
    occurred_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "analytics_completed_task"
        indexes = [
            # The highest reward of a day, and the tasks that share it, each in one descent.
            models.Index(
                "generation",
                "business_date",
                models.F("reward").desc(),
                "occurred_at",
                "task_id",
                condition=models.Q(reward__isnull=False),
                name="analytics_completed_day",
            ),
            # A whole tie of a week or month, page by page.
            models.Index(
                "generation",
                "reward",
                "occurred_at",
                "task_id",
                condition=models.Q(reward__isnull=False),
                name="analytics_completed_tie",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.task_id} {self.reward}"
