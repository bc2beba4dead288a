"""What auth refuses to start on: signing up, proxies, keys and the clients' secrets."""

import json
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from jwcrypto.jwk import JWK

from chassis.settings import Environment
from config.parts import oidc_settings, sign_up_settings, throttle_settings

STRONG = "x7Kq" * 12


def pem(*, private: bool = True, **key: object) -> str:
    made = JWK.generate(**{"kty": "RSA", "size": 2048} | key)
    return made.export_to_pem(private_key=private, password=None).decode() if private else made.export_to_pem().decode()


@pytest.fixture
def production(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Environment:
    for name in ("DEBUG", "DEMO", "SIGN_UP", "SIGN_UP_DOMAINS", "TRUSTED_PROXIES", "OIDC_RSA_PRIVATE_KEYS_INACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OIDC_RSA_PRIVATE_KEY", pem().replace("\n", "\\n"))
    monkeypatch.setenv("OIDC_CLIENTS", json.dumps({"tasks": {"id": "tasks", "secret": STRONG}}))
    return Environment(tmp_path)


def test_sign_up_is_closed_in_production_and_open_in_the_demo(
    production: Environment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert sign_up_settings(production)["SIGN_UP"] == "closed"
    monkeypatch.setenv("DEMO", "true")
    assert sign_up_settings(Environment(tmp_path))["SIGN_UP"] == "open"


@pytest.mark.parametrize(("policy", "message"), [("Open", "not one of"), ("domains", "SIGN_UP_DOMAINS")])
def test_a_sign_up_that_means_nothing_is_refused(
    production: Environment, monkeypatch: pytest.MonkeyPatch, policy: str, message: str
) -> None:
    monkeypatch.setenv("SIGN_UP", policy)
    with pytest.raises(ImproperlyConfigured, match=message):
        sign_up_settings(production)


def test_trusted_proxies_are_networks(production: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    assert throttle_settings(production)["TRUSTED_PROXIES"] == []
    monkeypatch.setenv("TRUSTED_PROXIES", "10.0.0.0/8, 127.0.0.1,fd00::/8")
    found = [str(network) for network in throttle_settings(production)["TRUSTED_PROXIES"]]
    assert found == ["10.0.0.0/8", "127.0.0.1/32", "fd00::/8"]
    monkeypatch.setenv("TRUSTED_PROXIES", "10.0.0.0/33")
    with pytest.raises(ImproperlyConfigured, match="TRUSTED_PROXIES"):
        throttle_settings(production)


@pytest.mark.parametrize("secret", ["", "short", "demo-" + STRONG, "change-me-" + STRONG])
def test_production_refuses_a_demo_secret_of_a_client(
    production: Environment, monkeypatch: pytest.MonkeyPatch, secret: str
) -> None:
    monkeypatch.setenv("OIDC_CLIENTS", json.dumps({"tasks": {"id": "tasks", "secret": secret}}))
    with pytest.raises(ImproperlyConfigured, match=r"OIDC_CLIENTS\[tasks\]"):
        oidc_settings(production, "https://auth.example")


@pytest.mark.parametrize("key", ["", "secret", "-----BEGIN PRIVATE KEY-----\\nAAAA\\n-----END PRIVATE KEY-----"])
def test_production_refuses_to_sign_with_what_is_no_key(
    production: Environment, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv("OIDC_RSA_PRIVATE_KEY", key)
    with pytest.raises(ImproperlyConfigured, match="OIDC_RSA_PRIVATE_KEY"):
        oidc_settings(production, "https://auth.example")


@pytest.mark.parametrize("key", [{"size": 1024}, {"kty": "EC", "crv": "P-256", "size": None}])
def test_production_refuses_a_weak_key_and_one_that_is_not_rsa(
    production: Environment, monkeypatch: pytest.MonkeyPatch, key: dict[str, object]
) -> None:
    made = JWK.generate(**{name: value for name, value in ({"kty": "RSA"} | key).items() if value})
    monkeypatch.setenv("OIDC_RSA_PRIVATE_KEY", made.export_to_pem(private_key=True, password=None).decode())
    with pytest.raises(ImproperlyConfigured, match="RSA key of at least 2048 bits"):
        oidc_settings(production, "https://auth.example")


def test_a_retired_key_may_be_its_public_half(production: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    public = pem(private=False)
    monkeypatch.setenv("OIDC_RSA_PRIVATE_KEYS_INACTIVE", json.dumps([public]))
    found = oidc_settings(production, "https://auth.example")["OAUTH2_PROVIDER"]
    assert found["OIDC_RSA_PRIVATE_KEYS_INACTIVE"] == [public.strip()]
    monkeypatch.setenv("OIDC_RSA_PRIVATE_KEYS_INACTIVE", json.dumps(["no key"]))
    with pytest.raises(ImproperlyConfigured, match="OIDC_RSA_PRIVATE_KEYS_INACTIVE"):
        oidc_settings(production, "https://auth.example")


def test_with_tls_there_is_no_plain_http_anywhere(production: Environment) -> None:
    with_tls = oidc_settings(production, "https://auth.example")["OAUTH2_PROVIDER"]
    without = oidc_settings(production, "http://127.0.0.1:3000")["OAUTH2_PROVIDER"]
    assert with_tls["ALLOWED_REDIRECT_URI_SCHEMES"] == ["https"]
    assert without["ALLOWED_REDIRECT_URI_SCHEMES"] == ["http", "https"]
    assert all(value for name, value in with_tls.items() if name.startswith("COMPLIANT_BCP"))
