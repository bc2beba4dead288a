"""Settings of the relying side, from the addresses of auth and of this service."""

from typing import Any, Protocol

CALLBACK_PATH = "/complete/auth"
BACKCHANNEL_PATH = "/backchannel-logout"
# Until auth takes a connection, and until it answers: an auth that is busy is not one that is away.
TIMEOUT_SECONDS = (3.0, 10.0)


class Environment(Protocol):
    """What is read of `chassis.settings.Environment`."""

    def text(self, name: str, default: str = "") -> str: ...
    def required(self, name: str, *, relaxed: str) -> str: ...
    def secret(self, name: str) -> str: ...
    def public_urls(self) -> dict[str, str]: ...


def issuer(auth_public_url: str) -> str:
    """The fixed name of auth in every token; never derived from a request's Host."""
    return f"{auth_public_url.rstrip('/')}/oauth"


def identity_settings(environment: Environment, name: str) -> dict[str, Any]:
    """Django settings of the relying service `name`."""
    urls = environment.public_urls()
    public = issuer(urls["auth"])
    auth_internal_url = environment.text("AUTH_INTERNAL_URL", urls["auth"]).rstrip("/")
    return {
        "AUTHENTICATION_BACKENDS": ["chassis.identity.backend.SessionBackend"],
        "IDENTITY": {
            "ISSUER": public,
            "AUTH_INTERNAL_URL": auth_internal_url,
            "CALLBACK_URL": f"{urls[name].rstrip('/')}{CALLBACK_PATH}" if name in urls else "",
            "TIMEOUT": TIMEOUT_SECONDS,
        },
        "SOCIAL_AUTH_AUTH_KEY": environment.required("OIDC_CLIENT_ID", relaxed=name),
        "SOCIAL_AUTH_AUTH_SECRET": environment.secret("OIDC_CLIENT_SECRET"),
        "SOCIAL_AUTH_AUTH_AUTHORIZATION_URL": f"{public}/authorize/",
        "SOCIAL_AUTH_AUTH_ACCESS_TOKEN_URL": f"{issuer(auth_internal_url)}/token/",
        "SOCIAL_AUTH_AUTH_JWKS_URI": f"{issuer(auth_internal_url)}/.well-known/jwks.json",
        "SOCIAL_AUTH_AUTH_ID_TOKEN_ISSUER": public,
        "SOCIAL_AUTH_AUTH_REQUESTS_TIMEOUT": TIMEOUT_SECONDS,
        "SOCIAL_AUTH_AUTH_PIPELINE": ["chassis.identity.pipeline.account_upsert"],
    }
