"""Pages of billing: each view reads the address, asks a selector or calls one service, and renders."""

from datetime import date, timedelta
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from billing.models import Cycle, LedgerAccount, Payout
from billing.selectors import cycles, days, statements, workers
from billing.selectors.clock import database_now
from billing.selectors.people import accounts_of
from billing.services.cycles import cycle_request_close
from billing.web.forms import CloseForm, StatementFilter, WorkerFilter
from billing.web.permissions import OFFICE, closes_cycles, sees_everything, sees_statement
from chassis.business_time import business_date
from chassis.form_keys import once
from chassis.permissions import refuse, requires, signed_in
from chassis.replica.models import Account
from chassis.tables import paginate, table_page, understood

CHART_DAYS = 30


@require_safe
@signed_in
def dashboard(request: HttpRequest) -> HttpResponse:
    """Income today, the open cycle so far, and the last thirty days; others than the office see their statement."""
    if not sees_everything(request.user):
        return redirect("statement")
    now = database_now()
    today = business_date(now)
    period = days.days(today - timedelta(days=CHART_DAYS - 1), today)
    cycle = cycles.open_cycle()
    context = {
        "today": period[-1],
        "newest_first": period[::-1],
        "period": period,
        "cycle": cycle,
        "cycle_sums": days.cycle_sums(cycle.id) if cycle else None,
        "totals": workers.totals(workers.ledger_accounts()),
        "unfinished": cycles.unfinished_cycle(now),
        "empty": not any(day.sums.count for day in period),
    }
    return render(request, "billing/dashboard.html", context)


@require_safe
@requires(*OFFICE)
def day_detail(request: HttpRequest, day: date) -> HttpResponse:
    """A business day: its sums, and each worker who had entries on it."""
    [found] = days.days(day, day)
    page = table_page(
        request,
        days.workers_of_day(day),
        sorts={"work": ("work", "account_id"), "entries": ("entries", "account_id")},
        default="work",
    )
    people = accounts_of(row["account_id"] for row in page)
    context = {
        "day": found,
        "page": page,
        "rows": [{**row, "account": people[row["account_id"]]} for row in page],
        "before": day - timedelta(days=1),
        "after": day + timedelta(days=1) if day < business_date(database_now()) else None,
    }
    return render(request, "billing/day.html", context)


@require_safe
@requires(*OFFICE)
def worker_list(request: HttpRequest) -> HttpResponse:
    """Everybody with a ledger account, lowest balance first."""
    form = WorkerFilter(request.GET)
    left = understood(form)["show"] == "left"
    accounts = workers.ledger_accounts(left=left)
    page = table_page(request, accounts, sorts={"balance": ("balance", "id")}, default="balance")
    cycle = cycles.open_cycle()
    today = business_date(database_now())
    context = {
        "page": page,
        "rows": workers.workers(page.rows, day=today, cycle_id=cycle.id if cycle else None),
        "totals": workers.totals(accounts),
        "left": left,
        "today": today,
    }
    return render(request, "billing/workers.html", context)


@require_safe
@signed_in
def statement(request: HttpRequest) -> HttpResponse:
    """The own statement, whatever the role."""
    return _statement(request, UUID(str(request.user.pk)))


@require_safe
@signed_in
def worker_detail(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """A worker's statement; one's own, or anybody's for the office."""
    if not sees_statement(request.user, account_id):
        refuse(request, *OFFICE)
    known = Account.objects.filter(id=account_id).exists() or LedgerAccount.objects.filter(id=account_id).exists()
    if not known:
        raise Http404
    return _statement(request, account_id)


def _statement(request: HttpRequest, account_id: UUID) -> HttpResponse:
    day = understood(StatementFilter(request.GET))["day"]
    page = table_page(
        request, statements.entries(account_id, day=day), sorts={"posted": ("entry_no",)}, default="-posted"
    )
    today = business_date(database_now())
    context = {
        "account": accounts_of([account_id])[account_id],
        "own": account_id == request.user.pk,
        "page": page,
        "lines": statements.lines(page.rows),
        "balance": workers.balance_of(account_id),
        "today": today,
        "today_sums": days.worker_day_sums(account_id, today),
        "cycle": cycles.open_cycle(),
        "day": day,
        "office": sees_everything(request.user),
    }
    return render(request, "billing/statement.html", context)


@require_safe
@requires(*OFFICE)
def cycle_list(request: HttpRequest) -> HttpResponse:
    """All cycles, the open one first."""
    page = table_page(request, Cycle.objects.all(), sorts={"due": ("due_at", "id")}, default="-due")
    return render(request, "billing/cycles.html", {"page": page, "now": database_now()})


@require_safe
@requires(*OFFICE)
def cycle_detail(request: HttpRequest, cycle_id: UUID) -> HttpResponse:
    """A cycle: due time and state, what it moved, whom it paid."""
    cycle = get_object_or_404(Cycle, id=cycle_id)
    page = paginate(
        Payout.objects.filter(cycle=cycle),
        order=("-amount", "-id"),
        after=request.GET.get("after", ""),
        before=request.GET.get("before", ""),
    )
    people = accounts_of(payout.account_id for payout in page)
    now = database_now()
    due = cycle.state == Cycle.State.OPEN and cycle.due_at <= now
    context = {
        "cycle": cycle,
        "now": now,
        "sums": days.cycle_sums(cycle.id),
        "progress": cycles.progress(cycle),
        "mails": cycles.mails(cycle),
        "page": page,
        "rows": [{"payout": payout, "account": people[payout.account_id]} for payout in page],
        "due": due,
        "form": CloseForm() if due and closes_cycles(request.user) and cycle.requested_at is None else None,
        "requested_by": accounts_of([cycle.requested_by])[cycle.requested_by] if cycle.requested_by else None,
    }
    return render(request, "billing/cycle.html", context)


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
        if cycle_request_close(cycle_id=cycle.id, actor_id=actor_id):
            messages.success(request, _("Closing has begun. This page shows how far it is."))
        else:
            messages.warning(request, _("Nothing to do: this cycle is not due, or it is being closed already."))
        return address

    return redirect(once(key=form.cleaned_data["form_key"], kind="cycle_close", actor_id=actor_id, effect=close))
