"""Billing cycles: what is due, what was paid, and the button that closes a due one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from billing.models import Cycle, Payout
from billing.selectors import cycles, days
from billing.selectors.clock import database_now
from billing.selectors.people import accounts_of
from billing.selectors.statements import EXPORT_ROWS
from billing.services.cycles import cycle_request_close
from billing.web import exports
from billing.web.forms import CloseForm
from billing.web.permissions import OFFICE, closes_cycles
from chassis.exports import Amount, export_response
from chassis.form_keys import once
from chassis.news import list_of, news_response
from chassis.permissions import requires
from chassis.tables import ExportForm, NoFilter, in_order, table_page, understood

CYCLE_SORTS = {"due": ("due_at", "id")}
ASK_NO_MORE = 286  # htmx's status that ends asking again and again
PAYOUT_SORTS = {"amount": ("amount", "id")}


@require_safe
@requires(*OFFICE)
def cycle_list(request: HttpRequest) -> HttpResponse:
    """All cycles, the open one first."""
    understood(NoFilter(request.GET))
    page = table_page(request, Cycle.objects.all(), sorts=CYCLE_SORTS, default="-due")
    closing = next((cycle for cycle in page if cycle.state == Cycle.State.CLOSING), None)
    context = {"page": page, "now": database_now(), "progress": cycles.progress(closing) if closing else None}
    return render(request, "billing/cycles.html", context)


@require_safe
@requires(*OFFICE)
def cycle_news(request: HttpRequest) -> HttpResponse:
    """How many cycles began since the page was made: one does when the one before it begins to close."""
    understood(NoFilter(list_of(request)))
    return news_response(request, Cycle.objects.all(), moment="closing_at", page="cycle_list")


@require_safe
@requires(*OFFICE)
def cycle_list_export(request: HttpRequest) -> HttpResponseBase:
    """All cycles."""
    understood(ExportForm(request.GET))
    rows = in_order(request, Cycle.objects.all(), sorts=CYCLE_SORTS, default="-due")

    def totals() -> list[tuple[str, Any]]:
        found = cycles.settled()
        return [(_("Paid out"), Amount(found.cents)), (_("Payouts"), found.workers)]

    return export_response(
        request,
        name=_("Billing cycles"),
        columns=exports.cycles(database_now(), cycles.progress_of_closing()),
        rows=rows.iterator(chunk_size=EXPORT_ROWS),
        totals=totals,
    )


def _payouts(cycle: Cycle) -> QuerySet[Payout]:
    return Payout.objects.filter(cycle=cycle)


def _with_people(payouts: Iterable[Payout]) -> list[dict[str, Any]]:
    payouts = list(payouts)
    people = accounts_of(payout.account_id for payout in payouts)
    return [{"payout": payout, "account": people[payout.account_id]} for payout in payouts]


def _all_with_people(payouts: Iterator[Payout]) -> Iterator[dict[str, Any]]:
    while batch := list(islice(payouts, EXPORT_ROWS)):
        yield from _with_people(batch)


@require_safe
@requires(*OFFICE)
def cycle_detail(request: HttpRequest, cycle_id: UUID) -> HttpResponse:
    """A cycle: due time and state, what it moved, whom it paid."""
    understood(NoFilter(request.GET))
    cycle = get_object_or_404(Cycle, id=cycle_id)
    page = table_page(request, _payouts(cycle), sorts=PAYOUT_SORTS, default="-amount")
    closing = _closing(cycle)
    closes = closing["due"] and closes_cycles(request.user) and cycle.requested_at is None
    context = closing | {
        "sums": days.cycle_sums(cycle.id),
        "days": days.days_of_cycle(cycle.id),
        "mails": cycles.mails(cycle),
        "page": page,
        "rows": _with_people(page),
        "form": CloseForm() if closes else None,
    }
    return render(request, "billing/cycle.html", context)


def _closing(cycle: Cycle) -> dict[str, Any]:
    now = database_now()
    return {
        "cycle": cycle,
        "now": now,
        "due": cycle.state == Cycle.State.OPEN and cycle.due_at <= now,
        "progress": cycles.progress(cycle),
        "requested_by": accounts_of([cycle.requested_by])[cycle.requested_by] if cycle.requested_by else None,
    }


@require_safe
@requires(*OFFICE)
def cycle_progress(request: HttpRequest, cycle_id: UUID) -> HttpResponse:
    """How far a closing is, for the cycle's page while it is looked at."""
    cycle = get_object_or_404(Cycle, id=cycle_id)
    status = ASK_NO_MORE if cycle.state == Cycle.State.CLOSED else 200
    return render(request, "billing/_progress.html", _closing(cycle), status=status)


@require_safe
@requires(*OFFICE)
def cycle_export(request: HttpRequest, cycle_id: UUID) -> HttpResponseBase:
    """All payouts of a cycle and their mails."""
    understood(ExportForm(request.GET))
    cycle = get_object_or_404(Cycle, id=cycle_id)
    rows = in_order(request, _payouts(cycle), sorts=PAYOUT_SORTS, default="-amount")

    def totals() -> list[tuple[str, Any]]:
        progress = cycles.progress(cycle)
        return [(_("Paid out"), Amount(progress.cents)), (_("Payouts"), progress.paid)]

    return export_response(
        request,
        name=_("Payouts of the cycle due %(name)s") % {"name": cycle.name},
        columns=exports.PAYOUTS,
        rows=_all_with_people(rows.iterator(chunk_size=EXPORT_ROWS)),
        totals=totals,
    )


@require_POST
@requires("finance")
def cycle_close(request: HttpRequest, cycle_id: UUID) -> HttpResponse:
    """Finance closes a due cycle now: the worker does it, and the page shows how far it is."""
    cycle = get_object_or_404(Cycle, id=cycle_id)
    form = CloseForm(request.POST)
    address = reverse("cycle_detail", args=[cycle.id])
    if not form.is_valid():
        messages.error(request, _("The form was incomplete; please press the button again."))
        return redirect(address)
    actor_id = UUID(str(request.user.pk))

    def close() -> str:
        if cycle_request_close(cycle_id=cycle.id, actor_id=actor_id, now=database_now()):
            messages.success(request, _("Closing has begun. This page shows how far it is."))
        else:
            messages.warning(request, _("Nothing to do: this cycle is not due, or it is being closed already."))
        return address

    return redirect(
        once(key=form.cleaned_data["form_key"], kind=f"cycle_close {cycle.id}", actor_id=actor_id, effect=close)
    )
