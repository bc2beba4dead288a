from django.db import models


class LogoutNotice(models.Model):
    """A log-out that auth told this service: each `jti` is taken once, and the `sid` it ended stays ended.

    A sign-in that was under way when the notice came gets a session with that `sid`; the middleware finds the notice.
    """

    jti = models.CharField(max_length=64, primary_key=True)
    sid = models.CharField(max_length=64, blank=True)
    account_id = models.UUIDField()
    session_epoch = models.BigIntegerField()
    received_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["sid"], name="identity_notice_sid"),
            models.Index(fields=["received_at"], name="identity_notice_received"),
        ]

    def __str__(self) -> str:
        return self.jti
