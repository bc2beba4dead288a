import pytest
from django.test import Client

from eventbus.testing import deliver
from tests.exports import auditor  # noqa: F401 - a fixture
from tests.make import BORIS, BOSS, WILMA, account, assigned, completed, open_cycle, task_id, task_state
from tests.story import story  # noqa: F401 - a fixture


@pytest.fixture
def browser(db):
    """Makes a browser in which a new account with the role is signed in; `browser.account` is that account."""

    def sign_in(role="finance", who=None):
        client = Client()
        client.account = who or account(role=role, name=f"Some {role}")
        client.force_login(client.account)
        session = client.session
        session["identity_epoch"], session["identity_sid"] = client.account.session_epoch, "a-sid"
        session.save()
        return client

    return sign_in


@pytest.fixture
def worked(db):
    """A Monday: Wilma did a task, Boris has a debt; both are known."""
    open_cycle()
    account(WILMA)
    account(BORIS, name="Boris Bauer")
    account(BOSS, name="Max Braun", role="manager")
    deliver("tasks", [
        task_state(), task_state(task_id(2), title="Feed Polly", jira_id=None),
        assigned(), completed(), assigned(task_id(2), account=BORIS, cause="reassigned"),
    ])  # fmt: skip
