"""Signing up, a forgotten password, and the page to which all one-time links lead."""

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
from accounts.web.forms import EmailForm, NewPasswordForm, SignUpForm
from accounts.web.refusals import sentence
from chassis.permissions import public


@public
@never_cache
@require_http_methods(["GET", "POST"])
def sign_up(request: HttpRequest) -> HttpResponse:
    if settings.SIGN_UP == CLOSED:
        raise Http404
    form = SignUpForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        if sign_up_allowed(data["email"].lower(), policy=settings.SIGN_UP, domains=settings.SIGN_UP_DOMAINS):
            try:
                services.sign_up(**data, base_url=settings.PUBLIC_URL, now=timezone.now())
            except Refused as refused:
                form.add_error("email", sentence(refused))
            else:
                return render(request, "accounts/mail_sent.html", {"email": data["email"]})
        else:
            form.add_error("email", _("Signing up is open to addresses of our own domains only."))
    return render(request, "accounts/sign_up.html", {"form": form})


@public
@never_cache
@require_http_methods(["GET", "POST"])
def forgotten_password(request: HttpRequest) -> HttpResponse:
    form = EmailForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        email = form.cleaned_data["email"]
        services.password_reset_request(email=email, base_url=settings.PUBLIC_URL, now=timezone.now())
        return render(request, "accounts/mail_sent.html", {"email": email})
    return render(request, "accounts/forgotten_password.html", {"form": form})


@public
@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "POST"])
def link(request: HttpRequest) -> HttpResponse:
    token = request.GET.get("token", "")  # not in the path, which is logged
    account = selectors.link_account(token_hash(token), now=timezone.now())
    if account is None:
        return render(request, "accounts/link_over.html", status=410)
    form = NewPasswordForm(account, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.link_use(token=token, password=form.cleaned_data["password"], now=timezone.now())
        except Refused:
            return render(request, "accounts/link_over.html", status=410)
        messages.success(request, _("Your password is set. Sign in with it."))
        return HttpResponseRedirect(resolve_url("login"))
    return render(request, "accounts/link.html", {"form": form, "account": account})
