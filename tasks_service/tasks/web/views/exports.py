"""Lists as CSV and XLSX: all rows of what the page shows, with the right of the page."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db.models import Count, Sum
from django.http import Http404, HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from chassis.business_time import format_when
from chassis.exports import Amount, Column, export_response
from chassis.permissions import requires, signed_in
from chassis.tables import ExportForm, in_order, understood
from tasks import selectors
from tasks.models import Reassignment, ReassignmentShare, Task
from tasks.web.forms import ListExport
from tasks.web.requests import Request

from .lists import tab_of, tasks_of
from .reassignments import LEADERS, SHARE_SORTS, SORTS

CHUNK = 2_000


@signed_in
@require_safe
def tasks(request: Request) -> HttpResponseBase:
    asked = understood(ListExport(request.GET))
    tab = tab_of(request.user, asked["show"])
    found = tasks_of(tab, request.user, asked["q"])
    rows = in_order(request, found, sorts=tab.sorts, default=f"-{tab.column}")

    def totals() -> list[tuple[str, Any]]:
        sums = found.aggregate(
            tasks=Count("id"), fees=Sum("price__fee", default=0), rewards=Sum("price__reward", default=0)
        )
        return [
            (_("Tasks"), sums["tasks"]),
            (_("Fees"), Amount(sums["fees"])),
            (_("Rewards"), Amount(sums["rewards"])),
        ]

    filters = f"{tab.label}; {_('search')}: {asked['q']}" if asked["q"] else str(tab.label)
    return export_response(
        request,
        name=_("tasks"),
        columns=_task_columns(selectors.account_names()),
        rows=rows.iterator(chunk_size=CHUNK),
        filters=filters,
        totals=totals,
    )


@requires(*LEADERS)
@require_safe
def reassignments(request: Request) -> HttpResponseBase:
    understood(ExportForm(request.GET))
    names = selectors.account_names()
    columns: list[Column[Reassignment]] = [
        Column(_("When"), lambda run: run.at),
        Column(_("Who"), lambda run: _name(names, run.actor_id)),
        Column(_("Tasks"), lambda run: run.task_count),
        Column(_("Workers"), lambda run: run.worker_count),
        Column(_("Fees"), lambda run: run.fees, cents=True),
        Column(_("Unpriced"), lambda run: run.unpriced_count),
        Column(_("State"), lambda run: _("done")),
    ]
    rows = in_order(request, Reassignment.objects.all(), sorts=SORTS, default="-when")

    def totals() -> list[tuple[str, Any]]:
        sums = rows.aggregate(runs=Count("id"), tasks=Sum("task_count", default=0), fees=Sum("fees", default=0))
        return [
            (_("Reassignments"), sums["runs"]),
            (_("Tasks"), sums["tasks"]),
            (_("Fees"), Amount(sums["fees"])),
        ]

    return export_response(
        request, name=_("reassignments"), columns=columns, rows=rows.iterator(chunk_size=CHUNK), totals=totals
    )


@requires(*LEADERS)
@require_safe
def shares(request: Request, reassignment_id: UUID) -> HttpResponseBase:
    """Open tasks per worker before and after one run."""
    understood(ExportForm(request.GET))
    run = Reassignment.objects.filter(pk=reassignment_id).first()
    if run is None:
        raise Http404
    names = selectors.account_names()
    rows = in_order(request, selectors.reassignment_shares(reassignment_id), sorts=SHARE_SORTS, default="-after")
    columns: list[Column[ReassignmentShare]] = [
        Column(_("Worker"), lambda share: _assignee(names, share.account_id)),
        Column(_("Before"), lambda share: share.before),
        Column(_("After"), lambda share: share.after),
    ]
    return export_response(
        request,
        name=_("reassignment"),
        columns=columns,
        rows=rows.iterator(chunk_size=CHUNK),
        filters=f"{_name(names, run.actor_id)}, {format_when(run.at)}",
        totals=lambda: [
            (_("Tasks drawn anew"), run.task_count),
            (_("Among workers"), run.worker_count),
            (_("Fees charged"), Amount(run.fees)),
        ],
    )


def _task_columns(names: Mapping[UUID, str]) -> list[Column[Task]]:
    return [
        Column(_("Jira id"), lambda task: task.jira_id),
        Column(_("Title"), lambda task: task.title),
        Column(_("Assignee"), lambda task: _assignee(names, task.assignee_id)),
        Column(_("Fee"), lambda task: _cents(task, "fee"), cents=True),
        Column(_("Reward"), lambda task: _cents(task, "reward"), cents=True),
        Column(_("Status"), lambda task: str(task.get_status_display())),
        Column(_("Assigned"), lambda task: task.assigned_at),
        Column(_("Done"), lambda task: task.completed_at),
        Column(_("Created"), lambda task: task.created_at),
        Column(_("Creator"), lambda task: _name(names, task.creator_id)),
        Column(_("Description"), lambda task: task.description),
        Column(_("Task id"), lambda task: str(task.pk)),
    ]


def _cents(task: Task, name: str) -> int | None:
    """Nothing while the task is being priced."""
    price = getattr(task, "price", None)
    return getattr(price, name) if price else None


def _assignee(names: Mapping[UUID, str], account_id: UUID | None) -> str:
    return _("waiting for a worker") if account_id is None else _name(names, account_id)


def _name(names: Mapping[UUID, str], account_id: UUID) -> str:
    return names.get(account_id, str(account_id))
