"""Task events become entries: once, in any order, with the stored amounts."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
import time_machine
from django.db import transaction

from billing.domain import Company, PayloadConflict
from billing.metrics import PAYLOAD_CONFLICTS, PRICE_CONFLICTS
from billing.models import AccountDay, Cycle, LedgerAccount, Task, TaskPrice, Transfer
from billing.services.task_events import task_events_post
from eventbus import event_id
from eventbus.models import DeadLetter
from eventbus.testing import clear_outbox, deliver, published
from tests.make import (
    BORIS,
    BOSS,
    DUE,
    MONDAY,
    WILMA,
    assigned,
    completed,
    fee,
    open_cycle,
    reopened,
    reward,
    task_id,
    task_state,
)

pytestmark = pytest.mark.django_db
TASK = task_id()


def balance(account=WILMA):
    return LedgerAccount.objects.get(id=account).balance


def entries(account=WILMA):
    return [
        (entry.kind, entry.change, entry.balance_after)
        for entry in Transfer.objects.filter(account_id=account).order_by("entry_no")
    ]


@pytest.fixture(autouse=True)
def cycle():
    return open_cycle()


class TestEntries:
    def test_an_assignment_costs_and_a_completion_earns(self):
        deliver("tasks", [assigned(), completed()])
        assert entries() == [("fee", -fee(TASK), -fee(TASK)), ("earning", reward(TASK), reward(TASK) - fee(TASK))]
        assert balance() == reward(TASK) - fee(TASK)

    def test_an_entry_keeps_what_the_event_said(self, cycle):
        run = uuid4()
        event = assigned(no=3, cause="reassigned", reassignment=run, time=datetime(2026, 3, 1, 23, 30, tzinfo=UTC))
        deliver("tasks", [event])
        entry = Transfer.objects.get()
        assert entry.id == event_id(f"fee:{TASK}:3")
        assert entry.idempotency_key == f"fee:{TASK}:3"
        assert (entry.debit_id, entry.credit_id, entry.amount) == (WILMA, Company.INCOME, fee(TASK))
        assert (entry.cause, entry.actor_id, entry.reassignment_id) == ("reassigned", str(BOSS), run)
        assert (entry.occurred_at, entry.business_date) == (event.time, date(2026, 3, 2))
        assert (entry.task_id, entry.cycle_id) == (TASK, cycle.id)

    def test_each_assignment_costs_the_same_fee_again(self):
        deliver("tasks", [assigned(no=1), assigned(no=2), assigned(no=3, account=BORIS)])
        assert (balance(), balance(BORIS)) == (-2 * fee(TASK), -fee(TASK))

    def test_the_reward_goes_to_the_worker_whom_the_completion_names(self):
        deliver("tasks", [assigned(account=WILMA), completed(account=BORIS, actor=BOSS), assigned(no=2, account=WILMA)])
        assert (balance(), balance(BORIS)) == (-2 * fee(TASK), reward(TASK))

    def test_whoever_has_an_entry_has_a_ledger_account_known_or_not(self):
        stranger = uuid4()
        deliver("tasks", [completed(account=stranger)])
        assert balance(stranger) == reward(TASK)

    def test_the_rollup_sums_entries_by_day_and_kind(self, cycle):
        tuesday = MONDAY + timedelta(days=1)
        deliver("tasks", [assigned(), assigned(no=2), assigned(no=3, time=tuesday), completed(time=tuesday)])
        rows = AccountDay.objects.order_by("business_date", "kind").values_list("business_date", "kind", "sum", "count")
        assert list(rows) == [
            (date(2026, 3, 2), "fee", -2 * fee(TASK), 2),
            (date(2026, 3, 3), "earning", reward(TASK), 1),
            (date(2026, 3, 3), "fee", -fee(TASK), 1),
        ]

    def test_each_entry_is_published_once_with_an_id_that_a_replay_finds_again(self, cycle):
        deliver("tasks", [assigned(), completed(), assigned()])
        first, second = published("TransactionPosted")
        entry = Transfer.objects.get(kind="earning")
        assert first.id == event_id(f"fee:{TASK}:1")
        assert (second.id, second.key, second.time) == (entry.id, str(WILMA), entry.occurred_at)
        assert second.data == {
            "transfer_id": str(entry.id),
            "account_id": str(WILMA),
            "task_id": str(TASK),
            "kind": "earning",
            "amount": reward(TASK),
            "currency": "USD",
            "occurred_at": entry.occurred_at,
            "recorded_at": entry.recorded_at,
            "business_date": date(2026, 3, 2),
            "cycle_id": str(cycle.id),
            "reverses": None,
        }


class TestReversals:
    def test_a_reopening_takes_the_stored_reward_back(self):
        deliver("tasks", [completed(), reopened()])
        assert entries() == [("earning", reward(TASK), reward(TASK)), ("reversal", -reward(TASK), 0)]
        assert Transfer.objects.get(kind="reversal").reverses == Transfer.objects.get(kind="earning").id

    def test_a_reopening_may_come_before_its_completion(self):
        deliver("tasks", [reopened()])
        assert balance() == -reward(TASK)
        deliver("tasks", [completed()])
        assert balance() == 0
        assert Transfer.objects.get(kind="reversal").reverses == Transfer.objects.get(kind="earning").id

    def test_reopening_twice_reverses_once(self):
        deliver("tasks", [completed(), reopened()])
        again = reopened()
        deliver("tasks", [again, again])
        assert balance() == 0

    def test_done_reopened_done_pays_once(self):
        deliver("tasks", [completed(no=1), reopened(no=1), completed(no=2, account=BORIS)])
        assert (balance(), balance(BORIS)) == (0, reward(TASK))

    @pytest.mark.parametrize("events", [(completed, reopened), (reopened, completed)], ids=["in order", "reversed"])
    @pytest.mark.parametrize("batches", [1, 2])
    def test_a_reopening_that_names_another_worker_than_the_completion_is_a_dead_letter(self, events, batches):
        first, second = events
        pair = [first(account=WILMA), second(account=BORIS)]
        for batch in [pair] if batches == 1 else [[event] for event in pair]:
            deliver("tasks", batch)
        assert Transfer.objects.count() == 1
        assert dead_letters() == [(str(TASK), "LedgerError")]


class TestRepetition:
    def test_the_same_event_in_another_envelope_posts_once(self):
        deliver("tasks", [assigned(), assigned()])
        deliver("tasks", [assigned()])
        assert balance() == -fee(TASK)
        assert dead_letters() == []

    @pytest.mark.parametrize(
        "other", [{"account": BORIS}, {"cause": "left"}, {"time": MONDAY + timedelta(microseconds=1)}]
    )
    @pytest.mark.parametrize("batches", [1, 2])
    def test_the_same_key_with_another_payload_is_a_dead_letter_and_an_alarm(self, other, batches):
        before = PAYLOAD_CONFLICTS._value.get()
        pair = [assigned(), assigned(**other)]
        for batch in [pair] if batches == 1 else [[event] for event in pair]:
            deliver("tasks", batch)
        assert balance() == -fee(TASK)
        assert not LedgerAccount.objects.filter(id=BORIS, balance__lt=0).exists()
        assert dead_letters() == [(str(TASK), "PayloadConflict")]
        assert PAYLOAD_CONFLICTS._value.get() == before + 1

    def test_the_same_event_that_names_another_worker_now_is_a_dead_letter_too(self):
        """A producer that was restored from a backup decides anew under the ids that it used before."""
        before = PAYLOAD_CONFLICTS._value.get()
        first = assigned()
        again = replace(first, data={**first.data, "account_id": str(BORIS)})
        deliver("tasks", [first, first])
        deliver("tasks", [again])
        assert dead_letters() == [(str(TASK), "PayloadConflict")]
        assert PAYLOAD_CONFLICTS._value.get() == before + 1
        assert balance() == -fee(TASK)
        assert not LedgerAccount.objects.filter(id=BORIS, balance__lt=0).exists()

    def test_the_alarm_counts_each_conflict_once_however_long_its_batch(self):
        before = PAYLOAD_CONFLICTS._value.get()
        deliver("tasks", [assigned(task_id(n)) for n in range(1, 9)])
        deliver("tasks", [assigned(task_id(n), account=BORIS if n in (2, 7) else WILMA) for n in range(1, 9)])
        assert {key for key, _ in dead_letters()} == {str(task_id(2)), str(task_id(7))}
        assert PAYLOAD_CONFLICTS._value.get() == before + 2

    def test_a_bad_event_keeps_no_other_key_from_its_money(self):
        bad = assigned(task_id(2), account="nobody")
        deliver("tasks", [assigned(task_id(1)), bad, assigned(task_id(3))])
        assert balance() == -fee(task_id(1)) - fee(task_id(3))
        assert [key for key, _ in dead_letters()] == [str(task_id(2))]

    def test_one_function_call_refuses_the_whole_set_and_writes_nothing(self):
        with pytest.raises(PayloadConflict), transaction.atomic():
            task_events_post([assigned(), completed(), assigned(account=BORIS)])
        assert not Transfer.objects.exists()
        assert published() == []


class TestTime:
    @pytest.mark.parametrize("shift", [timedelta(days=-1), timedelta(days=1)])
    def test_a_consumer_whose_clock_is_wrong_by_a_day_changes_nothing(self, shift, cycle):
        with time_machine.travel(datetime.now(UTC) + shift):
            task_events_post([assigned(), completed()])
        rows = Transfer.objects.order_by("entry_no").values_list("amount", "business_date", "occurred_at", "cycle_id")
        assert list(rows) == [
            (fee(TASK), date(2026, 3, 2), MONDAY, cycle.id),
            (reward(TASK), date(2026, 3, 2), MONDAY + timedelta(hours=1), cycle.id),
        ]
        recorded = Transfer.objects.values_list("recorded_at", flat=True).first()
        assert abs(recorded - datetime.now(UTC)) < timedelta(minutes=1)

    def test_a_late_event_changes_its_past_day_and_goes_to_the_open_cycle(self, cycle):
        deliver("tasks", [assigned()])
        cycle.state = Cycle.State.CLOSED
        cycle.save()
        following = open_cycle(DUE + timedelta(days=1))
        deliver("tasks", [completed()])
        entry = Transfer.objects.get(kind="earning")
        assert (entry.business_date, entry.cycle_id) == (date(2026, 3, 2), following.id)
        assert AccountDay.objects.filter(business_date=date(2026, 3, 2), cycle=following).count() == 1

    def test_the_first_event_of_an_empty_ledger_opens_the_first_cycle(self, cycle):
        cycle.delete()
        deliver("tasks", [assigned()])
        opened = Cycle.objects.get()
        assert opened.state == Cycle.State.OPEN
        assert datetime.now(UTC) < opened.due_at < datetime.now(UTC) + timedelta(days=4)


class TestPrices:
    @pytest.mark.parametrize("make", [task_state, assigned, completed, reopened])
    def test_any_event_of_a_task_fixes_its_price(self, make):
        deliver("tasks", [make()])
        price = TaskPrice.objects.get()
        assert (price.task_id, price.fee, price.reward) == (TASK, fee(TASK), reward(TASK))
        told = published("TaskPriced")
        assert [(event.key, event.data["fee"], event.data["reward"]) for event in told] == [
            (str(TASK), fee(TASK), reward(TASK))
        ]
        assert told[0].id == event_id(f"price:{TASK}")
        clear_outbox()
        deliver("tasks", [task_state(version=9), assigned(no=2)])
        assert published("TaskPriced") == []

    def test_a_new_key_prices_new_tasks_only(self, settings):
        old = (fee(TASK), reward(TASK))
        deliver("tasks", [task_state()])
        settings.PRICE_KEYS = {"k2": b"\x02" * 32, **settings.PRICE_KEYS}
        deliver("tasks", [assigned(), completed(), task_state(task_id(2))])
        assert entries() == [("fee", -old[0], -old[0]), ("earning", old[1], old[1] - old[0])]
        assert TaskPrice.objects.get(task_id=task_id(2)).key_id == "k2"
        assert TaskPrice.objects.get(task_id=TASK).key_id != "k2"

    def test_a_fresh_billing_takes_over_the_prices_it_published_before(self, settings):
        deliver("tasks", [task_state()])
        [told] = published("TaskPriced")
        old = TaskPrice.objects.values_list("fee", "reward", "key_id").get()
        TaskPrice.objects.all().delete()
        settings.PRICE_KEYS = {"k2": b"\x02" * 32}
        deliver("prices", [told])
        deliver("tasks", [assigned()])
        assert TaskPrice.objects.values_list("fee", "reward", "key_id").get() == old

    def test_another_price_for_a_priced_task_is_a_dead_letter_and_changes_nothing(self):
        deliver("tasks", [task_state()])
        [told] = published("TaskPriced")
        other = type(told)(
            name="TaskPriced",
            version=1,
            key=told.key,
            time=told.time,
            data={**told.data, "fee": told.data["fee"] + 100},
        )
        before = PRICE_CONFLICTS._value.get()
        deliver("prices", [other])
        assert TaskPrice.objects.get().fee == fee(TASK)
        assert dead_letters() == [(str(TASK), "PriceConflict")]
        assert PRICE_CONFLICTS._value.get() == before + 1


class TestTaskReadModel:
    def test_both_versions_of_task_created_are_understood(self):
        deliver(
            "tasks",
            [
                task_state(task_id(1), name="TaskCreated", schema=1, description="[popug-7] - Feed Polly"),
                task_state(task_id(2), name="TaskCreated", title="Feed Molly", jira_id=None),
            ],
        )
        rows = Task.objects.order_by("id").values_list("title", "jira_id")
        assert list(rows) == [("Feed Polly", "POPUG-7"), ("Feed Molly", "")]

    def test_an_older_state_does_not_undo_a_newer_one(self):
        deliver("tasks", [task_state(version=3, title="new"), task_state(version=2, title="old")])
        deliver("tasks", [task_state(version=1, name="TaskCreated", title="oldest")])
        task = Task.objects.get()
        assert (task.title, task.version) == ("new", 3)

    def test_a_task_first_seen_in_an_assignment_is_a_stub_until_its_state_arrives(self):
        deliver("tasks", [assigned()])
        assert Task.objects.get().is_stub
        assert str(Task.objects.get()) == str(TASK)[-8:]
        deliver("tasks", [task_state(assignee_id=None)])
        task = Task.objects.get()
        assert (task.is_stub, str(task), task.assignee_id) == (False, "Wash the cage", None)


def dead_letters():
    rows = DeadLetter.objects.filter(state="dead").order_by("id")
    return [(row.key_text, row.error.split(":")[0].split(".")[-1]) for row in rows]


def test_what_is_posted_for_events_of_several_requests_keeps_the_trace_of_each():
    traces = [f"00-{number:032x}-b7ad6b7169203331-01" for number in (1, 2)]
    causes = [assigned(task_id(number)) for number in (1, 2)]
    deliver("tasks", [replace(cause, traceparent=trace) for cause, trace in zip(causes, traces, strict=True)])
    assert [event.traceparent for event in published("TransactionPosted")] == traces
