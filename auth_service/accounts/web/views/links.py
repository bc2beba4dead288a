"""Signing up, a forgotten password, and the page to which all one-time links lead."""

from collections.abc import Callable

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts import selectors, services
from accounts.domain import CLOSED, Refused, sign_up_allowed, token_hash
from accounts.models import Account, OneTimeLink
from accounts.web.forms import EmailForm, NewPasswordForm, SignUpForm
from accounts.web.refusals import sentence
from chassis.form_keys import OneTimeForm, SentBefore, once
from chassis.permissions import public


@public
@never_cache
@require_http_methods(["GET", "POST"])
def sign_up(request: HttpRequest) -> HttpResponse:
    if settings.SIGN_UP == CLOSED:
        raise Http404
    form = SignUpForm(request.POST or None)
    if form.is_valid():
        email, full_name = form.cleaned_data["email"], form.cleaned_data["full_name"]
        if not sign_up_allowed(email.lower(), policy=settings.SIGN_UP, domains=settings.SIGN_UP_DOMAINS):
            form.add_error("email", _("Signing up is open to addresses of our own domains only."))
        else:
            try:
                _once(
                    form,
                    "sign_up",
                    lambda: services.sign_up(
                        email=email, full_name=full_name, base_url=settings.PUBLIC_URL, now=timezone.now()
                    ),
                    sent=form.sent(),
                )
            except Refused as refused:
                form.add_error("email", sentence(refused))
            except SentBefore:
                form.sent_before()
            else:
                return render(request, "accounts/mail_sent.html", {"email": email})
    return render(request, "accounts/sign_up.html", {"form": form}, status=422 if form.is_bound else 200)


@public
@never_cache
@require_http_methods(["GET", "POST"])
def forgotten_password(request: HttpRequest) -> HttpResponse:
    form = EmailForm(request.POST or None)
    if form.is_valid():
        email = form.cleaned_data["email"]
        try:
            _once(
                form,
                "forgotten_password",
                lambda: services.password_reset_request(email=email, base_url=settings.PUBLIC_URL, now=timezone.now()),
                sent=form.sent(),
            )
        except SentBefore:
            form.sent_before("email")
        else:
            return render(request, "accounts/mail_sent.html", {"email": email})
    return render(request, "accounts/forgotten_password.html", {"form": form}, status=422 if form.is_bound else 200)


@public
@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "POST"])
def link(request: HttpRequest) -> HttpResponse:
    token = request.GET.get("token", "")  # not in the path, which is logged
    now = timezone.now()
    found = selectors.link_of(token_hash(token))
    if found is None:
        return _over(request, None)
    known, account = found
    form = NewPasswordForm(account, request.POST or None)
    if form.is_valid():
        password = form.cleaned_data["password"]
        try:
            # The form sent twice: the second sees that it worked, not that its link is used; unless it says another
            # password than the one that holds.
            _once(
                form,
                "link",
                lambda: services.link_use(token=token, password=password, now=now),
                stands=lambda: Account.objects.get(pk=account.pk).check_password(password),
            )
        except (Refused, SentBefore):
            known.refresh_from_db()
            return _over(request, known)
        messages.success(request, _("Your password is set. Sign in with it."))
        return HttpResponseRedirect(resolve_url("login"))
    if not known.is_open(now):
        return _over(request, known)
    return _choose(request, form, account)


def _choose(request: HttpRequest, form: NewPasswordForm, account: Account) -> HttpResponse:
    context = {"form": form, "account": account}
    return render(request, "accounts/link.html", context, status=422 if form.is_bound else 200)


def _over(request: HttpRequest, known: OneTimeLink | None) -> HttpResponse:
    """Says which case it is, and how to get a new link. `known` is None for one that never was, or leads nowhere."""
    context = {"link": known, "is_expired": known is not None and known.used_at is None}
    return render(request, "accounts/link_over.html", context, status=410)


def _once(
    form: OneTimeForm,
    kind: str,
    effect: Callable[[], object],
    *,
    sent: str = "",
    stands: Callable[[], bool] | None = None,
) -> None:
    """Nobody is signed in here, so that the key alone tells the form."""

    def run() -> str:
        effect()
        return ""

    once(key=form.cleaned_data["form_key"], kind=kind, actor_id=None, effect=run, sent=sent, stands=stands)
