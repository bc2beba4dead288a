"""Reads. Each list is one statement on one index, whatever the number of rows."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db.models import (
    BooleanField,
    Count,
    ExpressionWrapper,
    Max,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
)

from chassis.queries import beginnings, with_words
from chassis.replica.models import Account
from tasks import domain
from tasks.models import (
    ConfirmationCode,
    Contact,
    Delivery,
    Notification,
    Reassignment,
    ReassignmentShare,
    Task,
    TaskHistory,
    TaskSearch,
)

# Words that more than COMMON of the LATEST tasks of a list have are common.
LATEST, COMMON = 2_000, 50


def workers() -> QuerySet[Account]:
    """Who may have a task: active workers, never anybody else (T2)."""
    return Account.objects.filter(role=domain.WORKER, is_active=True)


def worker_ids() -> list[UUID]:
    return list(workers().order_by("id").values_list("id", flat=True))


def open_tasks() -> QuerySet[Task]:
    return Task.objects.filter(status=domain.OPEN).select_related("price")


def open_tasks_of(account_id: UUID) -> QuerySet[Task]:
    return open_tasks().filter(assignee_id=account_id)


def waiting_tasks() -> QuerySet[Task]:
    """Open tasks without a worker (T7)."""
    return Task.objects.filter(status=domain.OPEN, assignee_id__isnull=True)


def done_tasks() -> QuerySet[Task]:
    return Task.objects.filter(status=domain.DONE).select_related("price")


def done_tasks_of(account_id: UUID) -> QuerySet[Task]:
    return done_tasks().filter(assignee_id=account_id)


def found(tasks: QuerySet[Task], text: str, *, newest: Sequence[str]) -> QuerySet[Task]:
    """Those of the tasks that have all words of the text, each from its beginning, in title, Jira id or description.

    A text without any word finds nothing (T8). `newest` is the order of the list, latest first.
    """
    words = domain.words_of(text)
    if not words:
        return tasks.none()
    query = beginnings(words)
    match = ExpressionWrapper(Q(words=query), output_field=BooleanField())
    return with_words(
        tasks,
        match=Subquery(TaskSearch.objects.filter(task_id=OuterRef("pk")).values_list(match)),
        ids=TaskSearch.objects.filter(words=query).values("task_id"),
        order=newest,
        first=LATEST,
        common=COMMON,
    )


def task_get(task_id: UUID) -> Task:
    """Raises Task.DoesNotExist."""
    return Task.objects.select_related("price").get(pk=task_id)


def task_history(task_id: UUID) -> QuerySet[TaskHistory]:
    """Oldest first."""
    return TaskHistory.objects.filter(task_id=task_id).order_by("id")


def edited_after(task_id: UUID, version: int) -> bool:
    """Whether the texts of a task were changed since it had that version."""
    return TaskHistory.objects.filter(task_id=task_id, kind=TaskHistory.Kind.EDITED, version__gt=version).exists()


def task_names(ids: Iterable[UUID]) -> dict[UUID, str]:
    return {task.pk: str(task) for task in Task.objects.in_bulk(set(ids)).values()}


def accounts_by_id(ids: Iterable[UUID | None]) -> dict[UUID, Account]:
    return Account.objects.in_bulk({account_id for account_id in ids if account_id})


def account_names() -> dict[UUID, str]:
    """Everybody's name, for an export: there may be a million tasks, but only so many employees."""
    return {account.pk: account.name for account in Account.objects.iterator()}


def account_name(account_id: UUID | None) -> str:
    """The name for a message; the short id of somebody not known here yet."""
    account = Account.objects.filter(pk=account_id).first() if account_id else None
    return account.name if account else str(account_id)[:8]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReassignmentPreview:
    """What "Reassign open tasks" would do now (T3). `fees` in cents; `unpriced` tasks will add theirs."""

    tasks: int
    workers: int
    fees: int
    unpriced: int
    last: Reassignment | None


def reassignment_preview() -> ReassignmentPreview:
    totals = Task.objects.filter(status=domain.OPEN).aggregate(
        tasks=Count("id"), priced=Count("price__fee"), fees=Sum("price__fee", default=0)
    )
    return ReassignmentPreview(
        tasks=totals["tasks"],
        workers=workers().count(),
        fees=totals["fees"],
        unpriced=totals["tasks"] - totals["priced"],
        last=Reassignment.objects.order_by("-at", "-id").first(),
    )


def reassigned_last_at(actor_id: UUID) -> datetime | None:
    """When this person reassigned open tasks last; None if never."""
    last: datetime | None = Reassignment.objects.filter(actor_id=actor_id).aggregate(at=Max("at"))["at"]
    return last


def reassignment_shares(reassignment_id: UUID) -> QuerySet[ReassignmentShare]:
    return ReassignmentShare.objects.filter(reassignment_id=reassignment_id)


def notifications_pending() -> QuerySet[Notification]:
    return Notification.objects.filter(composed_at__isnull=True)


def deliveries_of(account_id: UUID) -> QuerySet[Delivery]:
    return Delivery.objects.filter(account_id=account_id)


def codes_open(account_id: UUID) -> QuerySet[ConfirmationCode]:
    """Codes that were neither used nor withdrawn; they may be over all the same."""
    return ConfirmationCode.objects.filter(account_id=account_id, closed_at__isnull=True)


def is_offered(channel: str) -> bool:
    """Mail always; the others where the operator has set an address template."""
    return channel == domain.MAIL or bool(settings.NOTIFICATION_TEMPLATES[channel])


def channels_of(account_ids: Iterable[UUID]) -> Mapping[UUID, Mapping[str, str]]:
    """How each active person is told: channels and their addresses, an empty one for mail (T5)."""
    account_ids = list(account_ids)
    chosen: dict[UUID, dict[str, str]] = defaultdict(dict)
    for account_id in Account.objects.filter(pk__in=account_ids, is_active=True).values_list("pk", flat=True):
        chosen[account_id][domain.MAIL] = ""
    for contact in Contact.objects.filter(account_id__in=list(chosen)):
        if contact.enabled and is_offered(contact.channel):
            chosen[contact.account_id][contact.channel] = contact.address
        else:
            chosen[contact.account_id].pop(contact.channel, None)
    return chosen


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelState:
    """One channel as its person sees it. `pending` is a code that can still be entered."""

    channel: str
    offered: bool
    enabled: bool
    address: str
    pending: ConfirmationCode | None


def channel_states(account: Account, *, now: datetime) -> list[ChannelState]:
    contacts = {contact.channel: contact for contact in Contact.objects.filter(account_id=account.pk)}
    pending = {
        code.channel: code
        for code in codes_open(account.pk).filter(created_at__gte=now - domain.CODE_LIFE).order_by("id")
        if code.tries_left
    }
    states = []
    for channel in (domain.MAIL, domain.SMS, domain.SLACK):
        contact = contacts.get(channel)
        mail = channel == domain.MAIL
        states.append(
            ChannelState(
                channel=channel,
                offered=is_offered(channel),
                enabled=contact.enabled if contact else mail,
                address=account.email if mail else contact.address if contact else "",
                pending=pending.get(channel),
            )
        )
    return states
