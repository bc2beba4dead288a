"""What the processes wrote while people worked: one object a line, to be followed by its trace, and nobody's secret.

It comes last, so that the lines are those of all browser tests.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from urllib.parse import parse_qsl, urlsplit

import pytest
from driver import Driver, eventually
from people import Person

from dev.paths import SERVICES
from dev.people import PEOPLE

PersonMaker = Callable[..., Person]
# What a service knows and no line may say. Short words would be found in other ones.
KNOWN = """
import json
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
people = get_user_model().objects.exclude(email="").values_list("email", "full_name")
secrets = [settings.SECRET_KEY, settings.DATABASES["default"]["PASSWORD"]]
secrets.append(getattr(settings, "SOCIAL_AUTH_AUTH_SECRET", ""))
secrets += [client["secret"] for client in getattr(settings, "OIDC_CLIENTS", {}).values()]
secrets += [key.hex() for key in getattr(settings, "PRICE_KEYS", {}).values()]
secrets += getattr(settings, "OAUTH2_PROVIDER", {}).get("OIDC_RSA_PRIVATE_KEY", "").splitlines()[1:-1]
secrets += Session.objects.values_list("session_key", flat=True)
if settings.SERVICE_NAME == "auth":
    from accounts.models import BrowserSession
    secrets += BrowserSession.objects.values_list("sid", flat=True)
if settings.SERVICE_NAME == "tasks":
    from tasks.models import Contact
    secrets += Contact.objects.values_list("address", flat=True)
print(json.dumps([list(people), [text for text in secrets if len(text) > 5]]))
"""
# Of any person or program: addresses, signed tokens, what is handed over in an address, browsers.
SHAPES = {
    "an e-mail address": re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+"),
    "a signed token": re.compile(r"eyJ[\w-]{10,}"),
    "a value from an address": re.compile(r"[?&](?:code|token|state|nonce|id_token_hint|q)="),
    "a key": re.compile(r"-----BEGIN|Bearer "),
    "a browser": re.compile(r"Mozilla|Chrome/"),
}


def told(text: str, people: list[tuple[str, str]], secrets: list[str]) -> set[str]:
    """What a line says that it must not."""
    found = {shape for shape, pattern in SHAPES.items() if pattern.search(text)}
    found |= {email for email, _ in people if email in text}
    names = {part for _, name in people for part in name.split() if len(part) >= 4}
    found |= {name for name in names if re.search(rf"\b{re.escape(name)}\b", text)}
    return found | {f"a secret, {secret[:3]}…" for secret in secrets if secret in text}


@pytest.fixture(scope="module")
def lines(driver: Driver) -> list[str]:
    return list(driver.logs())


@pytest.fixture(scope="module")
def known(driver: Driver) -> tuple[list[tuple[str, str]], list[str]]:
    people: dict[str, str] = {}
    secrets: set[str] = set()
    for service in SERVICES:
        accounts, found = json.loads(driver.manage(service, "shell", "-v", "0", "-c", KNOWN).splitlines()[-1])
        people |= dict(accounts)
        secrets |= set(found)
    secrets |= {driver.password(email) for email, _, _ in PEOPLE}
    return list(people.items()), sorted(secrets)


def test_the_link_of_a_mail_is_opened_and_its_token_is_in_no_line(driver: Driver, person: PersonMaker) -> None:
    before = len(driver.mailbox())
    pavel = person("pavel", sign_in=False)
    page = pavel.open("auth", "/forgotten-password")
    page.get_by_label("E-mail").fill(pavel.email)
    page.locator("main form button").click()
    mail = eventually(lambda: [mail for mail in driver.mailbox()[before:] if mail["To"] == pavel.email])[-1]
    (link,) = re.findall(r"https?://\S+", mail.get_content())
    (token,) = [value for _, value in parse_qsl(urlsplit(link).query)]
    page.goto(link)
    assert page.get_by_label("password", exact=False).count()
    opened = eventually(lambda: [line for line in driver.logs() if '"path": "/link"' in line])
    assert len(token) > 20
    assert not [line for line in driver.logs() if token in line]
    assert json.loads(opened[-1])["status"] == 200


def test_a_click_and_what_it_caused_elsewhere_are_found_by_one_trace_id(driver: Driver, person: PersonMaker) -> None:
    manager, wilma = person("manager"), person("worker")
    manager.create_task("Read the log", assignee="Wilma Weber")
    wilma.complete("Read the log")

    def told_everywhere() -> bool:
        lines = [json.loads(line) for line in driver.logs()]
        requests = [line for line in lines if line["event"] == "request"]
        assert all(re.fullmatch("[0-9a-f]{32}", line["trace_id"]) for line in requests)
        clicks = [line["trace_id"] for line in requests if line["path"].endswith("/done")]
        # A command, as the one that made the demo's accounts, is no request and has no trace.
        applied = [line for line in lines if line["event"] == "event_applied" and line.get("trace_id") in clicks[-1:]]
        return {line["service"] for line in applied} >= {"billing", "analytics"}

    eventually(told_everywhere, within=60)


def test_each_line_is_one_object_with_time_level_service_and_event(lines: list[str]) -> None:
    assert len(lines) > 100
    for line in lines:
        found = json.loads(line)
        assert {"timestamp", "level", "service", "event"} <= found.keys()
        assert found["service"] in SERVICES


def test_no_line_says_who_it_was_or_holds_a_secret(
    lines: list[str], known: tuple[list[tuple[str, str]], list[str]]
) -> None:
    people, secrets = known
    assert len(people) >= 8
    assert len(secrets) > 30
    bad = {line: found for line in lines if (found := told(line, people, secrets))}
    assert bad == {}


def test_a_line_that_says_too_much_would_be_noticed(known: tuple[list[tuple[str, str]], list[str]]) -> None:
    people, secrets = known
    email, name = people[0]
    for text in (email, f"for {name.split()[-1]}", f"key={secrets[0]}", "Bearer x", "/callback?code=1", "a@b.example"):
        assert told(text, people, secrets)
    assert not told('{"event": "request", "path": "/tasks", "status": 200}', people, secrets)
