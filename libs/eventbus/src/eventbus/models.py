"""The tables of the bus, in the database of each service. Hot paths write them with SQL of their own."""

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models.functions import Now

from eventbus.reasons import Reason, reason_of


class OutboxRow(models.Model):
    """An event that is not yet on the broker, or a copy of a dead letter. Deleted once it is sent."""

    id = models.BigAutoField(primary_key=True)
    slot = models.SmallIntegerField(help_text="Part of the key space, 0..63: relays share these among them.")
    topic = models.TextField()
    key = models.BinaryField()
    value = models.BinaryField(null=True, help_text="Avro body; the relay puts the schema's id before it.")
    schema = models.BinaryField(null=True, help_text="sha256 of the schema; null: `value` is sent as it is.")
    event_id = models.UUIDField(null=True)
    event_time = models.DateTimeField(null=True)
    traceparent = models.TextField(default="", db_default="")
    headers = models.BinaryField(null=True, help_text="All headers, where there is no schema.")
    created_at = models.DateTimeField(db_default=Now())
    flagged_at = models.DateTimeField(null=True, help_text="Since when it cannot be sent; its key waits behind it.")
    problem = models.TextField(default="", db_default="")

    class Meta:
        db_table = "eventbus_outbox"
        indexes = [
            models.Index(fields=["id"], condition=models.Q(flagged_at__isnull=False), name="eventbus_outbox_flagged")
        ]

    def __str__(self) -> str:
        return f"{self.topic} {self.id}"


class CachedSchema(models.Model):
    """An id of the registry and the schema it stands for, so that the registry may be down."""

    id = models.IntegerField(primary_key=True)
    sha256 = models.BinaryField()
    text = models.TextField()

    class Meta:
        db_table = "eventbus_schema"
        indexes = [models.Index(fields=["sha256"], name="eventbus_schema_sha256")]

    def __str__(self) -> str:
        return f"schema {self.id}"


class ConsumerGroup(models.Model):
    """A consumer of this service; its number keeps inbox rows short."""

    id = models.SmallAutoField(primary_key=True)
    name = models.TextField(unique=True)

    class Meta:
        db_table = "eventbus_consumer_group"

    def __str__(self) -> str:
        return self.name


class ConsumerOffset(models.Model):
    """Where a group stands in a partition. Only this is believed, never the broker's committed offset."""

    group = models.ForeignKey(ConsumerGroup, models.PROTECT)
    topic = models.TextField()
    partition = models.IntegerField()
    topic_id = models.TextField(help_text="The broker's id of the topic: a topic created anew has another one.")
    position = models.BigIntegerField(help_text="Offset of the next record to read.")
    caught_up_at = models.DateTimeField(null=True, help_text="Everything received before it is consumed.")
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "eventbus_consumer_offset"
        constraints = [
            models.UniqueConstraint(fields=["group", "topic", "partition"], name="eventbus_consumer_offset_unique")
        ]

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition} at {self.position}"


class OffsetDecision(models.Model):
    """Who accepted that a partition goes on from another position, and why."""

    group = models.ForeignKey(ConsumerGroup, models.PROTECT)
    topic = models.TextField()
    partition = models.IntegerField()
    old_topic_id = models.TextField()
    old_position = models.BigIntegerField()
    topic_id = models.TextField()
    position = models.BigIntegerField()
    reason = models.TextField()
    decided_by = models.TextField()
    decided_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "eventbus_offset_decision"

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}: {self.old_position} to {self.position}"


class InboxRow(models.Model):
    """An event that a group has seen, and what became of it."""

    class Outcome(models.IntegerChoices):
        APPLIED = 1
        DEAD = 2
        DISCARDED = 3

    pk = models.CompositePrimaryKey("group_id", "event_id")
    event_id = models.UUIDField()
    received_at = models.DateTimeField(db_default=Now())
    group = models.ForeignKey(ConsumerGroup, models.PROTECT, db_constraint=False, db_index=False)
    outcome = models.SmallIntegerField(choices=Outcome)

    class Meta:
        db_table = "eventbus_inbox"
        indexes = [BrinIndex(fields=["received_at"], name="eventbus_inbox_received", autosummarize=True)]

    def __str__(self) -> str:
        return str(self.event_id)


class Sequence(models.Model):
    """A key whose events wait in order: locked shared to add to it, exclusively to work it off."""

    group = models.ForeignKey(ConsumerGroup, models.PROTECT)
    topic = models.TextField()
    key = models.TextField()

    class Meta:
        db_table = "eventbus_sequence"
        constraints = [models.UniqueConstraint(fields=["group", "topic", "key"], name="eventbus_sequence_unique")]

    def __str__(self) -> str:
        return f"{self.topic} {self.key}"


class DeadLetter(models.Model):
    """A record that could not be consumed, or waits behind one of its key. Rows stay as the record of what was done."""

    class State(models.TextChoices):
        DEAD = "dead", "dead"
        WAITING = "waiting", "waiting"
        APPLIED = "applied", "applied"
        DISCARDED = "discarded", "discarded"
        SUPERSEDED = "superseded", "superseded"

    OPEN = frozenset({State.DEAD, State.WAITING})  # somebody still has to decide

    id = models.BigAutoField(primary_key=True)
    group = models.ForeignKey(ConsumerGroup, models.PROTECT)
    topic = models.TextField()
    partition = models.IntegerField()
    offset = models.BigIntegerField()
    key = models.BinaryField(null=True)
    value = models.BinaryField(null=True)
    headers = models.BinaryField()
    received_at = models.DateTimeField(help_text="The broker's timestamp.")
    sequence_key = models.TextField(default="", help_text="Key of the sequence it belongs to; empty: it stands alone.")
    event_id = models.UUIDField(null=True)
    event_name = models.TextField(default="")
    reason = models.TextField()
    error = models.TextField(default="")
    state = models.TextField(choices=State)
    attempts = models.IntegerField(default=0)
    created_at = models.DateTimeField(db_default=Now())
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.TextField(default="")
    resolution = models.TextField(default="")

    class Meta:
        db_table = "eventbus_dead_letter"
        indexes = [
            models.Index(
                fields=["group", "topic", "sequence_key", "id"],
                condition=models.Q(state__in=["dead", "waiting"]),
                name="eventbus_dead_letter_open",
            ),
            models.Index(fields=["id"], condition=models.Q(state="dead"), name="eventbus_dead_letter_dead"),
        ]

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to decide about it."""
        return self.state in self.OPEN

    @property
    def why(self) -> Reason:
        """The reason in words for people."""
        return reason_of(self.reason)

    @property
    def about(self) -> str:
        """The key of the event, or the record's where the event cannot be read."""
        return self.sequence_key or self.key_text

    @property
    def key_text(self) -> str:
        """The key for people, whatever bytes it has."""
        return bytes(self.key or b"").decode("utf-8", "backslashreplace")
