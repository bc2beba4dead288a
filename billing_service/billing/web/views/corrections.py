"""What finance posts by hand: corrections, their opposites, and payouts that came back (B6)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from billing.domain import Kind, LedgerError, adjustment_key
from billing.models import Transfer
from billing.selectors import statements
from billing.selectors.clock import database_now
from billing.selectors.people import accounts_of
from billing.selectors.workers import balance_of
from billing.services.adjustments import adjustment_post, adjustment_reverse, payout_return
from billing.web import exports
from billing.web.forms import CorrectionForm, PersonFilter, ReasonForm
from billing.web.permissions import OFFICE, corrects
from chassis.exports import Amount, export_response
from chassis.form_keys import SentBefore, once
from chassis.news import list_of, news_response
from chassis.permissions import requires
from chassis.tables import ExportForm, in_order, table_page, understood

SORTS = {"posted": ("recorded_at", "id")}


class CorrectionExport(ExportForm, PersonFilter):
    """The list of corrections, as a file."""


@require_safe
@requires(*OFFICE)
def correction_list(request: HttpRequest) -> HttpResponse:
    """All corrections, the newest first; or those of one worker."""
    worker_id = understood(PersonFilter(request.GET))["worker"]
    page = table_page(request, statements.corrections(account_id=worker_id), sorts=SORTS, default="-posted")
    context = {
        "page": page,
        "lines": statements.lines(page.rows),
        "worker": accounts_of([worker_id])[worker_id] if worker_id else None,
        "corrects": corrects(request.user),
    }
    return render(request, "billing/corrections.html", context)


@require_safe
@requires(*OFFICE)
def correction_news(request: HttpRequest) -> HttpResponse:
    """How many corrections were posted since the page was made."""
    worker_id = understood(PersonFilter(list_of(request)))["worker"]
    return news_response(
        request, statements.corrections(account_id=worker_id), moment="recorded_at", page="correction_list"
    )


@require_safe
@requires(*OFFICE)
def correction_export(request: HttpRequest) -> HttpResponseBase:
    """All corrections of the list."""
    worker_id = understood(CorrectionExport(request.GET))["worker"]
    found = statements.corrections(account_id=worker_id)
    rows = in_order(request, found, sorts=SORTS, default="-posted")

    def totals() -> list[tuple[str, Any]]:
        sums = statements.sums(found)
        return [(_("Amount"), Amount(sums.corrections)), (_("Corrections"), sums.count)]

    return export_response(
        request,
        name=_("Corrections"),
        columns=exports.CORRECTIONS,
        rows=statements.all_lines(rows),
        filters=accounts_of([worker_id])[worker_id].name if worker_id else "",
        totals=totals,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@requires("finance")
def correction_new(request: HttpRequest) -> HttpResponse:
    """The form, then a preview with the balance before and after, then the entry."""
    actor_id = UUID(str(request.user.pk))
    if request.method != "POST":
        given = {name: request.GET[name] for name in ("worker", "about") if name in request.GET}
        return _form(request, CorrectionForm(initial=given, actor_id=actor_id))
    form = CorrectionForm(request.POST, actor_id=actor_id)
    if not form.is_valid():
        return _form(request, form, status=422)
    step = request.POST.get("step")
    if step == "edit":
        return _form(request, form)
    if step != "post":
        balance = balance_of(form.cleaned_data["worker"])
        context = {"form": form, "account": form.account, "before": balance, "after": balance + form.change}
        return render(request, "billing/correction_preview.html", context)
    return redirect(_post(request, form))


def _form(request: HttpRequest, form: CorrectionForm, status: int = 200) -> HttpResponse:
    return render(request, "billing/correction_new.html", {"form": form}, status=status)


def _post(request: HttpRequest, form: CorrectionForm) -> str:
    values, posted = form.cleaned_data, False

    def effect() -> str:
        nonlocal posted
        entry_id = adjustment_post(
            form_key=values["form_key"],
            account_id=values["worker"],
            amount=values["amount"],
            credit=form.change > 0,
            reason=values["reason"],
            actor_id=form.actor_id,
            now=database_now(),
            task_id=form.task.id if form.task else None,
            about=form.entry.id if form.entry else None,
        )
        posted = True
        messages.success(request, _("The correction is posted; the worker sees it on the statement."))
        return reverse("entry_detail", args=[entry_id])

    address = once(key=values["form_key"], kind="correction", actor_id=form.actor_id, effect=effect)
    if not posted:
        _tell_what_was_posted(request, form)
    return address


def _tell_what_was_posted(request: HttpRequest, form: CorrectionForm) -> None:
    """After Back a form can say something else than when it was sent; it books what it said first, and only that."""
    first = Transfer.objects.get(idempotency_key=adjustment_key(form.cleaned_data["form_key"]))
    now = (form.cleaned_data["worker"], form.change, form.cleaned_data["reason"].strip())
    if (first.account_id, first.change, first.reason) != now:
        messages.warning(
            request,
            _("This form was posted before, and the entry below is what it said then. Begin a new one for another."),
        )


@require_http_methods(["GET", "HEAD", "POST"])
@requires("finance")
def correction_take_back(request: HttpRequest, entry_id: UUID) -> HttpResponse:
    """A wrong correction is answered by its opposite, once."""

    def effect(form_key: UUID, reason: str, actor_id: UUID) -> UUID:
        return adjustment_reverse(
            form_key=form_key, transfer_id=entry_id, reason=reason, actor_id=actor_id, now=database_now()
        )

    return _answer(request, entry_id, Kind.ADJUSTMENT, effect)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("finance")
def payout_come_back(request: HttpRequest, entry_id: UUID) -> HttpResponse:
    """A payout that the bank sent back is credited again, once; the next closing pays it."""

    def effect(form_key: UUID, reason: str, actor_id: UUID) -> UUID:
        return payout_return(transfer_id=entry_id, reason=reason, actor_id=actor_id, now=database_now())

    return _answer(request, entry_id, Kind.PAYOUT, effect)


def _answer(
    request: HttpRequest, entry_id: UUID, kind: Kind, effect: Callable[[UUID, str, UUID], UUID]
) -> HttpResponse:
    entry = Transfer.objects.filter(id=entry_id, kind=kind, reverses=None).first()
    if entry is None:
        raise Http404
    form = ReasonForm(request.POST or None)
    own = not corrects(request.user, whose=entry.account_id)
    if request.method != "POST" or own or not form.is_valid():
        balance = balance_of(entry.account_id)
        context = {
            "form": form,
            "line": statements.lines([entry])[0],
            "entry": entry,
            "returns": kind is Kind.PAYOUT,
            "own": own,
            "opposite": Transfer.objects.filter(reverses=entry.id).first(),
            "before": balance,
            "after": balance - entry.change,
        }
        return render(request, "billing/entry_answer.html", context, status=422 if request.method == "POST" else 200)
    actor_id, values = UUID(str(request.user.pk)), form.cleaned_data

    def answer() -> str:
        return reverse("entry_detail", args=[effect(values["form_key"], values["reason"], actor_id)])

    try:
        address = form.once(kind=f"answer {entry_id}", actor_id=actor_id, effect=answer)
    except SentBefore as before:
        messages.warning(request, _("This was posted before, with the reason that stands below. It is done once."))
        return redirect(before.url)
    except LedgerError:
        messages.warning(request, _("Nothing to do: somebody did this before."))
        return redirect("entry_detail", entry_id=entry_id)
    messages.success(request, _("Posted; the worker sees it on the statement."))
    return redirect(address)
