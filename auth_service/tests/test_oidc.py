"""OpenID Connect: the code flow as the own services and strangers see it."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from bs4 import BeautifulSoup
from django.conf import settings
from django.contrib.auth.hashers import identify_hasher
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from jwcrypto import jwk, jwt
from oauth2_provider.models import AccessToken, Application, Grant, IDToken, RefreshToken

from accounts import services
from accounts.domain import MANAGER
from accounts.models import Account, BrowserSession, RelyingParty

from .flow import VERIFIER, answer_of, authorize, callback, exchange

pytestmark = pytest.mark.usefixtures("clients")

SignIn = Callable[..., Client]


def stranger(client_id: str = "tasks") -> None:
    """Makes an own service into an application that is not ours, under its old addresses and secret."""
    Application.objects.filter(client_id=client_id).update(skip_authorization=False, name="Roster")
    RelyingParty.objects.filter(client_id=client_id).update(is_own=False, name="Roster")


def claims_of(response: Any) -> dict[str, Any]:
    assert response.status_code == 200, response.content
    keys = jwk.JWKSet.from_json(Client().get("/oauth/.well-known/jwks.json").content)
    token = jwt.JWT(jwt=response.json()["id_token"], key=keys, algs=["RS256"])
    return dict(json.loads(token.claims))


def test_own_services_get_a_code_without_asking_the_person(worker: Account, browser: SignIn) -> None:
    response = authorize(browser(worker))
    assert response.status_code == 302
    assert response["Location"].startswith(callback())
    answer = answer_of(response)
    assert (answer["state"], answer["iss"]) == ("s", f"{settings.PUBLIC_URL}/oauth")


def test_the_id_token_says_who_and_how_far_the_account_is(worker: Account, browser: SignIn) -> None:
    claims = claims_of(exchange(answer_of(authorize(browser(worker)))["code"]))
    wanted = {
        "iss": f"{settings.PUBLIC_URL}/oauth",
        "aud": "tasks",
        "sub": str(worker.pk),
        "nonce": "n",
        "email": worker.email,
        "name": "Wilma Weber",
        "role": "worker",
        "access_version": 1,
        "session_epoch": 1,
        "sid": BrowserSession.objects.get().sid,
    }
    assert {name: claims[name] for name in wanted} == wanted


@pytest.mark.parametrize(("form", "hours"), [({}, 12), ({"remember": "on"}, 30 * 24)])
def test_the_id_token_says_when_the_browser_has_to_sign_in_again(
    worker: Account, browser: SignIn, form: dict[str, str], hours: int
) -> None:
    claims = claims_of(exchange(answer_of(authorize(browser(worker, **form)))["code"]))
    started = BrowserSession.objects.get().started_at.timestamp()
    assert claims["session_ends"] == pytest.approx(started + hours * 3600, abs=5)


def test_the_issuer_is_not_taken_from_the_host_of_the_request(worker: Account) -> None:
    document = Client(headers={"Host": "evil.example"}).get("/oauth/.well-known/openid-configuration").json()
    assert document["issuer"] == f"{settings.PUBLIC_URL}/oauth"
    assert document["token_endpoint"] == f"{settings.PUBLIC_URL}/oauth/token/"
    assert document["code_challenge_methods_supported"] == ["S256"]
    assert document["response_types_supported"] == ["code"]
    assert document["id_token_signing_alg_values_supported"] == ["RS256"]
    assert document["backchannel_logout_session_supported"] is True


@pytest.mark.parametrize(
    "redirect_uri",
    [
        callback() + "/",
        callback() + "?x=1",
        callback().replace("/complete", "/other"),
        callback("billing"),
        "http://127.0.0.1:9/complete/auth",
        "https://evil.example/complete/auth",
    ],
)
def test_another_redirect_address_is_refused_on_the_spot(worker: Account, browser: SignIn, redirect_uri: str) -> None:
    response = authorize(browser(worker), redirect_uri=redirect_uri)
    assert response.status_code == 400
    assert not Grant.objects.exists()


@pytest.mark.parametrize(
    "changed",
    [
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge": VERIFIER, "code_challenge_method": "plain"},
        {"code_challenge": VERIFIER, "code_challenge_method": None},
    ],
)
def test_a_code_needs_a_challenge_by_s256(worker: Account, browser: SignIn, changed: dict[str, str | None]) -> None:
    assert answer_of(authorize(browser(worker), **changed))["error"] == "invalid_request"
    assert not Grant.objects.exists()


@pytest.mark.parametrize("response_type", ["token", "id_token", "code id_token"])
def test_no_token_comes_through_the_address(worker: Account, browser: SignIn, response_type: str) -> None:
    response = authorize(browser(worker), response_type=response_type)
    assert "access_token" not in response.get("Location", "")
    assert not AccessToken.objects.exists()


def test_a_code_is_worth_nothing_without_its_verifier_or_the_secret(worker: Account, browser: SignIn) -> None:
    signed_in = browser(worker)
    assert exchange(answer_of(authorize(signed_in))["code"], code_verifier="x" * 64).json()["error"] == "invalid_grant"
    assert exchange(answer_of(authorize(signed_in))["code"], secret="guessed").json()["error"] == "invalid_client"


def test_a_code_works_once_and_for_its_client_only(worker: Account, browser: SignIn) -> None:
    signed_in = browser(worker)
    code = answer_of(authorize(signed_in))["code"]
    assert exchange(code, "billing").status_code == 400
    assert exchange(code).status_code == 200
    assert exchange(code).status_code == 400


def test_a_password_buys_no_token(worker: Account) -> None:
    form = {"grant_type": "password", "username": worker.email, "password": "cages are round"}
    assert exchange("", **form).status_code == 400


def test_tokens_are_stored_as_hashes_and_there_is_none_to_refresh(worker: Account, browser: SignIn) -> None:
    tokens = exchange(answer_of(authorize(browser(worker)))["code"]).json()
    assert "refresh_token" not in tokens
    assert AccessToken.objects.get().token == ""
    assert not RefreshToken.objects.exists()


def test_a_code_dies_with_the_browser_that_it_was_made_for(worker: Account, browser: SignIn) -> None:
    signed_in = browser(worker)
    code = answer_of(authorize(signed_in))["code"]
    signed_in.post("/logout")
    assert exchange(code).json()["error"] == "invalid_grant"
    assert not AccessToken.objects.exists()


def test_another_browser_of_the_account_keeps_its_code(worker: Account, browser: SignIn) -> None:
    one, other = browser(worker), browser(worker)
    code = answer_of(authorize(other))["code"]
    one.post("/logout")
    assert exchange(code).status_code == 200


def test_a_role_change_deletes_tokens_and_grants(worker: Account, admin: Account, browser: SignIn) -> None:
    signed_in = browser(worker)
    exchange(answer_of(authorize(signed_in))["code"])
    code = answer_of(authorize(signed_in))["code"]
    services.account_role_change(account_id=worker.pk, role=MANAGER, actor_id=str(admin.pk), now=timezone.now())
    assert [model.objects.count() for model in (AccessToken, IDToken, Grant)] == [0, 0, 0]
    assert exchange(code).status_code == 400
    assert urlsplit(authorize(signed_in)["Location"]).path == "/login"


def test_a_grant_that_slipped_past_a_log_out_is_worth_nothing(worker: Account, admin: Account, browser: SignIn) -> None:
    """A sign-in racing a deactivation: the grant is written after the grants were deleted."""
    code = answer_of(authorize(browser(worker)))["code"]
    grant = Grant.objects.get()
    services.account_deactivate(account_id=worker.pk, actor_id=str(admin.pk), now=timezone.now())
    grant.save(force_insert=True)
    assert exchange(code).json()["error"] == "invalid_grant"


def test_the_claims_carry_the_epoch_of_the_browser_not_of_the_moment(worker: Account, browser: SignIn) -> None:
    code = answer_of(authorize(browser(worker)))["code"]
    Account.objects.update(session_epoch=5)
    assert claims_of(exchange(code))["session_epoch"] == 1


def test_userinfo_names_the_person(worker: Account, browser: SignIn) -> None:
    token = exchange(answer_of(authorize(browser(worker)))["code"]).json()["access_token"]
    found = Client().get("/oauth/userinfo/", headers={"Authorization": f"Bearer {token}"}).json()
    assert (found["sub"], found["role"]) == (str(worker.pk), "worker")
    assert "sid" not in found


def test_another_client_asks_and_names_what_it_will_see(worker: Account, browser: SignIn) -> None:
    stranger()
    response = authorize(browser(worker))
    page = response.content.decode()
    assert response.status_code == 200
    assert all(text in page for text in ("Roster", "Your e-mail address", "Your profile: name and role"))
    assert callback().removesuffix("/complete/auth") in response["Content-Security-Policy"]


def test_another_client_gets_its_code_when_the_person_allows_it(worker: Account, browser: SignIn) -> None:
    stranger()
    signed_in = browser(worker)
    asked = authorize(signed_in)
    fields = BeautifulSoup(asked.content, "html.parser").select("main form input")
    form = {field["name"]: field["value"] for field in fields if field.get("value")}
    refused = signed_in.post(asked.wsgi_request.get_full_path(), form)
    assert answer_of(refused)["error"] == "access_denied"
    allowed = signed_in.post(asked.wsgi_request.get_full_path(), form | {"allow": "Authorize"})
    assert claims_of(exchange(answer_of(allowed)["code"]))["sid"] == BrowserSession.objects.get().sid


def test_a_person_who_is_not_signed_in_goes_to_the_page_and_comes_back(worker: Account) -> None:
    client = Client()
    address = urlsplit(authorize(client)["Location"])
    assert address.path == "/login"
    target = parse_qs(address.query)["next"][0]
    form = {"email": worker.email, "password": "cages are round", "next": target}
    assert client.post("/login", form)["Location"] == target


@pytest.mark.parametrize(
    "path",
    ["applications/", "applications/register/", "register/", "device/", "device-authorization/", "authorized_tokens/"],
)
def test_what_the_toolkit_offers_for_managing_is_not_there(admin: Account, browser: SignIn, path: str) -> None:
    assert browser(admin).get(f"/oauth/{path}").status_code == 404


def test_retired_keys_stay_readable(settings: Any) -> None:
    old = jwk.JWK.generate(kty="RSA", size=2048)
    pem = old.export_to_pem(private_key=True, password=None).decode()
    settings.OAUTH2_PROVIDER = settings.OAUTH2_PROVIDER | {"OIDC_RSA_PRIVATE_KEYS_INACTIVE": [pem]}
    keys = Client().get("/oauth/.well-known/jwks.json").json()["keys"]
    assert [key["alg"] for key in keys] == ["RS256", "RS256"]
    assert keys[1]["kid"] == old.thumbprint()


def test_provisioning_again_changes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    before = list(Application.objects.order_by("id").values())
    capsys.readouterr()
    call_command("provision_clients")
    assert capsys.readouterr().out.split("\n")[:3] == ["tasks: as it was", "billing: as it was", "analytics: as it was"]
    assert list(Application.objects.order_by("id").values()) == before


def test_provisioning_follows_a_new_address_and_a_new_secret(settings: Any, worker: Account, browser: SignIn) -> None:
    moved = settings.OIDC_CLIENTS["tasks"] | {"public_url": "http://127.0.0.1:5999", "secret": "rotated-" * 8}
    settings.OIDC_CLIENTS = settings.OIDC_CLIENTS | {"tasks": moved}
    call_command("provision_clients")
    assert Application.objects.get(client_id="tasks").redirect_uris == "http://127.0.0.1:5999/complete/auth"
    assert exchange(answer_of(authorize(browser(worker)))["code"]).status_code == 200


def test_the_last_secret_of_a_service_works_for_an_hour_after_a_rotation(
    settings: Any, worker: Account, browser: SignIn
) -> None:
    first = settings.OIDC_CLIENTS["tasks"]["secret"]
    for secret in ("second-" * 8, "third-" * 8):
        settings.OIDC_CLIENTS = settings.OIDC_CLIENTS | {"tasks": settings.OIDC_CLIENTS["tasks"] | {"secret": secret}}
        call_command("provision_clients")

    def answer(secret: str) -> int:
        return exchange(answer_of(authorize(browser(worker)))["code"], secret=secret).status_code

    assert [answer(secret) for secret in ("third-" * 8, "second-" * 8, first)] == [200, 200, 401]
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=3601)):
        assert answer("second-" * 8) == 401
        assert answer("third-" * 8) == 200


def test_secrets_are_stored_hashed() -> None:
    application = Application.objects.get(client_id="tasks")
    assert identify_hasher(application.client_secret).algorithm == "client_secret"
    assert settings.OIDC_CLIENTS["tasks"]["secret"] not in application.client_secret


def test_a_token_made_before_a_rotation_is_still_verified_after_it(
    settings: Any, worker: Account, browser: SignIn
) -> None:
    provider = settings.OAUTH2_PROVIDER
    token = exchange(answer_of(authorize(browser(worker)))["code"]).json()["id_token"]
    old = jwk.JWK.from_pem(provider["OIDC_RSA_PRIVATE_KEY"].encode())
    new = jwk.JWK.generate(kty="RSA", size=2048)
    settings.OAUTH2_PROVIDER = provider | {
        "OIDC_RSA_PRIVATE_KEY": new.export_to_pem(private_key=True, password=None).decode(),
        "OIDC_RSA_PRIVATE_KEYS_INACTIVE": [old.export_to_pem().decode()],
    }
    keys = jwk.JWKSet.from_json(Client().get("/oauth/.well-known/jwks.json").content)
    assert jwt.JWT(jwt=token, key=keys, algs=["RS256"]).claims
    after = exchange(answer_of(authorize(browser(worker)))["code"])
    assert claims_of(after)["sub"] == str(worker.pk)
    signed_by = jwt.JWT(jwt=after.json()["id_token"], key=keys, algs=["RS256"]).token.jose_header["kid"]
    assert signed_by == new.thumbprint()
    published = Client().get("/oauth/.well-known/jwks.json").json()["keys"]
    assert [set(key) for key in published] == [{"alg", "use", "kid", "kty", "n", "e"}] * 2
