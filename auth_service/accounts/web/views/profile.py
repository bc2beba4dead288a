"""One's own page."""

from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts import services
from accounts.models import Account
from accounts.web.forms import ChangePasswordForm, NameForm
from accounts.web.sessions import session_begin
from chassis.form_keys import once
from chassis.permissions import signed_in


@signed_in
@require_http_methods(["GET", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    account = cast("Account", request.user)
    form = NameForm(request.POST or None, initial={"full_name": account.full_name})
    if request.method == "POST" and form.is_valid():
        url = once(
            key=form.cleaned_data["form_key"],
            kind="profile",
            actor_id=account.pk,
            effect=lambda: _rename(account, form.cleaned_data["full_name"]),
        )
        messages.success(request, _("Your name is saved."))
        return HttpResponseRedirect(url)
    return _page(request, form, ChangePasswordForm(account))


@signed_in
@sensitive_post_parameters("current", "password")
@require_POST
def profile_password(request: HttpRequest) -> HttpResponse:
    account = cast("Account", request.user)
    form = ChangePasswordForm(account, request.POST)
    if not form.is_valid():
        return _page(request, NameForm(initial={"full_name": account.full_name}), form)
    remember = not request.session.get_expire_at_browser_close() and request.session.get_expiry_age() > 12 * 3600
    account = services.password_change(
        account_id=account.pk, password=form.cleaned_data["password"], now=timezone.now()
    )
    # Every session ended with the old password, this one too: it begins anew.
    session_begin(request, account, remember=remember)
    messages.success(request, _("Your password is changed. You are signed out everywhere else."))
    return HttpResponseRedirect(resolve_url("profile"))


def _rename(account: Account, full_name: str) -> str:
    services.account_update(account_id=account.pk, full_name=full_name, actor_id=str(account.pk), now=timezone.now())
    return resolve_url("profile")


def _page(request: HttpRequest, name_form: NameForm, password_form: ChangePasswordForm) -> HttpResponse:
    context = {"name_form": name_form, "password_form": password_form}
    return render(request, "accounts/profile.html", context)
