"""The one social-auth backend, and the Django backend that loads the account of a session."""

from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.backends import BaseBackend
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponse
from social_core.backends.open_id_connect import OpenIdConnectAuth
from social_core.exceptions import AuthResponseError
from social_django.strategy import create_session

from .session_strategy import SessionStrategy


class SessionBackend(BaseBackend):
    """Loads the replicated account on each request, so that role and standing are never older than the database."""

    def get_user(self, user_id: Any) -> Any:
        return get_user_model()._default_manager.filter(pk=user_id).first()


class AuthServiceBackend(OpenIdConnectAuth[HttpResponse]):
    """Code flow with PKCE S256, state and nonce. All addresses come from settings: nothing is discovered."""

    name = "auth"
    DEFAULT_SCOPE = ["openid", "profile", "email"]
    DEFAULT_USE_PKCE = True
    TOKEN_ENDPOINT_AUTH_METHOD = "client_secret_basic"  # noqa: S105 a method's name
    EXTRA_DATA: list[Any] = []
    MUST_HAVE = ("email", "name", "role", "access_version", "session_epoch", "sid", "nonce")

    def auth_complete(self, *args: Any, **kwargs: Any) -> Any:
        """Refuses an answer of another issuer (RFC 9207) before the code is shown to anybody."""
        if "error" not in self.data and self.data.get("iss") != self.id_token_issuer():
            raise AuthResponseError(self, claim="iss", code="invalid_claim", stage="callback")
        return super().auth_complete(*args, **kwargs)

    def validate_required_id_token_claims(self, claims: dict[str, Any]) -> None:
        super().validate_required_id_token_claims(claims)
        for claim in self.MUST_HAVE:
            if claim not in claims:
                raise AuthResponseError(self, claim=claim, code="missing_claim", stage="token_validation")

    def user_data(self, access_token: str, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """The validated ID token says it all: no second request, and the access token is dropped."""
        return dict(self.id_token or {})


def backend_for(request: HttpRequest, session: SessionBase | None = None) -> AuthServiceBackend:
    """A backend for one request, with the sign-in under way if it is about one, and the callback's address."""
    strategy = SessionStrategy(request, session or create_session())
    return AuthServiceBackend(strategy, redirect_uri=settings.IDENTITY["CALLBACK_URL"])
