"""Workers and their statements."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from billing.models import LedgerAccount
from billing.selectors import cycles, days, statements, workers
from billing.selectors.clock import database_now
from billing.selectors.people import accounts_of, correctable
from billing.selectors.search import find_workers
from billing.web import exports
from billing.web.forms import MOST_CHOICES, NewsForm, SearchForm, StatementFilter, WorkerFilter
from billing.web.permissions import OFFICE, corrects, sees_everything, sees_statement
from chassis.business_time import business_date
from chassis.errors import is_htmx
from chassis.exports import Amount, export_response
from chassis.permissions import page_of, refuse, requires, signed_in
from chassis.replica.models import Account
from chassis.tables import ExportForm, NoFilter, in_order, table_page, understood

WORKER_SORTS = {"balance": ("balance", "id")}
STATEMENT_SORTS = {"posted": ("entry_no",)}


class WorkerExport(ExportForm, WorkerFilter):
    """The list of workers, as a file."""


class StatementExport(ExportForm, StatementFilter):
    """A statement, as a file."""


@require_safe
@requires(*OFFICE)
def worker_list(request: HttpRequest) -> HttpResponse:
    """Everybody with a ledger account, lowest balance first. The totals are asked for apart: they read all of them."""
    left = understood(WorkerFilter(request.GET))["show"] == "left"
    page = table_page(request, workers.ledger_accounts(left=left), sorts=WORKER_SORTS, default="balance")
    context = {"page": page, "rows": _described(page.rows), "left": left}
    return render(request, "billing/workers.html", context)


def _described(rows: list[LedgerAccount]) -> list[workers.Worker]:
    cycle = cycles.open_cycle()
    return workers.workers(rows, day=business_date(database_now()), cycle_id=cycle.id if cycle else None)


@require_safe
@requires(*OFFICE)
def worker_totals(request: HttpRequest) -> HttpResponse:
    """What is owed to workers and what they owe, below the list or on a page of its own."""
    left = understood(WorkerFilter(request.GET))["show"] == "left"
    template = "billing/_totals_row.html" if is_htmx(request) else "billing/totals.html"
    context = {"totals": workers.totals(workers.ledger_accounts(left=left)), "left": left}
    return render(request, template, context)


@require_safe
@requires(*OFFICE)
def dashboard_totals(request: HttpRequest) -> HttpResponse:
    """The same as two cards of the overview."""
    understood(NoFilter(request.GET))
    template = "billing/_totals_facts.html" if is_htmx(request) else "billing/totals.html"
    return render(request, template, {"totals": workers.totals(workers.ledger_accounts()), "left": False})


@require_safe
@requires(*OFFICE)
def worker_export(request: HttpRequest) -> HttpResponseBase:
    """All workers of the list."""
    left = understood(WorkerExport(request.GET))["show"] == "left"
    accounts = workers.ledger_accounts(left=left)
    rows = in_order(request, accounts, sorts=WORKER_SORTS, default="balance")

    def totals() -> list[tuple[str, Any]]:
        found = workers.totals(accounts)
        return [
            (_("Owed to workers"), Amount(found.owed)),
            (_("Debts"), Amount(found.debts)),
            (_("Ledger accounts"), found.count),
        ]

    return export_response(
        request,
        name=_("Left with a balance") if left else _("Workers"),
        columns=exports.WORKERS,
        rows=_all_described(rows.iterator(chunk_size=statements.EXPORT_ROWS)),
        filters=_("left with a balance") if left else "",
        totals=totals,
    )


def _all_described(rows: Iterator[LedgerAccount]) -> Iterator[workers.Worker]:
    while batch := list(islice(rows, statements.EXPORT_ROWS)):
        yield from _described(batch)


@require_safe
@requires(*OFFICE)
def people_options(request: HttpRequest) -> HttpResponse:
    """Names while one types them, for the field that says whom a correction is for."""
    text = request.GET.get("worker", "")
    found = correctable(find_workers(text), by=UUID(str(request.user.pk)))
    people = found[:MOST_CHOICES] if SearchForm({"q": text}).is_valid() else []
    return render(request, "billing/_people_options.html", {"people": people})


@require_safe
@signed_in
def statement(request: HttpRequest) -> HttpResponse:
    """The own statement, whatever the role."""
    return _statement(request, UUID(str(request.user.pk)))


@require_safe
@signed_in
def statement_export(request: HttpRequest) -> HttpResponseBase:
    """The own statement as a file."""
    return _statement_export(request, UUID(str(request.user.pk)))


@require_safe
@signed_in
def worker_detail(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """A worker's statement; one's own, or anybody's for the office."""
    return _statement(request, _seen(request, account_id))


@require_safe
@signed_in
def worker_statement_export(request: HttpRequest, account_id: UUID) -> HttpResponseBase:
    """A worker's statement as a file."""
    return _statement_export(request, _seen(request, account_id))


@require_safe
@signed_in
def statement_news(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """How many entries were posted since the page was loaded; nothing moves until one asks for them."""
    since = understood(NewsForm(request.GET))["since"]
    newest = statements.newest_entry_no(_seen(request, account_id))
    return render(request, "billing/_news.html", {"count": newest - since, "address": page_of(request)})


def _seen(request: HttpRequest, account_id: UUID) -> UUID:
    if not sees_statement(request.user, account_id):
        refuse(request, *OFFICE)
    if not (Account.objects.filter(id=account_id).exists() or LedgerAccount.objects.filter(id=account_id).exists()):
        raise Http404
    return account_id


def _statement(request: HttpRequest, account_id: UUID) -> HttpResponse:
    day = understood(StatementFilter(request.GET))["day"]
    newest = statements.newest_entry_no(account_id)  # before the entries: what is posted meanwhile is news
    page = table_page(request, statements.entries(account_id, day=day), sorts=STATEMENT_SORTS, default="-posted")
    today = business_date(database_now())
    own = account_id == request.user.pk
    context: dict[str, Any] = {
        "account": accounts_of([account_id])[account_id],
        "own": own,
        "page": page,
        "lines": statements.lines(page.rows),
        "balance": workers.balance_of(account_id),
        "newest": newest,
        "today": today,
        "today_sums": days.worker_day_sums(account_id, today),
        "cycle": cycles.open_cycle(),
        "day": day,
        "filter": StatementFilter(initial={"day": day}),
        "office": sees_everything(request.user),
        "corrects": corrects(request.user, whose=account_id),
    }
    return render(request, "billing/statement.html", context)


def _statement_export(request: HttpRequest, account_id: UUID) -> HttpResponseBase:
    day = understood(StatementExport(request.GET))["day"]
    account = accounts_of([account_id])[account_id]
    rows = in_order(request, statements.entries(account_id, day=day), sorts=STATEMENT_SORTS, default="-posted")
    return export_response(
        request,
        name=_("Statement of %(name)s") % {"name": account.name},
        columns=exports.STATEMENT,
        rows=statements.all_lines(rows),
        filters=day.isoformat() if day else "",
        totals=lambda: [(_("Balance"), Amount(workers.balance_of(account_id)))],
    )
