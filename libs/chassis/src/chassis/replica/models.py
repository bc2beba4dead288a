"""The replicated account, which is the user model of every service but auth."""

from typing import ClassVar

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.db import models


class Account(models.Model):
    """What a service knows of a person: no password, and a row as soon as any event names the id.

    Two groups of fields are kept by two versions: name, address and position by `state_version`; role, standing by
    `access_version`. One guard for both would let a business event eat the CUD event of the same change.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    email = models.EmailField(max_length=320, blank=True)
    full_name = models.CharField(max_length=200, blank=True)
    position = models.CharField(max_length=200, blank=True)
    role = models.CharField(max_length=20, blank=True)
    is_active = models.BooleanField(default=True)
    # The lowest session epoch accepted; it only rises.
    session_epoch = models.BigIntegerField(default=0)
    state_version = models.BigIntegerField(default=0)
    access_version = models.BigIntegerField(default=0)
    is_deleted = models.BooleanField(default=False)

    USERNAME_FIELD = "id"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    is_authenticated = True
    is_anonymous = False

    class Meta:
        indexes = [
            models.Index(fields=["role", "is_active"], name="replica_account_role"),
            GinIndex(SearchVector("full_name", "email", config="simple"), name="replica_account_words"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_worker(self) -> bool:
        """Whether tasks may be assigned to the account."""
        return self.role == "worker" and self.is_active

    @property
    def is_stub(self) -> bool:
        """Whether only the id is known yet: an event outran the one that introduces the account."""
        return self.state_version == 0 and not self.is_deleted

    @property
    def name(self) -> str:
        """What pages call the person: the first admin of an installation has an address and no name."""
        if self.is_deleted:
            return "former employee"
        return self.full_name or self.email or str(self.id)[:8]

    def get_username(self) -> str:
        """For Django; people are called by `name`."""
        return str(self.id)
