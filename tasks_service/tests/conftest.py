import pytest
from django.test import Client

from .support.people import person
from .support.story import gateway, manager, story, worker  # noqa: F401 - fixtures


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
def open_page(new_page, browser):
    """Opens pages, signed in."""

    def start(path, account, **options):
        page = new_page(browser(account=account), **options)
        page.goto(path)
        return page

    return start
