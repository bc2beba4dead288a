"""Tables of the sample service: one that may be changed and one that may not."""

from typing import ClassVar

from django.db import models

from chassis.outgoing import Outgoing


class Sample(models.Model):
    """A row to page through."""

    title = models.CharField(max_length=100)
    cents = models.BigIntegerField(default=0)
    made_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.title


class SampleHistory(models.Model):
    """An append-only table."""

    app_privileges = "SELECT, INSERT"

    text = models.CharField(max_length=100)

    def __str__(self) -> str:
        return self.text


class SampleEffect(Outgoing):
    """A message to somebody."""

    written_by_attempt: ClassVar = ("address",)

    next_attempt_at = models.DateTimeField(null=True)
    address = models.CharField(max_length=100, blank=True)
    body = models.CharField(max_length=100, blank=True)

    def __str__(self) -> str:
        return self.body
