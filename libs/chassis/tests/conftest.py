"""People and rows for the tests of chassis."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sample.models import Sample

from chassis.replica.models import Account

MORNING = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@pytest.fixture
def person(db):
    """Makes an account with a role, as events would have."""

    def make(role="worker", **fields):
        known = {"full_name": "Wilma Weber", "email": "worker@popug.example", "state_version": 1, "access_version": 1}
        return Account.objects.create(id=uuid4(), role=role, **known | fields)

    return make


@pytest.fixture
def browser(client, person):
    """A browser in which somebody with the role is signed in, under a session as identity begins it."""

    def sign_in(role="worker", **fields):
        account = person(role, **fields)
        client.force_login(account)
        session = client.session
        session["identity_epoch"], session["identity_sid"] = account.session_epoch, "a-sid"
        session.save()
        return client

    return sign_in


@pytest.fixture
def samples(db):
    """Rows of which many share their time and amount."""
    return Sample.objects.bulk_create(
        Sample(
            title=f"Wash cage {n:03}", cents=(n % 4) * 1000, made_at=MORNING + timedelta(seconds=n // 3, microseconds=7)
        )
        for n in range(130)
    )
