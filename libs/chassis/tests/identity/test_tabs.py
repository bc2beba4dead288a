"""Several sign-ins under way in one browser: each has its own state, and none takes another's away."""

from typing import Any
from uuid import uuid4

from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone
from identity.fake_auth import FakeAuth
from identity.steps import Browser
from playwright.sync_api import Browser as Chromium


def test_two_tabs_go_each_their_way(browser: Browser, auth: FakeAuth) -> None:
    first, second = browser.begin("/mine"), browser.begin("/office")
    auth.claims = {"sub": str(uuid4()), "role": "admin", "nonce": second["nonce"]}
    assert browser.end(second)["Location"] == "/office"
    auth.claims["nonce"] = first["nonce"]
    assert browser.end(first)["Location"] == "/mine"


def tabs_opened_together(browser: Browser, targets: list[str]) -> list[dict[str, str]]:
    """All of them ask before the first one has an answer; what they get ends up in one jar."""
    tabs = [Browser(browser.auth, Client()) for _ in targets]
    questions = [tab.begin(target) for tab, target in zip(tabs, targets, strict=True)]
    for tab in tabs:
        browser.client.cookies.update(tab.client.cookies)
    return questions


def test_tabs_opened_together_all_arrive(browser: Browser) -> None:
    targets = ["/mine", "/office", "/mine?page=2", "/office?page=2"]
    questions = tabs_opened_together(browser, targets)
    browser.auth.claims = {"sub": str(uuid4()), "role": "admin"}
    arrived = []
    for question in questions:
        browser.auth.claims["nonce"] = question["nonce"]
        arrived.append(browser.end(question)["Location"])
    assert arrived == targets
    assert browser.is_in()


def test_the_tab_that_comes_second_leaves_the_session_of_the_first_alone(browser: Browser) -> None:
    first, second = tabs_opened_together(browser, ["/mine", "/office"])
    browser.auth.claims = {"sub": str(uuid4()), "nonce": first["nonce"]}
    browser.end(first)
    session = browser.client.cookies["tasks_session"].value
    browser.auth.claims["nonce"] = second["nonce"]
    browser.end(second)
    assert browser.client.cookies["tasks_session"].value == session
    assert [row.session_key for row in Session.objects.all()] == [session]


def test_another_person_in_the_second_tab_gets_a_session_of_their_own(browser: Browser) -> None:
    first, second = tabs_opened_together(browser, ["/mine", "/mine"])
    people = [uuid4(), uuid4()]
    for person, question in zip(people, (first, second), strict=True):
        browser.auth.claims = {"sub": str(person), "nonce": question["nonce"], "sid": f"browser of {person}"}
        browser.end(question)
    assert browser.client.get("/mine").content.decode() == f"{people[1]} worker"
    assert Session.objects.count() == 1


def test_the_verifier_stays_at_the_service_and_scripts_cannot_read_the_cookie_that_leads_to_it(
    browser: Browser,
) -> None:
    question = browser.begin()
    cookie = browser.client.cookies[f"tasks_session_sign_in_{question['state']}"]
    assert (cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (True, "Lax", 1800)
    kept = Session.objects.get(session_key=cookie.value)
    assert "code_verifier" in str(kept.get_decoded())
    assert (kept.expire_date - timezone.now()).total_seconds() <= 1800


def test_a_sign_in_that_ended_leaves_nothing_behind(browser: Browser) -> None:
    browser.sign_in()
    assert {name for name, cookie in browser.client.cookies.items() if cookie.value} == {"tasks_session", "tasks_csrf"}
    assert Session.objects.count() == 1


def test_many_sign_ins_begun_do_not_fill_the_requests(browser: Browser) -> None:
    for _ in range(30):
        question = browser.begin()
    assert len([name for name, cookie in browser.client.cookies.items() if "_sign_in_" in name and cookie.value]) == 20
    browser.auth.claims = {"sub": str(uuid4()), "nonce": question["nonce"]}
    assert browser.end(question)["Location"] == "/mine"


def test_tabs_of_a_real_browser_opened_together_all_arrive(
    chromium: Chromium, live_server: Any, auth: FakeAuth, settings: Any
) -> None:
    settings.IDENTITY = settings.IDENTITY | {"CALLBACK_URL": f"{live_server.url}/complete/auth"}
    account_id = str(uuid4())
    auth.claims = {"sub": account_id, "role": "admin"}
    with chromium.new_context(base_url=live_server.url) as window:
        tabs = [window.new_page() for _ in range(6)]
        for number, tab in enumerate(tabs):
            tab.evaluate(
                "address => { setTimeout(() => { location.href = address }, 0) }", f"{live_server.url}/mine?{number}"
            )
        for number, tab in enumerate(tabs):
            tab.wait_for_url(f"{live_server.url}/mine?{number}")
            assert tab.inner_text("body") == f"{account_id} admin"
