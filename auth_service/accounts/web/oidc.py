"""OpenID Connect as auth speaks it: django-oauth-toolkit with the claims and the rules of this system."""

import json
from typing import Any, ClassVar
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from oauth2_provider.oauth2_validators import OAuth2Validator
from oauth2_provider.views import AuthorizationView
from oauth2_provider.views.oidc import ConnectDiscoveryInfoView
from oauthlib.oauth2.rfc6749.errors import AccessDeniedError, InvalidGrantError

from accounts import selectors
from accounts.models import Account

BROWSER = "browser"


class AccountValidator(OAuth2Validator):
    """Adds the claims of the own services, and binds every code to the browser session that it was made for."""

    oidc_claim_scope: ClassVar[dict[str, str]] = OAuth2Validator.oidc_claim_scope | {
        "role": "profile",
        "access_version": "openid",
        "session_epoch": "openid",
        "sid": "openid",
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
            claims |= {"session_epoch": browser["session_epoch"], "sid": browser["sid"]}
        return claims

    def get_discovery_claims(self, request: Any) -> list[str]:
        return ["sub", "email", "name", "role", "access_version", "session_epoch", "sid"]

    def validate_redirect_uri(self, client_id: str, redirect_uri: str, request: Any, *args: Any, **kwargs: Any) -> bool:
        """Letter by letter; the toolkit would let a loopback address have any port."""
        return redirect_uri in request.client.redirect_uris.split()

    def _create_authorization_code(self, request: Any, code: Any, expires: Any = None) -> Any:
        """The grant remembers which browser its code is for, in the claims parameter, which is nobody else's here."""
        browser = selectors.browser_open(request.user.browser_sid)
        if browser is None:
            raise AccessDeniedError(request=request)
        request.claims = {BROWSER: {"sid": browser.sid, "session_epoch": browser.session_epoch}}
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
        return super()._save_bearer_token(token, request, *args, **kwargs)


def _browser(request: Any) -> dict[str, Any]:
    """The browser session that the code of this token request was made for."""
    claims = getattr(request, "claims", None)
    return dict(claims.get(BROWSER, {})) if isinstance(claims, dict) else {}


class AuthorizeView(AuthorizationView):
    """The consent page of a client that is not our own: the policy lets its form lead to that client."""

    def render_to_response(self, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        response: HttpResponse = super().render_to_response(context, **kwargs)
        place = urlsplit(context.get("redirect_uri") or "")
        if place.netloc:
            # What django-csp's decorator sets, which knows no address of one request.
            response._csp_update = {"form-action": [f"{place.scheme}://{place.netloc}"]}  # type: ignore[attr-defined]
        return response


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
