"""What auth publishes has the shape of the frozen examples."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from accounts.domain import MANAGER, SYSTEM
from accounts.events import published
from accounts.models import Account
from eventbus import Event

from .conftest import NOW


def events_of(account: Account) -> list[Event]:
    return [
        published.account_created(account, time=NOW),
        published.account_updated(account, time=NOW),
        published.account_role_changed(account, previous_role=MANAGER, actor_id=SYSTEM, time=NOW),
        published.account_deactivated(account, actor_id=SYSTEM, time=NOW),
        published.account_reactivated(account, actor_id=SYSTEM, time=NOW),
    ]


def examples() -> dict[str, Any]:
    folder = Path(settings.EVENTBUS["SCHEMAS"]) / "accounts"
    found = [json.loads(path.read_text()) for path in folder.glob("*/1.example.json")]
    return {example["event_name"]: example["data"] for example in found}


@pytest.mark.django_db
def test_each_event_has_the_fields_of_its_example(worker: Account) -> None:
    known = examples()
    for event in events_of(worker):
        assert {name: type(value) for name, value in event.data.items()} == {
            name: type(value) for name, value in known.pop(event.name).items()
        }
    assert set(known) == {"AccountDeleted"}
