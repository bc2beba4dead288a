"""The handlers, driven by the real engine: what each of them must take (the contract of all handlers)."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from analytics import selectors, services
from analytics.domain import Income, Period
from analytics.events.consumed import CONSUMERS
from analytics.models import AccountStanding, KeptEvent
from analytics.services.generations import PROJECTIONS
from chassis.replica.models import Account
from eventbus import Event
from eventbus.catalogue import catalogue
from eventbus.models import ConsumerOffset, DeadLetter, InboxRow
from eventbus.testing import deliver
from tests.making import earned, make, posted, reversed_, uid

pytestmark = pytest.mark.django_db
DAY = date(2026, 3, 4)
PERIOD = Period(DAY, DAY)


def life_of_a_task() -> list[Event]:
    """Two events at least of each kind of aggregate, in the order in which they happened."""
    return [
        make("TaskCreated", schema_version=1, task_id=uid("cage")),
        make("TaskUpdated", task_id=uid("cage"), version=2, title="Wash it", jira_id=None),
        make("TaskPriced", task_id=uid("cage")),
        make("TaskAssigned", task_id=uid("cage")),
        make("TaskCompleted", task_id=uid("cage")),
        make("TaskReopened", task_id=uid("cage")),
        posted("fee", -1500, DAY, transfer="fee"),
        earned(4000, DAY),
        reversed_(4000, DAY),
        earned(4000, DAY, completion=2),
        posted("payout", -2500, DAY, transfer="payout", task=None),
        make("PayoutMade"),
        make("CycleClosed"),
    ]


def life_of_an_account() -> list[Event]:
    worker = {"account_id": uid("wilma")}
    return [
        make("AccountCreated", **worker, version=1, full_name="Wilma"),
        make("AccountUpdated", **worker, version=2, full_name="Wilma W."),
        make("AccountRoleChanged", **worker, version=3, role="manager"),
        make("AccountUpdated", **worker, version=3, role="manager", full_name="Wilma W."),
        make("AccountDeactivated", **worker, version=4, active=False),
        make("AccountReactivated", **worker, version=5, role="worker", active=True),
        make("AccountCreated", account_id=uid("max"), version=1, full_name="Max"),
    ]


LIVES = {"facts": life_of_a_task, "accounts": life_of_an_account}


@pytest.fixture(params=LIVES)
def consumer(request: pytest.FixtureRequest) -> Any:
    return request.param


def outcome() -> Any:
    projections = {model.__name__: sorted(map(str, model.objects.values_list(*names(model)))) for model in PROJECTIONS}
    replicas = list(Account.objects.order_by("id").values_list("full_name", "role", "is_active", "state_version"))
    return projections, replicas, sorted(KeptEvent.objects.values_list("event_id", flat=True))


def names(model: Any) -> list[str]:
    return [field.name for field in model._meta.concrete_fields if field.name not in ("pk", "shard")]


@pytest.fixture
def expected(consumer: str) -> Any:
    """The outcome of the events one by one, in order."""
    events = LIVES[consumer]()
    for event in events:
        deliver(consumer, [event])
    found = outcome()
    assert len(found[2]) == len(events)
    for model in (*PROJECTIONS, KeptEvent, Account):
        model.objects.all().delete()
    forget_inbox()
    return events, found


def forget_inbox() -> None:
    InboxRow.objects.all().delete()
    ConsumerOffset.objects.all().delete()


def test_one_batch_with_several_events_of_one_aggregate(consumer: str, expected: Any):
    events, found = expected

    deliver(consumer, events)

    assert outcome() == found


def test_the_same_event_twice_in_a_batch_and_again_later(consumer: str, expected: Any):
    events, found = expected

    deliver(consumer, [copy for event in events for copy in (event, event)])
    deliver(consumer, events)

    assert outcome() == found


def test_a_key_s_events_in_reverse_across_batches(consumer: str, expected: Any):
    events, found = expected

    for event in reversed(events):
        deliver(consumer, [event])

    assert outcome() == found
    assert not DeadLetter.objects.exists()


def test_every_event_that_the_table_names_is_in_these_tests(consumer: str):
    assert {event.name for event in LIVES[consumer]()} | {"AccountDeleted"} >= set(CONSUMERS[consumer])


def test_every_event_of_the_catalogue_is_kept():
    assert {name for table in CONSUMERS.values() for name in table} == set(catalogue().topic_of)


def test_a_deletion_is_the_last_word_on_an_account():
    deliver("accounts", [make("AccountCreated", account_id=uid("wilma"), version=1)])
    deliver("accounts", [make("AccountDeleted", account_id=uid("wilma"), version=9)])
    deliver("accounts", [make("AccountUpdated", account_id=uid("wilma"), version=4)])

    assert Account.objects.get().name == "former employee"
    assert not AccountStanding.objects.get().is_active


def test_a_contradiction_is_a_dead_letter_alone_and_nothing_of_it_is_kept():
    contradiction = replace(earned(4100, DAY, account="max"), id=uuid.uuid4())
    others = [earned(3000, DAY, task=f"other {number}", account=f"w{number}") for number in range(5)]
    deliver("facts", [earned(4000, DAY)])

    deliver("facts", [*others[:3], contradiction, *others[3:]])

    assert [letter.event_id for letter in DeadLetter.objects.all()] == [contradiction.id]
    assert selectors.income_by_day(PERIOD) == {DAY: Income(earnings=4000 + 5 * 3000)}
    assert KeptEvent.objects.count() == 6


def test_a_transfer_that_comes_again_with_another_amount_is_a_dead_letter_also_under_its_own_event_id():
    told = earned(4000, DAY)
    told = replace(told, id=uuid.UUID(told.data["transfer_id"]))
    other = replace(told, data={**told.data, "amount": 4100})

    deliver("facts", [told])
    deliver("facts", [told])
    assert not DeadLetter.objects.exists()
    deliver("facts", [other])

    assert [letter.event_id for letter in DeadLetter.objects.all()] == [told.id]
    assert selectors.income_by_day(PERIOD) == {DAY: Income(earnings=4000)}
    assert KeptEvent.objects.count() == 1


def test_both_versions_of_task_created_give_the_same_title():
    deliver(
        "facts",
        [
            make("TaskCreated", schema_version=1, task_id=uid("old"), description="[popug-42] - Wash the cage"),
            make("TaskCreated", schema_version=2, task_id=uid("new"), title="Wash the cage", jira_id="POPUG-42"),
            earned(4000, DAY, task="old"),
            earned(4000, DAY, task="new"),
        ],
    )

    labels = selectors.labels(selectors.tops_by_day(PERIOD)[DAY].tasks)

    assert {(label.title, label.jira_id) for label in labels.values()} == {("Wash the cage", "POPUG-42")}
    assert len(labels) == 2


def test_events_that_cannot_be_right_break_neither_the_numbers_nor_a_rebuild():
    """Billing refuses them; what it booked before it did, and what tasks told, are kept all the same."""
    first, last = date(1, 1, 1), date(9999, 12, 31)
    long_ago = datetime(1, 1, 1, tzinfo=UTC)
    odd = [
        make("TaskAssigned", task_id=uid("a"), assignment_no=-5),
        make("TaskCompleted", task_id=uid("a"), completion_no=0),
        make("TaskAssigned", task_id=uid("b"), moment=long_ago),
        posted("fee", -1500, first, task="b", moment=long_ago),
        earned(4000, last, task="c", moment=datetime(9999, 12, 31, tzinfo=UTC)),
    ]
    deliver("facts", [*odd, earned(2500, DAY)])

    services.rebuild()

    assert not DeadLetter.objects.exists()
    assert selectors.report_show(period=PERIOD).income == Income(earnings=2500)
    assert KeptEvent.objects.count() == len(odd) + 1
