from typing import ClassVar

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.utils.translation import gettext_lazy as _

from tasks import domain


class Task(models.Model):
    """The aggregate of this service. Accounts are named by id only: an event may come before its account."""

    class Status(models.TextChoices):
        OPEN = domain.OPEN, _("open")
        DONE = domain.DONE, _("done")

    id = models.UUIDField(primary_key=True, editable=False)
    title = models.CharField(max_length=domain.TITLE_MAX)
    jira_id = models.CharField(max_length=60, blank=True)
    description = models.TextField(blank=True)
    status = models.CharField(max_length=4, choices=Status, default=Status.OPEN)
    creator_id = models.UUIDField()
    created_at = models.DateTimeField()
    assignee_id = models.UUIDField(null=True, help_text="Null while the task waits for a worker.")
    assigned_at = models.DateTimeField(help_text="Since when the assignee has it, or since when it waits for one.")
    assignment_no = models.BigIntegerField(default=0, help_text="How many assignments there were; each cost a fee.")
    completed_by_id = models.UUIDField(null=True, help_text="Who pressed done; the assignee earned.")
    completed_at = models.DateTimeField(null=True)
    completion_no = models.BigIntegerField(default=0, help_text="How many completions there were.")
    version = models.BigIntegerField(default=1)

    class Meta:
        # Each list page reads one of these from the end it shows; the partial ones keep a reassignment of all open
        # tasks from touching what is done.
        indexes: ClassVar = [
            models.Index("assigned_at", "id", name="task_open", condition=models.Q(status=domain.OPEN)),
            models.Index(
                "assignee_id", "assigned_at", "id", name="task_open_of", condition=models.Q(status=domain.OPEN)
            ),
            models.Index("completed_at", "id", name="task_done", condition=models.Q(status=domain.DONE)),
            models.Index(
                "assignee_id", "completed_at", "id", name="task_done_of", condition=models.Q(status=domain.DONE)
            ),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(status__in=[domain.OPEN, domain.DONE]), name="task_status"),
            models.CheckConstraint(
                condition=models.Q(status=domain.OPEN)
                | models.Q(assignee_id__isnull=False, completed_at__isnull=False),
                name="task_done_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"[{self.jira_id}] {self.title}" if self.jira_id else self.title

    @property
    def is_open(self) -> bool:
        return self.status == domain.OPEN

    @property
    def is_waiting(self) -> bool:
        return self.is_open and self.assignee_id is None


class TaskPrice(models.Model):
    """What billing fixed for a task, in cents. A table of its own: a price may come before the task is known here, and
    noting one never waits for a task that is being reassigned."""

    task = models.OneToOneField(Task, models.DO_NOTHING, primary_key=True, related_name="price", db_constraint=False)
    fee = models.BigIntegerField(help_text="Cents, charged at each assignment.")
    reward = models.BigIntegerField(help_text="Cents, earned at completion.")
    currency = models.CharField(max_length=3)

    app_privileges = "SELECT, INSERT"

    def __str__(self) -> str:
        return f"{self.task_id}: {self.fee}/{self.reward} {self.currency}"


class TaskHistory(models.Model):
    """What happened to a task, by whom, when and why (T6). Rows are added, never changed."""

    class Kind(models.TextChoices):
        CREATED = "created", _("created")
        EDITED = "edited", _("edited")
        ASSIGNED = "assigned", _("assigned")
        WAITING = "waiting", _("waiting for a worker")
        DONE = "done", _("done")
        UNDONE = "undone", _("undone")
        REOPENED = "reopened", _("reopened")
        RESTORED = "restored", _("restored")

    id = models.BigAutoField(primary_key=True)
    task = models.ForeignKey(Task, models.DO_NOTHING, related_name="history", db_constraint=False, db_index=False)
    version = models.BigIntegerField(help_text="Version of the task that this made.")
    kind = models.CharField(max_length=10, choices=Kind)
    at = models.DateTimeField()
    actor_id = models.UUIDField(null=True, help_text="Null: the system.")
    account_id = models.UUIDField(null=True, help_text="Who got the task, earned its reward or had earned it.")
    previous_id = models.UUIDField(null=True, help_text="Who had the task before this assignment.")
    number = models.BigIntegerField(default=0, help_text="The assignment_no or completion_no it is about.")
    cause = models.CharField(max_length=20, blank=True)
    reassignment_id = models.UUIDField(null=True)
    note = models.CharField(
        max_length=domain.NOTE_MAX, blank=True, default="", db_default="", help_text="Why, in the actor's words."
    )
    changes = models.JSONField(null=True, help_text="What an edit changed: the field, and its text before and after.")

    app_privileges = "SELECT, INSERT"

    class Meta:
        indexes: ClassVar = [models.Index("task_id", "id", name="task_history_of")]

    def __str__(self) -> str:
        return f"{self.task_id} v{self.version}: {self.kind}"


class TaskSearch(models.Model):
    """The words of a task. A trigger keeps it: a table of its own, because reassigning writes 100,000 rows of tasks and
    would write each into the index of words too."""

    task = models.OneToOneField(Task, models.DO_NOTHING, primary_key=True, related_name="search", db_constraint=False)
    words = SearchVectorField()

    class Meta:
        indexes: ClassVar = [GinIndex(fields=["words"], name="task_words")]

    def __str__(self) -> str:
        return str(self.task_id)
