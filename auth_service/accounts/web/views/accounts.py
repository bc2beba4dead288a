"""The admins' pages: all accounts, one account, and what can be done to it."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render, resolve_url
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import selectors, services
from accounts.domain import ADMIN, Refused
from accounts.models import Account
from accounts.web.forms import STATUS_LABELS, AccountExport, AccountForm, FilterForm, InvitationForm, RoleForm
from accounts.web.history import HISTORY_SORTS, told
from accounts.web.refusals import sentence
from chassis.exports import Column, export_response
from chassis.form_keys import PRESSED_BEFORE, OneTimeForm, SentBefore
from chassis.news import list_of, news_response
from chassis.permissions import requires, signed_in
from chassis.tables import NoFilter, in_order, table_page, understood

SORTS = {
    "name": ("sorted_name", "id"),
    "email": ("email", "id"),
    "role": ("role", "id"),
    "seen": ("seen_at", "id"),
}
COLUMNS: list[Column[Account]] = [
    Column(gettext_lazy("Name"), lambda account: account.name),
    Column(gettext_lazy("E-mail"), lambda account: account.email),
    Column(gettext_lazy("Position"), lambda account: account.position),
    Column(gettext_lazy("Role"), lambda account: account.role),
    Column(gettext_lazy("Status"), lambda account: STATUS_LABELS[account.status]),
    Column(gettext_lazy("Last sign-in"), lambda account: account.last_login),
]


@signed_in
@require_GET
def account_list(request: HttpRequest) -> HttpResponse:
    if cast("Account", request.user).role != ADMIN:
        return HttpResponseRedirect(resolve_url("profile"))
    form = FilterForm(request.GET)
    found, wanted = _found(form)
    context = {
        "form": form,
        "page": table_page(request, found, sorts=SORTS, default="name"),
        "filtered": any(wanted.values()),
    }
    return render(request, "accounts/account_list.html", context)


@requires(ADMIN)
@require_GET
def account_news(request: HttpRequest) -> HttpResponse:
    """How many accounts came to the list since its page was made."""
    found, _wanted = _found(FilterForm(list_of(request)))
    return news_response(request, found, moment="created_at", page="account_list")


@requires(ADMIN)
@require_GET
def account_export(request: HttpRequest) -> HttpResponseBase:
    """All rows of the list's filter, in its order."""
    found, wanted = _found(AccountExport(request.GET))
    wanted.pop("format")
    rows = in_order(request, found, sorts=SORTS, default="name")
    filters = ", ".join(f"{name}: {value}" for name, value in wanted.items() if value)
    return export_response(
        request,
        name=_("accounts"),
        columns=COLUMNS,
        rows=rows.iterator(chunk_size=1000),
        filters=filters,
        totals=lambda: [(_("Accounts"), found.count())],
    )


def _found(form: FilterForm) -> tuple[QuerySet[Account], dict[str, Any]]:
    wanted = understood(form)
    return selectors.accounts_search(text=wanted["q"], role=wanted["role"], status=wanted["status"]), wanted


@requires(ADMIN)
@require_GET
def account_detail(request: HttpRequest, account_id: UUID) -> HttpResponse:
    understood(NoFilter(request.GET))
    return _detail(request, get_object_or_404(Account, pk=account_id))


def _detail(
    request: HttpRequest,
    account: Account,
    *,
    edit_form: AccountForm | None = None,
    role_form: RoleForm | None = None,
) -> HttpResponse:
    """The account's page; with a form that was not understood it shows what was typed, and why not."""
    now = timezone.now()
    changes = table_page(request, selectors.account_history(account.pk), sorts=HISTORY_SORTS, default="-when")
    context = {
        "account": account,
        "page": changes,
        "changes": told(changes.rows),
        "locks": selectors.account_locks(account.email, now=now),
        "mails": selectors.mails_of(account.pk),
        "edit_form": edit_form
        or AccountForm(auto_id="edit_%s", initial={"full_name": account.full_name, "position": account.position}),
        "role_form": role_form or RoleForm(auto_id="role_%s", initial={"role": account.role}),
    }
    status = 422 if edit_form or role_form else 200
    return render(request, "accounts/account_detail.html", context, status=status)


@requires(ADMIN)
@require_http_methods(["GET", "POST"])
def account_invite(request: HttpRequest) -> HttpResponse:
    form = InvitationForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = {name: value for name, value in form.cleaned_data.items() if name != "form_key"}
        try:
            url = form.once(
                kind="invite", actor_id=request.user.pk, effect=partial(_invite, data, actor_id=str(request.user.pk))
            )
        except Refused as refused:
            form.add_error(None if refused.code == "not_admin" else "email", sentence(refused))
        except SentBefore:
            form.sent_before()
        else:
            messages.success(request, _("Invited: a mail with a link is on its way."))
            return HttpResponseRedirect(url)
    status = 422 if form.is_bound else 200
    return render(request, "accounts/account_invite.html", {"form": form}, status=status)


