"""A task's history in words: what happened, by whom and why (T6)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from chassis.replica.models import Account
from tasks import domain
from tasks.models import TaskHistory

Kind = TaskHistory.Kind

HEADLINES: dict[str, str | Promise] = {
    Kind.CREATED: gettext_lazy("Created by %(actor)s"),
    Kind.EDITED: gettext_lazy("Edited by %(actor)s"),
    Kind.ASSIGNED: gettext_lazy("Assigned to %(account)s"),
    Kind.WAITING: gettext_lazy("Waiting for a worker"),
    Kind.DONE: gettext_lazy("Done by %(actor)s"),
    Kind.UNDONE: gettext_lazy("Undone by %(actor)s"),
    Kind.REOPENED: gettext_lazy("Reopened by %(actor)s"),
    Kind.RESTORED: gettext_lazy("Taken back after a restore"),
}
REASONS: dict[tuple[str, str], str | Promise] = {
    (Kind.ASSIGNED, domain.PICKED): gettext_lazy("Picked by %(actor)s."),
    (Kind.ASSIGNED, domain.DRAWN): gettext_lazy("Drawn at random."),
    (Kind.ASSIGNED, domain.CREATED): gettext_lazy("The first assignment."),  # of before the two were told apart
    (Kind.ASSIGNED, domain.REASSIGNED): gettext_lazy(
        "Drawn anew: all tasks were reassigned by %(actor)s. Before: %(previous)s."
    ),
    (Kind.ASSIGNED, domain.LEFT): gettext_lazy("%(previous)s is no longer an active worker, so it was drawn again."),
    (Kind.ASSIGNED, domain.CROSSED): gettext_lazy(
        "It was given to %(previous)s just after they had left, before this was known here, so it was drawn again. "
        "The fee of that assignment stands."
    ),
    (Kind.ASSIGNED, domain.WAITED): gettext_lazy("It had waited until there was an active worker."),
    (Kind.ASSIGNED, domain.REOPENED): gettext_lazy(
        "%(previous)s is no longer an active worker, so it was drawn again."
    ),
    (Kind.WAITING, domain.LEFT): gettext_lazy("%(previous)s left, and there is no active worker now."),
    (Kind.WAITING, domain.CROSSED): gettext_lazy(
        "It was given to %(previous)s just after they had left, and there is no active worker now. "
        "The fee of that assignment stands."
    ),
    (Kind.WAITING, domain.REOPENED): gettext_lazy("%(previous)s left, and there is no active worker now."),
    (Kind.DONE, ""): gettext_lazy("%(account)s earns the reward."),
    (Kind.UNDONE, domain.UNDONE): gettext_lazy("The reward of %(account)s is taken back."),
    (Kind.REOPENED, domain.REOPENED): gettext_lazy("The reward of %(account)s is taken back."),
    (Kind.RESTORED, ""): gettext_lazy(
        "The database came from a backup. What had been told of this task since holds; who did it is not known now."
    ),
}

FIELDS: dict[str, str | Promise] = {
    "title": gettext_lazy("Title"),
    "jira_id": gettext_lazy("Jira id"),
    "description": gettext_lazy("Description"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A text that was edited."""

    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    at: datetime
    kind: str
    headline: str
    reason: str
    note: str
    reassignment_id: UUID | None
    changes: list[Change]


def entries_of(history: Sequence[TaskHistory], people: Mapping[UUID, Account]) -> list[Entry]:
    """In the order given. A cause that is not known here is shown as it is."""

    def name(account_id: UUID | None) -> str:
        if account_id is None:
            return _("nobody")
        return people[account_id].name if account_id in people else str(account_id)[:8]

    entries = []
    for row in history:
        names = {
            "actor": name(row.actor_id) if row.actor_id else _("the system"),
            "account": name(row.account_id),
            "previous": name(row.previous_id),
        }
        entries.append(
            Entry(
                at=row.at,
                kind=row.kind,
                headline=str(HEADLINES.get(row.kind, row.kind)) % names,
                reason=str(REASONS.get((row.kind, row.cause), row.cause)) % names,
                note=row.note,
                reassignment_id=row.reassignment_id,
                changes=[
                    Change(field=str(FIELDS.get(field, field)), before=before, after=after)
                    for field, (before, after) in (row.changes or {}).items()
                ],
            )
        )
    return entries
