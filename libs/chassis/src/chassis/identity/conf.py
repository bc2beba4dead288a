"""Settings of the relying side, from the addresses of auth and of this service."""

from typing import Any

CALLBACK_PATH = "/complete/auth"
BACKCHANNEL_PATH = "/backchannel-logout"
MIDDLEWARE = "chassis.identity.middleware.SessionFloorMiddleware"
HTMX_MIDDLEWARE = "chassis.identity.middleware.HtmxLoginMiddleware"


def issuer(auth_public_url: str) -> str:
    """The fixed name of auth in every token; never derived from a request's Host."""
    return f"{auth_public_url.rstrip('/')}/oauth"


def identity_settings(
    *, auth_public_url: str, auth_internal_url: str, client_id: str, client_secret: str, public_url: str
) -> dict[str, Any]:
    """Django settings of a relying service; `auth_internal_url` is where it reaches auth's endpoints itself."""
    internal = f"{auth_internal_url.rstrip('/')}/oauth"
    return {
        "AUTHENTICATION_BACKENDS": ["chassis.identity.backend.SessionBackend"],
        "LOGIN_URL": "login",
        "IDENTITY": {
            "AUTH_PUBLIC_URL": auth_public_url.rstrip("/"),
            "AUTH_INTERNAL_URL": auth_internal_url.rstrip("/"),
            "CALLBACK_URL": f"{public_url.rstrip('/')}{CALLBACK_PATH}",
            "TIMEOUT": 3.0,
        },
        "SOCIAL_AUTH_AUTH_KEY": client_id,
        "SOCIAL_AUTH_AUTH_SECRET": client_secret,
        "SOCIAL_AUTH_AUTH_AUTHORIZATION_URL": f"{issuer(auth_public_url)}/authorize/",
        "SOCIAL_AUTH_AUTH_ACCESS_TOKEN_URL": f"{internal}/token/",
        "SOCIAL_AUTH_AUTH_JWKS_URI": f"{internal}/.well-known/jwks.json",
        "SOCIAL_AUTH_AUTH_ID_TOKEN_ISSUER": issuer(auth_public_url),
        "SOCIAL_AUTH_AUTH_REQUESTS_TIMEOUT": 3.0,
        "SOCIAL_AUTH_AUTH_PIPELINE": ["chassis.identity.pipeline.account_upsert"],
    }
