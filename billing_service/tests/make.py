"""Events and ledgers for tests."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from django.conf import settings

from billing.domain import cycle_key, price_of
from billing.models import Cycle
from chassis.replica.models import Account
from eventbus import Event, event_id
from eventbus.models import ConsumerGroup, DeadLetter

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
DUE = datetime(2026, 3, 2, 17, tzinfo=UTC)  # six o'clock in Berlin
WILMA = UUID("5b0c1c3a-7c56-4be1-9b1e-0d6b2b0f6a11")
BORIS = UUID("5b0c1c3a-7c56-4be1-9b1e-0d6b2b0f6a12")
NINA = UUID("5b0c1c3a-7c56-4be1-9b1e-0d6b2b0f6a13")
BOSS = UUID("c9a8de10-6a3c-4d6c-8f63-5f1f3a0b9e02")


def task_id(number: int = 1) -> UUID:
    return UUID(int=0x018F9F2E_6D3B_7C1A_9A52_000000000000 + number)


def fee(task: UUID) -> int:
    return price_of(key=next(iter(settings.PRICE_KEYS.values())), task_id=task).fee


def reward(task: UUID) -> int:
    return price_of(key=next(iter(settings.PRICE_KEYS.values())), task_id=task).reward


def _event(name, key, time, data, version=1):
    return Event(name=name, version=version, key=str(key), time=time, data=data)


def assigned(task=None, no=1, account=WILMA, time=MONDAY, cause="created", actor=BOSS, reassignment=None, version=1):
    task = task or task_id()
    data = {
        "task_id": str(task),
        "version": version,
        "account_id": str(account),
        "assignment_no": no,
        "cause": cause,
        "actor_id": str(actor),
        "reassignment_id": str(reassignment) if reassignment else None,
    }
    return _event("TaskAssigned", task, time, data)


def completed(task=None, no=1, account=WILMA, time=MONDAY + timedelta(hours=1), actor=None, version=2):
    task = task or task_id()
    data = {
        "task_id": str(task),
        "version": version,
        "account_id": str(account),
        "completion_no": no,
        "actor_id": str(actor or account),
    }
    return _event("TaskCompleted", task, time, data)


def reopened(task=None, no=1, account=WILMA, time=MONDAY + timedelta(hours=2), cause="reopened", actor=BOSS, version=3):
    task = task or task_id()
    data = {
        "task_id": str(task),
        "version": version,
        "account_id": str(account),
        "completion_no": no,
        "actor_id": str(actor),
        "cause": cause,
    }
    return _event("TaskReopened", task, time, data)


def task_state(task=None, version=1, name="TaskUpdated", schema=None, **given):
    """TaskCreated or TaskUpdated."""
    task = task or task_id()
    schema = schema or (2 if name == "TaskCreated" else 1)
    data = {
        "task_id": str(task),
        "version": version,
        "description": "",
        "status": "open",
        "assignee_id": str(WILMA),
        "assignment_no": 1,
        "completion_no": 0,
        "creator_id": str(BOSS),
        "created_at": MONDAY,
        "title": "Wash the cage",
        "jira_id": "POPUG-42",
    }
    data.update(given)
    if name == "TaskCreated" and schema == 1:
        del data["title"], data["jira_id"]
    return _event(name, task, MONDAY, data, schema)


def open_cycle(due_at=DUE, **given) -> Cycle:
    return Cycle.objects.create(id=event_id(cycle_key(due_at)), due_at=due_at, **given)


def unreadable(topic, key) -> DeadLetter:
    """A record that the consumer could not decode, as it sets it aside: nothing is known but the record's key."""
    group, _ = ConsumerGroup.objects.get_or_create(name="billing-tasks")
    return DeadLetter.objects.create(
        group=group, topic=topic, partition=0, offset=1, key=str(key).encode(), value=b"?", headers=b"",
        received_at=MONDAY, reason="unknown_version", error="there is no such version", state=DeadLetter.State.DEAD,
    )  # fmt: skip


def account(id_=None, *, role="worker", name="Wilma Weber", email=None, **given) -> Account:
    if email is None:
        email = f"{name.split()[0].lower()}@popug.example"
    fields = {"role": role, "full_name": name, "email": email, "state_version": 1, "access_version": 1}
    return Account.objects.create(id=id_ or uuid4(), **fields, **given)
