"""What answers a complaint: the search, a task, an entry."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from billing.domain import Kind
from billing.selectors import complaints, entries, search, statements
from billing.selectors.people import accounts_of
from billing.web import exports
from billing.web.forms import PersonFilter, SearchForm
from billing.web.permissions import OFFICE, corrects
from chassis.exports import Amount, export_response
from chassis.permissions import requires
from chassis.replica.models import Account
from chassis.tables import ExportForm, in_order, paginate, table_page, understood

ENTRY_SORTS = {"recorded": ("recorded_at", "id")}
SHOWN = 5  # of each group; the rest is on pages of its own
FINDERS = {
    "workers": (search.find_workers, "id"),
    "tasks": (search.find_tasks, "-id"),  # the newest first
    "entries": (search.find_entries, "id"),
}


@require_safe
@requires(*OFFICE)
def search_page(request: HttpRequest) -> HttpResponse:
    """Workers, tasks and entries that fit a text; one of these groups with all its pages."""
    form = SearchForm(request.GET)
    asked = understood(form)
    text, group = asked["q"], asked["group"]
    cursor = {"after": request.GET.get("after", ""), "before": request.GET.get("before", "")} if group else {}
    groups = {
        name: paginate(find(text).order_by(), order=(order,), size=50 if group else SHOWN, **cursor)
        for name, (find, order) in FINDERS.items()
        if text and group in ("", name)
    }
    people = groups["workers"].rows if "workers" in groups else []
    context = {
        "form": form,
        "q": text,
        "search_text": text,
        "group": group,
        "groups": groups,
        "page": groups.get(group),
        "workers": [{"account": account, "balance": balance} for account, balance in _balances(people)],
        "tasks": search.described(groups["tasks"].rows) if "tasks" in groups else [],
        "lines": statements.lines(groups["entries"].rows) if "entries" in groups else [],
    }
    context["found"] = bool(context["workers"] or context["tasks"] or context["lines"])
    return render(request, "billing/search.html", context)


def _balances(people: list[Account]) -> list[tuple[Account, int | None]]:
    known = search.balances(people)
    return [(account, known.get(account.id)) for account in people]


@require_safe
@requires(*OFFICE)
def task_detail(request: HttpRequest, task_id: UUID) -> HttpResponse:
    """A task: its price, what became of its reward, each entry, the events received and its dead letters (B8)."""
    worker_id = understood(PersonFilter(request.GET))["worker"]
    found = complaints.complaint(task_id, worker_id=worker_id)
    page = table_page(request, statements.entries_of_task(task_id), sorts=ENTRY_SORTS, default="-recorded")
    lines = statements.lines(page.rows)
    context = {
        "complaint": found,
        "task": found.task,
        "worker": accounts_of([worker_id])[worker_id] if worker_id else None,
        "page": page,
        "lines": lines,
        "events": complaints.received_events(found.task, lines),
        "corrects": corrects(request.user),
    }
    return render(request, "billing/task.html", context)


@require_safe
@requires(*OFFICE)
def task_export(request: HttpRequest, task_id: UUID) -> HttpResponseBase:
    """All entries of a task."""
    understood(ExportForm(request.GET))
    found = statements.entries_of_task(task_id)
    rows = in_order(request, found, sorts=ENTRY_SORTS, default="-recorded")

    def totals() -> list[tuple[str, Any]]:
        sums = statements.sums(found)
        amounts = [(_("Fees"), sums.fees), (_("Rewards"), sums.earned), (_("Reversed"), sums.reversed)]
        amounts.append((_("Corrections"), sums.corrections))
        return [*((name, Amount(cents)) for name, cents in amounts), (_("Entries"), sums.count)]

    return export_response(
        request,
        name=_("Entries of a task"),
        columns=exports.ENTRIES,
        rows=statements.all_lines(rows),
        filters=str(task_id),
        totals=totals,
    )


@require_safe
@requires(*OFFICE)
def entry_detail(request: HttpRequest, entry_id: UUID) -> HttpResponse:
    """An entry: both sides, why, where it belongs, and what it is linked with."""
    links = entries.entry_with_links(entry_id)
    if links is None:
        raise Http404
    entry = links.line.entry
    mine = corrects(request.user, whose=entry.account_id)
    context = {
        "links": links,
        "line": links.line,
        "entry": entry,
        "corrects": mine,
        "takes_back": mine and entry.kind == Kind.ADJUSTMENT and entry.reverses is None and links.opposite is None,
        "returns": mine and entry.kind == Kind.PAYOUT and links.opposite is None,
    }
    return render(request, "billing/entry.html", context)
