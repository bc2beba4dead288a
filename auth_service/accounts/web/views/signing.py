"""Signing in, and signing out of everything."""

from urllib.parse import parse_qs, urlencode, urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import selectors, services
from accounts.domain import CLOSED, Refused
from accounts.models import RelyingParty
from accounts.web.forms import SignInForm
from accounts.web.policy import form_leads_to, registered_redirect
from accounts.web.refusals import sentence
from accounts.web.sessions import SID, session_begin, session_end
from chassis.permissions import public


@public
@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "POST"])
def login(request: HttpRequest) -> HttpResponse:
    target = safe_next(request.POST.get("next") or request.GET.get("next", ""))
    if request.user.is_authenticated:
        return HttpResponseRedirect(target)
    form = SignInForm(request, request.POST or None)
    if request.method == "POST" and form.is_valid() and form.account:
        try:
            session_begin(request, form.account, remember=form.cleaned_data["remember"])
        except Refused:
            form.add_error(None, sentence(Refused("inactive")))
        else:
            return HttpResponseRedirect(target)
    context = {
        "form": form,
        "next": target,
        "party": party_of(target),
        "sign_up": settings.SIGN_UP != CLOSED,
    }
    status = 429 if form.is_locked else 422 if form.is_bound else 200
    response = render(request, "accounts/sign_in.html", context, status=status)
    form_leads_to(response, registered_redirect(target))
    return response


@public
@never_cache
@require_POST
def logout(request: HttpRequest) -> HttpResponse:
    session_end(request)
    return HttpResponseRedirect(resolve_url("signed_out"))


@public
@never_cache
@require_GET
def signed_out(request: HttpRequest) -> HttpResponse:
    party = RelyingParty.objects.filter(name=request.GET.get("from", "")).first()
    return render(request, "accounts/signed_out.html", {"party": party})


@public
@never_cache
@require_http_methods(["GET", "POST"])
def end_session(request: HttpRequest) -> HttpResponse:
    """The end-session endpoint. Who knows the browser's `sid` is one of its services, and need not be asked back.

    Without it (a stranger's link) the person is asked; a `sid` of another browser ends that one.
    """
    hint = request.GET.get("logout_hint", "")
    own = request.session.get(SID, "")
    if hint and not constant_time_compare(hint, own):
        services.session_end(sid=hint, now=timezone.now())
    if request.user.is_authenticated:
        if request.method == "GET" and not (hint and constant_time_compare(hint, own)):
            return render(request, "accounts/sign_out.html")
        session_end(request)
    party = selectors.relying_party(request.GET.get("client_id", ""))
    question = f"?{urlencode({'from': party.name})}" if party else ""
    return HttpResponseRedirect(resolve_url("signed_out") + question)


def safe_next(target: str) -> str:
    """`target` if it is a place of auth, else the front page."""
    return target if url_has_allowed_host_and_scheme(target, allowed_hosts=None) else "/"


def party_of(target: str) -> RelyingParty | None:
    """The service that sent the browser here to sign in."""
    client_id = parse_qs(urlsplit(target).query).get("client_id", [""])[0]
    return selectors.relying_party(client_id) if client_id else None
