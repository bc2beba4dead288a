"""The code flow as a client and a browser go through it."""

import base64
import hashlib
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from django.conf import settings
from django.test import Client

VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")


def callback(client_id: str = "tasks") -> str:
    return f"{settings.OIDC_CLIENTS[client_id]['public_url']}/complete/auth"


def authorization(**changed: str | None) -> str:
    question: dict[str, str | None] = {
        "client_id": "tasks",
        "redirect_uri": callback(),
        "response_type": "code",
        "scope": "openid profile email",
        "state": "s",
        "nonce": "n",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    } | changed
    return f"/oauth/authorize/?{urlencode({k: v for k, v in question.items() if v is not None})}"


def authorize(browser: Client, **changed: str | None) -> Any:
    return browser.get(authorization(**changed))


def answer_of(response: Any) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(response["Location"]).query).items()}


def exchange(code: str, client_id: str = "tasks", **changed: str) -> Any:
    secret = changed.pop("secret", "") or settings.OIDC_CLIENTS[client_id]["secret"]
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": changed.pop("redirect_uri", "") or callback(client_id),
        "code_verifier": VERIFIER,
    } | changed
    basic = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
    return Client(enforce_csrf_checks=True).post("/oauth/token/", form, headers={"Authorization": f"Basic {basic}"})
