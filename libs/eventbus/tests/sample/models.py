"""Where the shop's handlers leave what they did."""

from django.db import models


class Shelf(models.Model):
    """Something an effect can point to."""

    def __str__(self) -> str:
        return str(self.pk)


class Order(models.Model):
    """What the shop tells the state of; its number rises with each change."""

    id = models.TextField(primary_key=True)
    number = models.IntegerField(default=0)

    def __str__(self) -> str:
        return self.pk


class Effect(models.Model):
    """One event that was handled; ids rise in the order of handling."""

    handler = models.TextField()
    event_id = models.UUIDField()
    name = models.TextField()
    key = models.TextField()
    number = models.IntegerField()
    size = models.IntegerField(help_text="How many events the handler was given together.")
    trace = models.TextField(default="")
    shelf = models.ForeignKey(Shelf, models.PROTECT, null=True)

    def __str__(self) -> str:
        return f"{self.name} {self.key} {self.number}"
