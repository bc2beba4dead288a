"""Tables that every service has."""

from django.db import models


class FormKey(models.Model):
    """The first use of a form's one-time key, written in the transaction of its effect."""

    key = models.UUIDField(primary_key=True)
    kind = models.CharField(max_length=100)
    actor_id = models.UUIDField(null=True)
    # What was sent with the key, as a digest; empty where the form does not say. Databases give it a default, so that
    # a version before this field writes beside this one.
    sent = models.CharField(max_length=64, blank=True, default="", db_default="")
    url = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        db_table = "chassis_form_key"

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"


class KnownKey(models.Model):
    """A key that this installation uses, under a name that is no secret, since its database first saw it."""

    app_privileges = "SELECT, INSERT"

    purpose = models.CharField(max_length=40)
    key_id = models.CharField(max_length=64)
    since = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "chassis_known_key"
        constraints = [models.UniqueConstraint(fields=["purpose", "key_id"], name="known_key_once")]

    def __str__(self) -> str:
        return f"{self.purpose} {self.key_id}"
