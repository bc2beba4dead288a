import shutil

import pytest
from django.db import connections
from django.test import Client
from playwright.sync_api import sync_playwright

from .support.people import person
from .support.story import gateway, manager, story, worker  # noqa: F401 - fixtures

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]


@pytest.fixture
def browser(db):
    """Makes a browser in which a new account with the role is signed in; `browser.account` is that account."""

    def sign_in(role="worker", name="", account=None):
        client = Client()
        client.account = account or person(role, name)
        client.force_login(client.account)
        session = client.session
        session["identity_epoch"], session["identity_sid"] = client.account.session_epoch, "a-sid"
        session.save()
        return client

    return sign_in


@pytest.fixture
def open_page(live_server, browser, monkeypatch):
    """Opens pages, signed in; every fault that the browser reports fails the test."""
    # Playwright runs a loop of its own in this thread; nothing of Django's is asynchronous here.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    faults = []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=shutil.which("chromium") or shutil.which("google-chrome"), args=FLAGS
        )

        def start(path, account, **options):
            context = chromium.new_context(base_url=live_server.url, **options)
            session = browser(account=account).cookies["tasks_session"].value
            context.add_cookies([{"name": "tasks_session", "value": session, "url": live_server.url}])
            page = context.new_page()
            page.on("pageerror", lambda error: faults.append(str(error)))
            page.on("console", lambda line: "Content Security" in line.text and faults.append(line.text))
            page.on("request", lambda request: request.url.startswith(live_server.url) or faults.append(request.url))
            page.goto(path)
            return page

        yield start
        chromium.close()
        # Inside Playwright's loop Django has a connection of its own.
        connections.close_all()
    assert faults == []