@requires(ADMIN)
@require_POST
def account_edit(request: HttpRequest, account_id: UUID) -> HttpResponse:
    form = AccountForm(request.POST, auto_id="edit_%s")
    if not form.is_valid():
        return _detail(request, get_object_or_404(Account, pk=account_id), edit_form=form)
    change = partial(services.account_update, account_id=account_id)
    fields = ("full_name", "position")
    return _change(request, account_id, form, change, _("Saved."), stands=_has(form, fields), fields=fields)


@requires(ADMIN)
@require_POST
def account_role(request: HttpRequest, account_id: UUID) -> HttpResponse:
    form = RoleForm(request.POST, auto_id="role_%s")
    if not form.is_valid():
        return _detail(request, get_object_or_404(Account, pk=account_id), role_form=form)
    change = partial(services.account_role_change, account_id=account_id)
    said = _("The role is changed. The person has to sign in again.")
    return _change(request, account_id, form, change, said, stands=_has(form, ("role",)), fields=("role",))


@requires(ADMIN)
@require_POST
def account_deactivate(request: HttpRequest, account_id: UUID) -> HttpResponse:
    change = partial(services.account_deactivate, account_id=account_id)
    said = _("Deactivated and signed out everywhere.")
    return _change(request, account_id, OneTimeForm(request.POST), change, said, stands=lambda now: not now.is_active)


@requires(ADMIN)
@require_POST
def account_reactivate(request: HttpRequest, account_id: UUID) -> HttpResponse:
    change = partial(services.account_reactivate, account_id=account_id)
    said = _("Reactivated.")
    return _change(request, account_id, OneTimeForm(request.POST), change, said, stands=lambda now: now.is_active)


@requires(ADMIN)
@require_POST
def account_unlock(request: HttpRequest, account_id: UUID) -> HttpResponse:
    change = partial(services.account_unlock, account_id=account_id)
    said = _("The lock is lifted.")
    return _change(request, account_id, OneTimeForm(request.POST), change, said, stands=_is_not_locked)


@requires(ADMIN)
@require_POST
def account_link(request: HttpRequest, account_id: UUID) -> HttpResponse:
    change = partial(services.link_resend, account_id=account_id, base_url=settings.PUBLIC_URL)
    said = _("A mail with a new link is on its way.")
    return _change(request, account_id, OneTimeForm(request.POST), change, said, stands=_has_a_link)


def _is_not_locked(account: Account) -> bool:
    return not selectors.account_locks(account.email, now=timezone.now())


def _has_a_link(account: Account) -> bool:
    return account.status == "invited" and selectors.has_open_link(account.pk, now=timezone.now())


def _has(form: OneTimeForm, fields: Sequence[str]) -> Callable[[Account], bool]:
    """Whether an account has what the form says."""
    return lambda account: all(getattr(account, name) == form.cleaned_data[name] for name in fields)


def _change(
    request: HttpRequest,
    account_id: UUID,
    form: OneTimeForm,
    change: Callable[..., Account],
    said: str,
    *,
    stands: Callable[[Account], bool],
    fields: tuple[str, ...] = (),
) -> HttpResponse:
    """Runs one use case once for each form and goes back to the account's page, which says how it went.

    A repetition is told so when what it did no longer `stands`.
    """
    here = resolve_url("account_detail", account_id=account_id)
    get_object_or_404(Account, pk=account_id)
    if not form.is_valid():  # no key: not a form of ours
        messages.error(request, sentence(Refused("incomplete")))
        return HttpResponseRedirect(here)
    data = {name: form.cleaned_data[name] for name in fields}
    kind = f"{change.func.__name__}:{account_id}"  # type: ignore[attr-defined]

    def effect() -> str:
        change(actor_id=str(request.user.pk), now=timezone.now(), **data)
        return here

    try:
        url = form.once(
            kind=kind,
            actor_id=request.user.pk,
            effect=effect,
            stands=lambda: stands(Account.objects.get(pk=account_id)),
        )
    except Refused as refused:
        messages.error(request, sentence(refused))
        return HttpResponseRedirect(here)
    except SentBefore:
        if not fields:
            messages.error(request, str(PRESSED_BEFORE))
            return HttpResponseRedirect(here)
        form.sent_before()
        shown = "role_form" if isinstance(form, RoleForm) else "edit_form"
        return _detail(request, get_object_or_404(Account, pk=account_id), **{shown: form})  # type: ignore[arg-type]
    messages.success(request, said)
    return HttpResponseRedirect(url)


def _invite(data: dict[str, Any], *, actor_id: str) -> str:
    account = services.invite(**data, actor_id=actor_id, base_url=settings.PUBLIC_URL, now=timezone.now())
    return resolve_url("account_detail", account_id=account.pk)
