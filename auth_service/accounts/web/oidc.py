"""OpenID Connect as auth speaks it: django-oauth-toolkit with the claims and the rules of this system."""

import json
from typing import Any, ClassVar
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from oauth2_provider.oauth2_validators import OAuth2Validator
from oauth2_provider.views import AuthorizationView
from oauth2_provider.views.oidc import ConnectDiscoveryInfoView
from oauthlib.oauth2.rfc6749.errors import AccessDeniedError, InvalidGrantError

from accounts import selectors, services
from accounts.models import Account

from .policy import form_leads_to

BROWSER = "browser"


class AccountValidator(OAuth2Validator):
    """Adds the claims of the own services, and binds every code to the browser session that it was made for."""

    oidc_claim_scope: ClassVar[dict[str, str]] = OAuth2Validator.oidc_claim_scope | {
        "role": "profile",
        "access_version": "openid",
        "session_epoch": "openid",
        "sid": "openid",
        "session_ends": "openid",
    }

    def get_additional_claims(self, request: Any) -> dict[str, Any]:
        account = request.user
        claims = {
            "email": account.email,
            "name": account.full_name,
            "role": account.role,
            "access_version": account.version,
        }
        browser = _browser(request)
        if browser:  # not at the userinfo endpoint, which belongs to no browser
            claims |= browser
        return claims

    def get_discovery_claims(self, request: Any) -> list[str]:
        return ["sub", "email", "name", "role", "access_version", "session_epoch", "sid", "session_ends"]

    def validate_redirect_uri(self, client_id: str, redirect_uri: str, request: Any, *args: Any, **kwargs: Any) -> bool:
        """Letter by letter; the toolkit would let a loopback address have any port."""
        return redirect_uri in request.client.redirect_uris.split()

    def validate_silent_login(self, request: Any) -> bool:
        """`prompt=none`: the view has sent away who is not signed in."""
        return True

    def validate_silent_authorization(self, request: Any) -> bool:
        """`prompt=none`: the view asks for the consent where one is needed."""
        return True

    def _create_authorization_code(self, request: Any, code: Any, expires: Any = None) -> Any:
        """The grant remembers which browser its code is for, in the claims parameter, which is nobody else's here."""
        browser = selectors.browser_open(request.user.browser_sid)
        if browser is None:
            raise AccessDeniedError(request=request)
        ends = int(selectors.session_expiry(browser).timestamp())
        request.claims = {BROWSER: {"sid": browser.sid, "session_epoch": browser.session_epoch, "session_ends": ends}}
        return super()._create_authorization_code(request, code, expires)

    def validate_code(self, client_id: str, code: str, client: Any, request: Any, *args: Any, **kwargs: Any) -> bool:
        """A code is worth nothing once its browser is signed out or its account has lost access."""
        return (
            super().validate_code(client_id, code, client, request, *args, **kwargs)
            and selectors.browser_open(_browser(request).get("sid", "")) is not None
            and request.user.is_active
        )

    def _save_bearer_token(self, token: dict[str, Any], request: Any, *args: Any, **kwargs: Any) -> Any:
        """No refresh tokens: services keep none. The account is locked, so that no token slips past its log-out."""
        token.pop("refresh_token", None)
        account = Account.objects.select_for_update().get(pk=request.user.pk)
        if not account.is_active or account.session_epoch != request.user.session_epoch:
            raise InvalidGrantError(request=request)
        services.relying_party_used(client_id=request.client.client_id, now=timezone.now())
        return super()._save_bearer_token(token, request, *args, **kwargs)


def _browser(request: Any) -> dict[str, Any]:
    """The browser session that the code of this token request was made for."""
    claims = getattr(request, "claims", None)
    return dict(claims.get(BROWSER, {})) if isinstance(claims, dict) else {}


class AuthorizeView(AuthorizationView):
    """Asks once for each application that is not our own what it may see (U3); the answer is kept until withdrawn."""

    def render_to_response(self, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        """Called where the toolkit would ask. An error that may not go back to the client is shown here too."""
        if "error" in context:
            error: HttpResponse = super().render_to_response(context, **kwargs)
            return error
        prompt = set(self.request.GET.get("prompt", "").split())
        form = self.form_class(self.get_initial() | {"allow": True})
        if "consent" not in prompt and form.is_valid() and self._allowed(form):
            return super().form_valid(form)  # type: ignore[no-any-return]
        if "none" in prompt:
            return self._answer_error("consent_required", context)
        response: HttpResponse = super().render_to_response(context | {"place": _place(context)}, **kwargs)
        form_leads_to(response, context["redirect_uri"])
        return response

    def form_invalid(self, form: Any) -> HttpResponse:
        """An answer that is not of our page: there is nobody to send it back to."""
        error = {"error": "invalid_request", "description": _("This form was not complete.")}
        response: HttpResponse = self.render_to_response({"error": error}, status=400)
        return response

    def form_valid(self, form: Any) -> HttpResponse:
        """The person's answer: an allowance is kept once the request turned out to be right."""
        party = selectors.relying_party(form.cleaned_data["client_id"])
        if party is None:
            return self.form_invalid(form)
        response: HttpResponse = super().form_valid(form)
        answered = "code=" in urlsplit(response.headers.get("Location", "")).query
        if form.cleaned_data["allow"] and answered and not party.is_own:
            services.consent_give(
                account_id=self.request.user.pk,
                client_id=form.cleaned_data["client_id"],
                scopes=form.cleaned_data["scope"],
                now=timezone.now(),
            )
        return response

    def _allowed(self, form: Any) -> bool:
        data = form.cleaned_data
        return selectors.consent_covers(
            account_id=self.request.user.pk, client_id=data["client_id"], scopes=data["scope"]
        )

    def _answer_error(self, code: str, context: dict[str, Any]) -> HttpResponse:
        question = {
            "error": code,
            "state": context["state"] or "",
            "iss": settings.OAUTH2_PROVIDER["OIDC_ISS_ENDPOINT"],
        }
        sign = "&" if urlsplit(context["redirect_uri"]).query else "?"
        address = f"{context['redirect_uri']}{sign}{urlencode({k: v for k, v in question.items() if v})}"
        return self.redirect(address, context["application"])  # type: ignore[no-any-return]


def _place(context: dict[str, Any]) -> str:
    """Where the person goes on to, as a person reads it."""
    return urlsplit(str(context["redirect_uri"])).netloc


class DiscoveryView(ConnectDiscoveryInfoView):
    """The discovery document, with what the toolkit does not know of: RS256 only, and back-channel logout."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response: HttpResponse = super().get(request, *args, **kwargs)
        document = json.loads(response.content) | {
            "id_token_signing_alg_values_supported": ["RS256"],
            "backchannel_logout_supported": True,
            "backchannel_logout_session_supported": True,
        }
        response.content = json.dumps(document).encode()
        return response
