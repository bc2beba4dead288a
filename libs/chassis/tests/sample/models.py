"""Tables of the sample service: one that may be changed and one that may not."""

from django.db import models


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
