"""History in words."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.domain import SYSTEM
from accounts.models import AccountChange, ApplicationChange
from accounts.selectors import account_names

ACTIONS = {
    "created": gettext_lazy("Created"),
    "invited": gettext_lazy("Invited"),
    "signed_up": gettext_lazy("Signed up"),
    "confirmed": gettext_lazy("Address confirmed"),
    "updated": gettext_lazy("Edited"),
    "role_changed": gettext_lazy("Role changed"),
    "deactivated": gettext_lazy("Deactivated"),
    "reactivated": gettext_lazy("Reactivated"),
    "password_set": gettext_lazy("Password set"),
    "restored": gettext_lazy("Made admin by the operator"),
    "taken_back": gettext_lazy("Taken back after a restore"),
    "link_sent": gettext_lazy("Link sent again"),
    "unlocked": gettext_lazy("Sign-in lock lifted"),
    "access_given": gettext_lazy("Gave an application access"),
    "access_withdrawn": gettext_lazy("Withdrew an application's access"),
    "provisioned": gettext_lazy("Provisioned"),
    "secret_rotated": gettext_lazy("Secret rotated"),
    "deleted": gettext_lazy("Deleted"),
}
FIELDS = {
    "email": gettext_lazy("E-mail"),
    "full_name": gettext_lazy("Name"),
    "position": gettext_lazy("Position"),
    "role": gettext_lazy("Role"),
    "active": gettext_lazy("Active"),
    "locked_from": gettext_lazy("Locked from"),
    "name": gettext_lazy("Name"),
    "client_id": gettext_lazy("Client ID"),
    "redirect_uris": gettext_lazy("Redirect addresses"),
    "backchannel_logout_uri": gettext_lazy("Log-out address"),
    "application": gettext_lazy("Application"),
    "sees": gettext_lazy("May see"),
}


HISTORY_SORTS = {"when": ("id",)}


@dataclass(frozen=True, slots=True)
class Difference:
    """One field of a change; `before` is empty where there was nothing before."""

    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Told:
    """One change as the page shows it."""

    at: datetime
    action: str
    actor: str
    name: str  # of the application; empty for an account
    differences: list[Difference]


def told(changes: Iterable[AccountChange | ApplicationChange]) -> list[Told]:
    """The changes in words, with the names of who made them."""
    rows = list(changes)
    names = account_names({row.actor_id for row in rows})
    return [
        Told(
            at=row.at,
            action=str(ACTIONS[row.action]),
            actor=_actor(row.actor_id, names),
            name=getattr(row, "name", ""),
            differences=_differences(row),
        )
        for row in rows
    ]


def _actor(actor_id: str, names: dict[str, str]) -> str:
    return _("the system") if actor_id == SYSTEM else names.get(actor_id, actor_id)


def _differences(row: AccountChange | ApplicationChange) -> list[Difference]:
    return [
        Difference(str(label), _shown(row.before.get(name)), _shown(row.after.get(name)))
        for name, label in FIELDS.items()
        if row.after.get(name, "") != "" or row.before.get(name)
    ]


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return str(value or "")
