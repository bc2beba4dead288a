"""One's own page."""

from typing import cast

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts import selectors, services
from accounts.domain import Refused
from accounts.models import Account, Consent
from accounts.web.forms import ChangePasswordForm, NameForm
from accounts.web.refusals import sentence
from accounts.web.sessions import session_is_over, session_renew
from chassis.form_keys import SentBefore, once
from chassis.permissions import signed_in


@signed_in
@require_http_methods(["GET", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    account = cast("Account", request.user)
    form = NameForm(request.POST or None, initial={"full_name": account.full_name})
    if request.method == "POST" and form.is_valid():
        try:
            url = form.once(
                kind="profile",
                actor_id=account.pk,
                effect=lambda: _rename(account, form.cleaned_data["full_name"]),
                stands=lambda: _now(account).full_name == form.cleaned_data["full_name"],
            )
        except SentBefore:
            form.sent_before("full_name")
        else:
            messages.success(request, _("Your name is saved."))
            return HttpResponseRedirect(url)
    return _page(request, form, ChangePasswordForm(account))


@signed_in
@sensitive_post_parameters("current", "password")
@require_POST
def profile_password(request: HttpRequest) -> HttpResponse:
    account = cast("Account", request.user)
    form = ChangePasswordForm(account, request.POST)
    if form.is_valid():
        try:
            url = once(
                key=form.cleaned_data["form_key"],
                kind="password",
                actor_id=account.pk,
                effect=lambda: _new_password(request, account, form),
                stands=lambda: _now(account).check_password(form.cleaned_data["password"]),
            )
        except Refused as refused:
            form.add_error("current", sentence(refused))
        except SentBefore:
            form.sent_before("password")
        else:
            _stay_signed_in(request, account, form)
            messages.success(request, _("Your password is changed. You are signed out everywhere else."))
            return HttpResponseRedirect(url)
    return _page(request, NameForm(initial={"full_name": account.full_name}), form)


@signed_in
@require_POST
def profile_withdraw(request: HttpRequest, consent_id: int) -> HttpResponse:
    """Takes back what an application may see of oneself."""
    account = cast("Account", request.user)
    try:
        services.consent_withdraw(account_id=account.pk, consent_id=consent_id, now=timezone.now())
    except Refused as refused:
        raise Http404 from refused
    messages.success(request, _("Withdrawn: it will ask you again before it sees anything."))
    return HttpResponseRedirect(resolve_url("profile"))


def _new_password(request: HttpRequest, account: Account, form: ChangePasswordForm) -> str:
    data = form.cleaned_data
    changed = services.password_change(
        account_id=account.pk, current=data["current"], password=data["password"], now=timezone.now()
    )
    # Every session ended with the old password; this browser goes on in a new one.
    session_renew(request, changed)
    return resolve_url("profile")


def _stay_signed_in(request: HttpRequest, account: Account, form: ChangePasswordForm) -> None:
    """Of the form sent twice at once the first sending ends this session too: with the new password it goes on."""
    account.refresh_from_db()
    if session_is_over(request) and account.check_password(form.cleaned_data["password"]):
        session_renew(request, account)


def _now(account: Account) -> Account:
    """The account as it is by now: the form was answered before."""
    return Account.objects.get(pk=account.pk)


def _sees(consent: Consent) -> list[str]:
    return [str(label) for name, label in settings.OAUTH2_PROVIDER["SCOPES"].items() if name in consent.scopes.split()]


def _rename(account: Account, full_name: str) -> str:
    services.account_update(account_id=account.pk, full_name=full_name, actor_id=str(account.pk), now=timezone.now())
    return resolve_url("profile")


def _page(request: HttpRequest, name_form: NameForm, password_form: ChangePasswordForm) -> HttpResponse:
    account = cast("Account", request.user)
    context = {
        "name_form": name_form,
        "password_form": password_form,
        "grants": [(consent, party, _sees(consent)) for consent, party in selectors.consents_of(account.pk)],
    }
    status = 422 if name_form.is_bound or password_form.is_bound else 200
    return render(request, "accounts/profile.html", context, status=status)
