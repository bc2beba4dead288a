"""Settings of signing up, of the throttle and of OpenID Connect, one function each; a wrong value refuses the start."""

import ipaddress
import json
from datetime import timedelta
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _
from jwcrypto.common import base64url_decode
from jwcrypto.jwk import JWK

from accounts.domain import CLOSED, DOMAINS, OPEN, SIGN_UP_POLICIES
from chassis.settings import Environment

RSA_BITS = 2048


def sign_up_settings(environment: Environment) -> dict[str, Any]:
    """U1: who may sign up; `closed` unless it is the demo."""
    policy = environment.text("SIGN_UP", OPEN if environment.demo else CLOSED)
    domains = environment.words("SIGN_UP_DOMAINS")
    if policy not in SIGN_UP_POLICIES:
        raise ImproperlyConfigured(f"SIGN_UP: {policy!r} is not one of {', '.join(SIGN_UP_POLICIES)}.")
    if policy == DOMAINS and not domains:
        raise ImproperlyConfigured("SIGN_UP=domains needs SIGN_UP_DOMAINS.")
    return {"SIGN_UP": policy, "SIGN_UP_DOMAINS": domains}


def throttle_settings(environment: Environment) -> dict[str, Any]:
    """Sign-in is throttled by network address and e-mail together: an office shares one address, and nobody can lock
    out a colleague from elsewhere. TRUSTED_PROXIES are the networks whose X-Forwarded-For counts.
    """
    proxies = []
    for text in environment.words("TRUSTED_PROXIES"):
        try:
            proxies.append(ipaddress.ip_network(text.strip()))
        except ValueError as error:
            raise ImproperlyConfigured(f"TRUSTED_PROXIES: {text!r} is not a network such as 10.0.0.0/8.") from error
    return {
        "TRUSTED_PROXIES": proxies,
        "AXES_LOCKOUT_PARAMETERS": [["username", "ip_address"]],
        "AXES_USERNAME_FORM_FIELD": "email",
        "AXES_FAILURE_LIMIT": 10,
        "AXES_COOLOFF_TIME": timedelta(minutes=15),
        # The waiting time that the page names stays true, however often somebody tries meanwhile.
        "AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT": False,
        "AXES_RESET_ON_SUCCESS": True,
        "AXES_DISABLE_ACCESS_LOG": True,
        "AXES_ENABLE_ADMIN": False,
        "AXES_CLIENT_IP_CALLABLE": "accounts.web.addresses.throttled_address",
        "AXES_VERBOSE": False,
    }


def oidc_settings(environment: Environment, public_url: str) -> dict[str, Any]:
    """The provider's settings: RFC 9700 throughout, RS256 with keys that rotate, a fixed issuer."""
    key = _pem(environment.required("OIDC_RSA_PRIVATE_KEY", relaxed=""))
    retired = [_pem(text) for text in json.loads(environment.text("OIDC_RSA_PRIVATE_KEYS_INACTIVE", "[]"))]
    if key:
        _check_rsa("OIDC_RSA_PRIVATE_KEY", key)
    for pem in retired:
        _check_rsa("OIDC_RSA_PRIVATE_KEYS_INACTIVE", pem)
    return {
        "OIDC_CLIENTS": _clients(environment),
        "OAUTH2_PROVIDER": {
            "OIDC_ENABLED": True,
            "OIDC_ISS_ENDPOINT": f"{public_url}/oauth",
            "OIDC_RSA_PRIVATE_KEY": key,
            "OIDC_RSA_PRIVATE_KEYS_INACTIVE": retired,
            "OIDC_JWKS_MAX_AGE_SECONDS": 300,
            "OIDC_RESPONSE_TYPES_SUPPORTED": ["code"],
            "OIDC_RP_INITIATED_LOGOUT_ENABLED": True,
            "OAUTH2_VALIDATOR_CLASS": "accounts.web.oidc.AccountValidator",
            "OAUTH2_RESPONSE_TYPES_SUPPORTED": ["code"],
            "OAUTH2_GRANT_TYPES_SUPPORTED": ["authorization_code"],
            "SCOPES": {
                "openid": _("That it is you, by an identifier"),
                "profile": _("Your profile: name and role"),
                "email": _("Your e-mail address"),
            },
            "CLIENT_SECRET_HASHER": "client_secret",
            "PKCE_REQUIRED": True,
            "AUTHORIZATION_CODE_EXPIRE_SECONDS": 60,
            "ACCESS_TOKEN_EXPIRE_SECONDS": 300,
            "ID_TOKEN_EXPIRE_SECONDS": 300,
            "REFRESH_TOKEN_REUSE_PROTECTION": True,
            # Plain http is for loopback addresses (`domain.redirect_uri_checked`) where auth itself has no TLS.
            "ALLOWED_REDIRECT_URI_SCHEMES": ["http", "https"] if public_url.startswith("http://") else ["https"],
            "COMPLIANT_BCP_RFC9700_IMPLICIT_GRANT": True,
            "COMPLIANT_BCP_RFC9700_PASSWORD_GRANT": True,
            "COMPLIANT_BCP_RFC9700_PKCE_METHOD": True,
            "COMPLIANT_BCP_RFC9700_ACCESS_TOKEN_TRANSPORT": True,
            "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS": True,
            "COMPLIANT_BCP_RFC9700_TOKEN_STORAGE": True,
            "COMPLIANT_BCP_RFC9700_REFRESH_TOKEN": True,
            "COMPLIANT_BCP_RFC9700_REDIRECT_URI_SCHEME": True,
            "COMPLIANT_BCP_RFC9700_REDIRECT_URI_MATCHING": True,
            "COMPLIANT_BCP_RFC9700_PKCE_REQUIRED": True,
        },
    }


def _clients(environment: Environment) -> dict[str, dict[str, str]]:
    clients: dict[str, dict[str, str]] = json.loads(environment.text("OIDC_CLIENTS", "{}"))
    for name, client in clients.items():
        environment.checked_secret(f"OIDC_CLIENTS[{name}].secret", client["secret"])
    return clients


def _pem(text: str) -> str:
    """A key in one line of an environment file has its line breaks written out."""
    return text.replace("\\n", "\n").strip()


def _check_rsa(name: str, pem: str) -> None:
    """A retired key may be the public half alone: nothing is signed with it any more."""
    try:
        found = JWK.from_pem(pem.encode()).export_public(as_dict=True)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} is not a key in PEM.") from error
    if found["kty"] != "RSA" or len(base64url_decode(found["n"])) * 8 < RSA_BITS:
        raise ImproperlyConfigured(f"{name} is not an RSA key of at least {RSA_BITS} bits.")
