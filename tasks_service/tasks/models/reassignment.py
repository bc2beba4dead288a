from typing import ClassVar

from django.db import models


class Reassignment(models.Model):
    """One run of "Reassign open tasks" (T3). Its id is the key of the form that started it."""

    id = models.UUIDField(primary_key=True, editable=False)
    actor_id = models.UUIDField()
    at = models.DateTimeField()
    task_count = models.PositiveIntegerField()
    worker_count = models.PositiveIntegerField()
    fees = models.BigIntegerField(help_text="Cents: the fees of the tasks that had a price when it ran.")
    unpriced_count = models.PositiveIntegerField(
        help_text="Tasks that were still being priced; their fees come on top."
    )
    currency = models.CharField(max_length=3)

    app_privileges = "SELECT, INSERT"

    class Meta:
        indexes: ClassVar = [models.Index("at", "id", name="reassignment_at")]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M}: {self.task_count} tasks"


class ReassignmentShare(models.Model):
    """How many open tasks one worker had before a run and has after it."""

    id = models.BigAutoField(primary_key=True)
    reassignment = models.ForeignKey(Reassignment, models.PROTECT, related_name="shares")
    account_id = models.UUIDField(null=True, help_text="Null: tasks that waited for a worker.")
    before = models.PositiveIntegerField()
    after = models.PositiveIntegerField()

    app_privileges = "SELECT, INSERT"

    def __str__(self) -> str:
        return f"{self.account_id}: {self.before} -> {self.after}"
