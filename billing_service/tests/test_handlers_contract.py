"""The contract of every handler: an event twice, two of one aggregate, a key's events in reverse across batches."""

import json
from datetime import date, datetime
from itertools import permutations

import pytest

from billing.events.consumed import CONSUMERS
from billing.models import LedgerAccount, Task, TaskPrice, Transfer
from chassis.replica.models import Account
from eventbus import Event
from eventbus.models import DeadLetter
from eventbus.testing import deliver
from tests.make import MONDAY, assigned, completed, open_cycle, reopened, task_id, task_state

pytestmark = pytest.mark.django_db
TASK = task_id()


def account_event(name, version, **given):
    data = {
        "account_id": "5b0c1c3a-7c56-4be1-9b1e-0d6b2b0f6a11",
        "version": version,
        "email": "w@popug.example",
        "full_name": f"Wilma {version}",
        "position": "",
        "role": "worker",
        "active": True,
        "session_epoch": version,
    }
    if name not in ("AccountCreated", "AccountUpdated"):
        data = {key: data[key] for key in ("account_id", "version", "role", "active", "session_epoch")}
        data |= {"actor_id": "system"} | ({"previous_role": "worker"} if name == "AccountRoleChanged" else {})
    return Event(name=name, version=1, key=data["account_id"], time=MONDAY, data={**data, **given})


HISTORIES = {
    "accounts": [
        account_event("AccountCreated", 1),
        account_event("AccountRoleChanged", 2, role="finance"),
        account_event("AccountUpdated", 3, role="finance"),
        account_event("AccountDeactivated", 4, role="finance", active=False),
    ],
    "tasks": [
        task_state(name="TaskCreated", version=1),
        assigned(version=1),
        completed(version=2),
        reopened(version=3),
        task_state(version=3, title="Wash the other cage", completion_no=1),
    ],
    "prices": [
        Event(
            name="TaskPriced",
            version=1,
            key=str(TASK),
            time=MONDAY,
            data={"task_id": str(TASK), "fee": 1500, "reward": 3000, "currency": "USD", "key_id": "k0"},
        )
    ],
}


def state():
    """Everything that handlers keep, without times and without the order of entries."""
    return (
        sorted(Account.objects.values_list("id", "full_name", "role", "is_active", "session_epoch")),
        sorted(Task.objects.values_list("id", "version", "title", "completion_no")),
        sorted(TaskPrice.objects.values_list("task_id", "fee", "reward", "key_id")),
        sorted(LedgerAccount.objects.values_list("id", "balance", "entry_no")),
        sorted(Transfer.objects.values_list("idempotency_key", "amount", "change", "reverses", "business_date")),
    )


def test_each_subscription_has_a_history_here():
    for consumer, handlers in CONSUMERS.items():
        assert set(handlers) - {event.name for event in HISTORIES[consumer]} <= {"AccountDeleted", "AccountReactivated"}


@pytest.mark.parametrize("consumer", CONSUMERS)
@pytest.mark.parametrize(
    "how", ["the same record twice", "told anew in a batch", "told anew in another", "reversed", "one by one"]
)
def test_repetition_and_order_change_nothing(consumer, how):
    open_cycle()
    history = HISTORIES[consumer]
    batches = {
        "the same record twice": [[event for event in history for _ in range(2)]],
        # The inbox knows none of these: the handler itself sees the repetition.
        "told anew in a batch": [[told for event in history for told in (event, _anew(event))]],
        "told anew in another": [history, [_anew(event) for event in history]],
        "reversed": [[event] for event in reversed(history)],
        "one by one": [[event] for event in history],
    }[how]
    for batch in batches:
        deliver(consumer, batch)
    found = state()
    assert found == EXPECTED[consumer]()
    assert not DeadLetter.objects.exists()


def _anew(event):
    """The same fact in another envelope: a new event id, as after a restore of the producer."""
    return Event(name=event.name, version=event.version, key=event.key, time=event.time, data=event.data)


def _accounts():
    account = Account.objects.get()
    return ([(account.id, "Wilma 3", "finance", False, 4)], [], [], [], [])


def _tasks():
    price = TaskPrice.objects.get()
    worker = LedgerAccount.objects.get().id
    earning = Transfer.objects.get(kind="earning").id
    day = date(2026, 3, 2)
    return (
        [],
        [(TASK, 3, "Wash the other cage", 1)],
        [(TASK, price.fee, price.reward, price.key_id)],
        [(worker, -price.fee, 3)],
        [
            (f"earning:{TASK}:1", price.reward, price.reward, None, day),
            (f"fee:{TASK}:1", price.fee, -price.fee, None, day),
            (f"reversal:earning:{TASK}:1", price.reward, -price.reward, earning, day),
        ],
    )


def _prices():
    return ([], [], [(TASK, 1500, 3000, "k0")], [], [])


EXPECTED = {"accounts": _accounts, "tasks": _tasks, "prices": _prices}


def test_all_orders_of_a_tasks_money_events_end_alike():
    open_cycle()
    ends = set()
    for number, order in enumerate(permutations((assigned, completed, reopened))):
        task = task_id(number + 1)
        for make in order:
            deliver("tasks", [make(task)])
        keys = Transfer.objects.filter(task_id=task).values_list("idempotency_key", flat=True)
        ends.add(tuple(sorted(key.replace(str(task), "task") for key in keys)))
    assert ends == {("earning:task:1", "fee:task:1", "reversal:earning:task:1")}


def _example(path):
    """An example.json as an event: times and dates are text there."""
    raw = json.loads(path.read_text())
    data = {name: _typed(value) for name, value in raw["data"].items()}
    time = datetime.fromisoformat(raw["event_time"])
    schema = json.loads(path.with_name(path.name.replace("example.json", "avsc")).read_text())
    return Event(name=raw["event_name"], version=raw["event_version"], key=data[schema["key"]], time=time, data=data)


def _typed(value):
    if isinstance(value, str) and len(value) == 27 and value.endswith("Z"):
        return datetime.fromisoformat(value)
    return value


def _examples(settings):
    names = {name for handlers in CONSUMERS.values() for name in handlers}
    paths = sorted(settings.EVENTBUS["SCHEMAS"].glob("*/*/*.example.json"))
    return [event for event in map(_example, paths) if event.name in names]


def test_the_example_of_every_consumed_schema_is_taken(settings):
    open_cycle()
    examples = _examples(settings)
    assert {(event.name, event.version) for event in examples} >= {("TaskCreated", 1), ("TaskCreated", 2)}
    for event in examples:
        [consumer] = [name for name, handlers in CONSUMERS.items() if event.name in handlers]
        deliver(consumer, [event])
    assert not DeadLetter.objects.exists()
    assert len(examples) == 13
