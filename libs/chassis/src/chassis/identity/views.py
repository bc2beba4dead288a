"""The four addresses of the relying side. Signing in and out happen at auth; here a session begins and ends."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import requests
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login as session_begin
from django.contrib.auth import logout as session_end
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST
from social_core.exceptions import AuthPolicyError, AuthProviderError, AuthSessionError, SocialAuthBaseException

from chassis.permissions import public

from .backend import AuthServiceBackend, backend_for
from .logout_tokens import InvalidLogoutToken, logout_apply, verified
from .pending import NEXT, pending_end, pending_find, pending_keep, pending_new
from .sessions import CHANGED, EPOCH, SID, sid_to_end


@public
@never_cache
@require_GET
def login(request: HttpRequest) -> HttpResponse:
    """Sends the browser to auth, and back to `next` afterwards."""
    target = safe_next(request, request.GET.get("next", ""))
    if request.user.is_authenticated:
        return HttpResponseRedirect(target)
    if not auth_is_up():
        return unavailable(request, target)
    session = pending_new(target)
    address = backend_for(request, session).auth_url()
    response = HttpResponseRedirect(address)
    pending_keep(request, response, state=parse_qs(urlsplit(address).query)["state"][0], session=session)
    return response


@public
@never_cache
@require_GET
def complete(request: HttpRequest) -> HttpResponse:
    """Takes auth's answer, checks it, and begins the session."""
    state = request.GET.get("state", "")
    pending = pending_find(request, state=state)
    response = _answered(request, backend_for(request, pending), safe_next(request, pending.get(NEXT, "/")))
    pending_end(request, response, state=state, session=pending)
    return response


def _answered(request: HttpRequest, backend: AuthServiceBackend, target: str) -> HttpResponse:
    try:
        account = backend.complete()
    except AuthSessionError:
        # Back, a bookmark or no cookies. Starting anew by itself would turn in circles for the last one.
        if request.user.is_authenticated:
            return HttpResponseRedirect(target)
        return failed(request, target, status=400, reason="answer")
    except AuthPolicyError:
        return failed(request, target, status=403, reason="out")
    except SocialAuthBaseException as error:
        return (
            unavailable(request, target) if is_outage(error) else failed(request, target, status=400, reason="answer")
        )
    _session_begin(request, account, backend)
    return HttpResponseRedirect(target)


def _session_begin(request: HttpRequest, account: Any, backend: AuthServiceBackend) -> None:
    claims = backend.id_token or {}
    session = request.session
    if request.user == account and (session.get(SID), session.get(EPOCH)) == (claims["sid"], claims["session_epoch"]):
        return  # another tab was first; a new key would take its session from under its feet
    changed = session.pop(CHANGED, "")
    session_begin(request, account, backend="chassis.identity.backend.SessionBackend")
    request.session[EPOCH] = claims["session_epoch"]
    request.session[SID] = claims["sid"]
    request.session.set_expiry(session_over_at(claims.get("session_ends"), now=timezone.now()))
    if changed == str(account.pk):
        told = _("Your session here was begun anew, because your account was changed: its role, password or access.")
        messages.info(request, told)


@public
@never_cache
@require_POST
def logout(request: HttpRequest) -> HttpResponse:
    """Ends the session here and sends the browser to auth, which ends it everywhere.

    The `sid` goes along as `logout_hint`: it proves that one of the browser's own services asks, so that auth need
    not ask back, and it works when the browser's session at auth has gone already. Sent twice by an impatient thumb,
    the form still knows it when the session here is gone: a browser follows the last answer only.
    """
    sid = sid_to_end(request)
    session_end(request)
    if not auth_is_up():
        return render(request, "identity/signed_out_here.html", status=503)
    client_id, _ = backend_for(request).get_key_and_secret()
    question = urlencode({"client_id": client_id, "logout_hint": sid})
    return HttpResponseRedirect(f"{settings.IDENTITY['ISSUER']}/logout/?{question}")


@public
@never_cache
@csrf_exempt
@require_POST
def backchannel_logout(request: HttpRequest) -> HttpResponse:
    """Auth says that an account or a browser is signed out. Signed by auth's key; the answer is for auth alone."""
    try:
        token = verified(backend_for(request), request.POST.get("logout_token", ""))
        logout_apply(token, now=timezone.now())
    except InvalidLogoutToken as error:
        return JsonResponse({"error": "invalid_request", "error_description": str(error)}, status=400)
    except AuthProviderError:
        return JsonResponse({"error": "temporarily_unavailable"}, status=503)
    return HttpResponse(status=200)


def session_over_at(ends_at_auth: Any, *, now: datetime) -> datetime:
    """When a session that begins here is over: with the one at auth, and after SESSION_COOKIE_AGE at the latest.

    A moment, not a time span: that one would begin anew whenever the session is saved.
    """
    latest = now + timedelta(seconds=settings.SESSION_COOKIE_AGE)
    known = type(ends_at_auth) is int and 0 < ends_at_auth < latest.timestamp()
    return datetime.fromtimestamp(ends_at_auth, UTC) if known else latest


def safe_next(request: HttpRequest, target: str) -> str:
    """`target` if it is a place of this service, else its front page."""
    if url_has_allowed_host_and_scheme(target, allowed_hosts=None, require_https=request.is_secure()):
        return target
    return "/"


def auth_is_up() -> bool:
    """Whether auth answers; asked before a browser is sent there, so that it never ends on a dead address."""
    try:
        answer = requests.get(f"{settings.IDENTITY['AUTH_INTERNAL_URL']}/readyz", timeout=settings.IDENTITY["TIMEOUT"])
    except requests.RequestException:
        return False
    return answer.status_code < 500


def is_outage(error: SocialAuthBaseException) -> bool:
    """Whether auth did not answer, or answered that it cannot at the moment."""
    if error.status_code is None:
        return isinstance(error, AuthProviderError)
    return bool(error.status_code >= 500)


def login_address(target: str) -> str:
    return f"/login?{urlencode({'next': target})}"


def unavailable(request: HttpRequest, target: str) -> HttpResponse:
    response = render(request, "identity/unavailable.html", {"retry": login_address(target)}, status=503)
    response["Retry-After"] = "10"
    return response


def failed(request: HttpRequest, target: str, *, status: int, reason: str) -> HttpResponse:
    context = {"retry": login_address(target), "reason": reason}
    return render(request, "identity/failed.html", context, status=status)
