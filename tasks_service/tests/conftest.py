import pytest
from django.test import Client

from .support.people import person


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
