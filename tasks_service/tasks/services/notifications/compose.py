"""What came within a minute becomes one message for each channel that the person chose."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from chassis.outgoing import message_id
from tasks import domain, selectors
from tasks.models import Delivery, Notification
from tasks.services import locks

PEOPLE = 200


def messages_compose(*, now: datetime) -> int:
    """Compose the messages that are due; returns how many. Another worker that composes meanwhile is left to it."""
    composed = 0
    while True:
        with transaction.atomic():
            if not locks.advisory_try(locks.COMPOSING):
                return composed
            made = _compose_some(now)
        if made is None:
            return composed
        composed += made


def _compose_some(now: datetime) -> int | None:
    """The messages of some people whose minute is over; None when there is nobody."""
    due = now - domain.GROUPED_WITHIN
    people = list(
        selectors.notifications_pending().filter(at__lte=due).values_list("account_id", flat=True).distinct()[:PEOPLE]
    )
    if not people:
        return None
    pending: dict[UUID, list[Notification]] = defaultdict(list)
    for row in selectors.notifications_pending().filter(account_id__in=people).order_by("at", "id"):
        pending[row.account_id].append(row)
    groups = [group for rows in pending.values() for group in _groups(rows) if group[0].at <= due]
    channels = selectors.channels_of(people)
    titles = selectors.task_names(task_id for group in groups for row in group for task_id in row.task_ids)
    deliveries = [
        delivery
        for group in groups
        for delivery in _deliveries(group, channels=channels[group[0].account_id], titles=titles, now=now)
    ]
    Delivery.objects.bulk_create(deliveries)
    Notification.objects.filter(pk__in=[row.pk for group in groups for row in group]).update(composed_at=now)
    return len(deliveries)


def _groups(rows: Sequence[Notification]) -> Iterator[list[Notification]]:
    """What came within a minute of the first, then within a minute of the next."""
    group: list[Notification] = []
    for row in rows:
        if group and row.at - group[0].at > domain.GROUPED_WITHIN:
            yield group
            group = []
        group.append(row)
    if group:
        yield group


def _deliveries(
    group: Sequence[Notification], *, channels: Mapping[str, str], titles: Mapping[UUID, str], now: datetime
) -> Iterator[Delivery]:
    """One for each channel, all in the same words."""
    named = list(dict.fromkeys(task_id for row in group for task_id in row.task_ids))
    told = [titles[task_id] for task_id in named[: domain.TITLES_TOLD] if task_id in titles]
    # A task that came twice within the minute is one task.
    count = sum(row.count for row in group) - (sum(len(row.task_ids) for row in group) - len(named))
    if count == 1 and told:
        subject, path = _("New task: %(title)s") % {"title": told[0]}, reverse("task_page", args=[named[0]])
    else:
        subject = ngettext("%(count)d new task for you", "%(count)d new tasks for you", count) % {"count": count}
        path = reverse("task_list")
    context = {"titles": told, "more": count - len(told), "url": f"{settings.PUBLIC_URL}{path}"}
    body = render_to_string("tasks/messages/assigned.txt", context)
    for channel, address in channels.items():
        yield Delivery(
            account_id=group[0].account_id,
            channel=channel,
            kind=Delivery.Kind.TASKS,
            message_id=message_id("tasks", group[0].pk, channel),
            address=address,
            subject=subject,
            body=body,
            created_at=group[-1].at,
            next_attempt_at=now,
        )
